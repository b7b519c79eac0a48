// Goal: the exact minimum, whatever happened to the heap before; ties to the one picked longest
// ago.
// Method: letters for the ties, then random loads and changes of the set against a full scan.
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

TEST(LeastConnections, AFlappingNeighbourDoesNotResetTheTurn) {
  StrategyAtWork strategy{LeastConnectionsConfig{}, with_ids({0, 1, 2, 3})};
  EXPECT_EQ(strategy.picks(2), "AB");
  strategy.become(with_ids({0, 1, 2}));
  EXPECT_EQ(strategy.picks(1), "C");
  strategy.become(with_ids({0, 1, 2, 3}));
  EXPECT_EQ(strategy.picks(4), "DABC");
}

TEST(LeastConnections, FindsTheMinimumThatAFullScanFinds) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Prng prng{seed};
    std::vector<BackendView> views(2 + prng.below(20));
    for (std::uint32_t i = 0; i < views.size(); ++i) {
      views[i] = {BackendId{i}, static_cast<std::uint32_t>(1 + prng.below(4)), 0};
    }
    StrategyAtWork strategy{LeastConnectionsConfig{}, views};
    std::map<BackendId, int> picked;  // When last.
    for (int step = 1; step < 1000; ++step) {
      const auto& eligible = strategy.eligible();
      const std::uint64_t choice = prng.below(20);
      if (choice == 0) {  // One leaves, or all are back.
        auto set = views;
        if (set.size() > 2) set.erase(set.begin() + static_cast<int>(prng.below(set.size())));
        for (auto& view : set) view.in_flight = static_cast<std::uint32_t>(prng.below(6));
        for (const auto& view : views) {  // Who was away has no turn to keep.
          const bool stays =
              std::any_of(set.begin(), set.end(), [&](const auto& v) { return v.id == view.id; });
          if (!stays) picked.erase(view.id);
        }
        strategy.become(set);
      } else if (choice < 10) {
        strategy.set_load(prng.below(eligible.size()), static_cast<std::uint32_t>(prng.below(6)));
      } else {
        const auto before = [&](const BackendView& a, const BackendView& b) {
          const auto left = a.in_flight * b.weight;
          const auto right = b.in_flight * a.weight;
          return left != right ? left < right : picked[a.id] < picked[b.id];
        };
        const auto expected = std::min_element(eligible.begin(), eligible.end(), before);
        const std::size_t index = strategy.pick().index;
        ASSERT_EQ(eligible[index].id.value, expected->id.value)
            << "seed " << seed << " step " << step;
        picked[expected->id] = step;
      }
    }
  }
}

}  // namespace
}  // namespace lb
