// Goal: the exact minimum of those that are open, whatever happened to the heap before; ties to the
// one picked longest ago.
// Method: letters for the ties, then random loads, closed backends and changes of the set against a
// full scan.
#include "lbcore/strategy/least_connections.h"

#include <gtest/gtest.h>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_in_flight;
using testing::with_weights;

TEST(LeastConnections, TakesTheLeastLoaded) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_in_flight({4, 2, 7, 3})};
  EXPECT_EQ(strategy.picks(3), "BBB");
  strategy.set_load(1, 5);
  EXPECT_EQ(strategy.picks(1), "D");
  strategy.set_load(2, 0);
  EXPECT_EQ(strategy.picks(1), "C");
}

TEST(LeastConnections, SharesAnIdleClusterInTurn) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_in_flight({0, 0, 0, 0})};
  EXPECT_EQ(strategy.picks(9), "ABCDABCDA");
}

TEST(LeastConnections, WeighsTheLoad) {
  auto views = with_weights({1, 3});
  views[0].in_flight = 1;
  views[1].in_flight = 2;
  StrategyAtWork strategy{LeastConnectionsConfig{}, views};
  EXPECT_EQ(strategy.picks(1), "B") << "2/3 is less than 1/1";
  strategy.set_load(1, 4);
  EXPECT_EQ(strategy.picks(1), "A") << "1/1 is less than 4/3";
}

TEST(LeastConnections, ComparesLoadsTooLargeForThirtyTwoBits) {
  auto views = with_weights({6'553'500, 6'553'400});
  views[0].in_flight = 0xffffffffU;
  views[1].in_flight = 0xffffffffU;
  StrategyAtWork strategy{LeastConnectionsConfig{}, views};
  EXPECT_EQ(strategy.picks(3), "AAA");
}

TEST(LeastConnections, AFlappingNeighbourDoesNotResetTheTurn) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_ids({0, 1, 2, 3})};
  EXPECT_EQ(strategy.picks(2), "AB");
  strategy.become(with_ids({0, 1, 2}));
  EXPECT_EQ(strategy.picks(1), "C");
  strategy.become(with_ids({0, 1, 2, 3}));
  EXPECT_EQ(strategy.picks(4), "DABC");
}

TEST(LeastConnections, WhoWasNeverPickedComesFirstInOrder) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_ids({2, 4})};
  EXPECT_EQ(strategy.picks(1), "C");
  strategy.become(with_ids({2, 4, 6}));
  strategy.become(with_ids({0, 2, 4, 6}));
  EXPECT_EQ(strategy.picks(5), "AEGCA");
}

TEST(LeastConnections, GoesOnToTheNextThatIsOpen) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_in_flight({1, 2, 3, 3})};
  strategy.close(0);
  EXPECT_EQ(strategy.picks(2), "BB");
  strategy.close(1);
  EXPECT_EQ(strategy.picks(3), "CDC") << "a tie goes in turn among the open";
  strategy.open(0);
  EXPECT_EQ(strategy.picks(1), "A");
}

TEST(LeastConnections, ACloneGoesItsOwnWay) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_in_flight({0, 0, 0})};
  EXPECT_EQ(strategy.picks(1), "A");  // And its new turn is not in order yet.
  const auto copy = strategy.strategy().clone();
  OpenSet open;
  open.reset(3);
  Prng prng{1};
  const PickContext context{strategy.eligible(), open, 0, 0, Instant{}, prng};
  EXPECT_EQ(copy->pick(context).index, 1u);
  EXPECT_EQ(copy->pick(context).index, 2u);
  EXPECT_EQ(strategy.picks(3), "BCA");
}

TEST(LeastConnections, ItsScoreIsTheLoadByWeight) {
  auto views = with_weights({1, 4});
  views[1].in_flight = 3;
  StrategyAtWork strategy{LeastConnectionsConfig{}, views};
  EXPECT_EQ(strategy.score(0), 0.0);
  EXPECT_EQ(strategy.score(1), 0.75);
}

// A strategy beside a plain list of who was picked when.
class Scan {
 public:
  [[nodiscard]] bool before(const BackendView& a, const BackendView& b) {
    const std::uint64_t left = std::uint64_t{a.in_flight} * b.weight;
    const std::uint64_t right = std::uint64_t{b.in_flight} * a.weight;
    return left != right ? left < right : picked_[a.id] < picked_[b.id];
  }
  BackendId pick(const std::vector<BackendView>& eligible, const OpenSet& open) {
    const BackendView* best = nullptr;
    for (std::size_t i = 0; i < eligible.size(); ++i) {
      if (!open.contains(i)) continue;
      if (best == nullptr || before(eligible[i], *best)) best = &eligible[i];
    }
    picked_[best->id] = ++sequence_;
    return best->id;
  }
  // Who was away has no turn to keep.
  void keep(const std::vector<BackendView>& set) {
    std::erase_if(picked_, [&](const auto& entry) {
      return std::none_of(set.begin(), set.end(),
                          [&](const BackendView& view) { return view.id == entry.first; });
    });
  }

 private:
  std::map<BackendId, int> picked_;
  int sequence_ = 0;
};

TEST(LeastConnections, FindsTheMinimumThatAFullScanFinds) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Prng prng{seed};
    std::vector<BackendView> views(2 + prng.below(30));
    for (std::uint32_t i = 0; i < views.size(); ++i) {
      views[i] = {BackendId{i}, static_cast<std::uint32_t>(1 + prng.below(4)), 0};
    }
    StrategyAtWork strategy{LeastConnectionsConfig{}, views};
    Scan scan;
    OpenSet open;
    open.reset(views.size());
    for (int step = 1; step < 1500; ++step) {
      const std::size_t index = prng.below(strategy.eligible().size());
      const std::uint64_t choice = prng.below(40);
      if (choice == 0) {  // One leaves, or all are back.
        auto set = views;
        if (set.size() > 2) set.erase(set.begin() + static_cast<int>(prng.below(set.size())));
        for (auto& view : set) view.in_flight = static_cast<std::uint32_t>(prng.below(6));
        scan.keep(set);
        strategy.become(set);
        open.reset(set.size());
      } else if (choice < 15) {
        strategy.set_load(index, static_cast<std::uint32_t>(prng.below(6)));
      } else if (choice < 20) {
        strategy.open(index);
        open.open(index);
      } else if (choice < 25 && open.count() > 1) {
        strategy.close(index);
        open.close(index);
      } else {
        const auto before = strategy.eligible();
        const std::size_t picked = choice < 30 ? strategy.pick().index : strategy.start();
        ASSERT_EQ(before[picked].id.value, scan.pick(before, open).value)
            << "seed " << seed << " step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace lb
