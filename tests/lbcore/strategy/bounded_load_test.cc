// Goal: no backend goes above its bound while anybody has room, each strategy walks on in the order
// of its hashes, and there is an answer whatever is closed.
// Method: one key for everything, the worst there is, then random keys and endings; the bound in
// whole numbers. For the order, the pick with everybody up to there closed: what a full backend is
// passed over for is what a closed one is.
#include "lbcore/strategy/bounded_load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_weights;

std::vector<StrategyConfig> hashing(std::optional<double> factor) {
  return {IpHashConfig{factor}, RingHashConfig{{}, 160, factor}, MaglevConfig{{}, 1009, factor},
          RendezvousConfig{{}, factor}};
}

const std::vector<double> kFactors{1, 1.1, 1.25, 1.5, 2, 7};

TEST(BoundedLoad, OneKeyFillsNobodyBeyondTheBound) {
  for (const double factor : kFactors) {
    for (const StrategyConfig& config : hashing(factor)) {
      for (const std::size_t count : {2u, 3u, 7u, 11u}) {
        StrategyAtWork strategy{config, with_weights(std::vector<std::uint32_t>(count, 3))};
        for (std::uint64_t total = 0; total < 300; ++total) {
          const std::size_t index = strategy.start(mix(7));
          const double bound =
              std::ceil(factor * static_cast<double>(total + 1) / static_cast<double>(count));
          ASSERT_LE(strategy.eligible()[index].in_flight, bound)
              << strategy_name(config) << " " << factor << " " << count << " " << total;
        }
      }
    }
  }
}

// in_flight * 1000 * weights <= (thousandths * (total + 1) * weight), rounded up to weights * 1000.
TEST(BoundedLoad, KeepsTheBoundByWeightThroughRandomComingAndGoing) {
  Prng prng{17};
  const std::vector<std::uint32_t> weights{1, 4, 2, 2, 9, 1, 3};
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  for (const std::uint64_t thousandths : {1000u, 1100u, 1250u, 2000u}) {
    for (const StrategyConfig& config : hashing(static_cast<double>(thousandths) / 1000)) {
      StrategyAtWork strategy{config, with_weights(weights)};
      std::vector<std::size_t> under_way;
      for (int step = 0; step < 3000; ++step) {
        if (!under_way.empty() && prng.below(5) < 2) {
          std::swap(under_way[prng.below(under_way.size())], under_way.back());
          strategy.finish(under_way.back(), Duration{1});
          under_way.pop_back();
          continue;
        }
        const std::size_t index = strategy.start(mix(prng.below(4)));
        under_way.push_back(index);
        const std::uint64_t share = thousandths * under_way.size() * weights[index];
        const std::uint64_t bound = (share + 1000 * sum - 1) / (1000 * sum);
        ASSERT_LE(strategy.eligible()[index].in_flight, bound) << strategy_name(config);
      }
    }
  }
}

// Three quarters of two backends' load are the owner's: ceil(1.5 / 2), ceil(3 / 2), ….
TEST(BoundedLoad, GivesTheOwnerAllThatTheBoundAllows) {
  for (const StrategyConfig& config : hashing(1.5)) {
    StrategyAtWork strategy{config, with_weights({1, 1})};
    const std::size_t owner = strategy.pick(mix(7)).index;
    std::string picks;
    for (int n = 0; n < 12; ++n) picks += strategy.start(mix(7)) == owner ? 'O' : 'x';
    EXPECT_EQ(picks, "OOOxOOOxOOOx") << strategy_name(config);
  }
}

TEST(BoundedLoad, AFactorOfOneIsLevel) {
  for (const StrategyConfig& config : hashing(1)) {
    StrategyAtWork strategy{config, with_weights({1, 1, 1, 1, 1})};
    for (int round = 1; round <= 50; ++round) {
      for (int n = 0; n < 5; ++n) strategy.start(mix(7));
      for (const BackendView& view : strategy.eligible()) {
        EXPECT_EQ(view.in_flight, static_cast<std::uint32_t>(round)) << strategy_name(config);
      }
    }
  }
}

TEST(BoundedLoad, LeavesKeysWhereTheyAreWhileThereIsRoom) {
  const auto free = hashing(std::nullopt);
  const auto bounded = hashing(1.25);
  for (std::size_t n = 0; n < free.size(); ++n) {
    StrategyAtWork one{free[n], with_weights({1, 2, 1, 3})};
    StrategyAtWork other{bounded[n], with_weights({1, 2, 1, 3})};
    for (HashKey key = 0; key < 1000; ++key) {
      const Pick pick = other.pick(mix(key));
      ASSERT_EQ(pick.index, one.pick(mix(key)).index) << strategy_name(free[n]);
      ASSERT_EQ(pick.reason, PickReason::hashed);
    }
  }
}

TEST(BoundedLoad, PassesOverTheFullInTheOrderOfHashes) {
  const auto free = hashing(std::nullopt);
  const auto bounded = hashing(1);
  for (std::size_t n = 0; n < free.size(); ++n) {
    for (HashKey key = 0; key < 100; ++key) {
      StrategyAtWork closing{free[n], with_weights({1, 1, 1, 1, 1, 1})};
      StrategyAtWork filling{bounded[n], with_weights({1, 1, 1, 1, 1, 1})};
      for (int step = 0; step < 6; ++step) {
        const std::size_t expected = closing.pick(mix(key)).index;
        const Pick pick = filling.pick(mix(key));
        ASSERT_EQ(pick.index, expected) << strategy_name(free[n]) << " step " << step;
        EXPECT_EQ(pick.reason, step == 0 ? PickReason::hashed : PickReason::moved_on);
        filling.set_load(expected, 1);
        if (step < 5) closing.close(expected);
      }
    }
  }
}

TEST(BoundedLoad, IsAsIfThereWereNoneWhenNobodyThatIsOpenHasRoom) {
  const auto free = hashing(std::nullopt);
  const auto bounded = hashing(1);
  for (std::size_t n = 0; n < free.size(); ++n) {
    StrategyAtWork one{free[n], with_weights({1, 1, 1, 1, 1})};
    StrategyAtWork other{bounded[n], with_weights({1, 1, 1, 1, 1})};
    for (const std::size_t open : {1u, 3u, 4u}) other.set_load(open, 50);
    for (const std::size_t closed : {0u, 2u}) one.close(closed), other.close(closed);
    for (HashKey key = 0; key < 200; ++key) {
      ASSERT_EQ(other.pick(mix(key)).index, one.pick(mix(key)).index) << strategy_name(free[n]);
    }
  }
}

TEST(BoundedLoad, PrefersOpenAndBelowTheBoundToEither) {
  for (const StrategyConfig& config : hashing(1.5)) {
    StrategyAtWork strategy{config, with_weights({1, 1, 1})};
    strategy.close(0);          // No load, but closed.
    strategy.set_load(1, 100);  // Open, but full.
    for (HashKey key = 0; key < 100; ++key) {
      EXPECT_EQ(strategy.pick(mix(key)).index, 2u) << strategy_name(config);
    }
  }
}

// 1.1 as a double is a little more than eleven tenths: 10 in flight of 11 would then be two each.
TEST(BoundedLoad, TakesTheFactorAsItIsWritten) {
  StrategyAtWork strategy{IpHashConfig{1.1}, with_weights(std::vector<std::uint32_t>(11, 1))};
  for (int n = 0; n < 10; ++n) strategy.start(mix(7));
  for (const BackendView& view : strategy.eligible()) EXPECT_LE(view.in_flight, 1u);
}

TEST(BoundedLoad, CountsBeyondSixtyFourBits) {
  std::vector<BackendView> views;
  for (std::uint32_t i = 0; i < 3; ++i) views.push_back({BackendId{i}, 0xffffffffU, 0xffffffffU});
  views[1].in_flight = 0;
  for (const StrategyConfig& config : hashing(1)) {
    StrategyAtWork strategy{config, views};
    for (HashKey key = 0; key < 20; ++key) {
      EXPECT_EQ(strategy.pick(mix(key)).index, 1u) << strategy_name(config);
    }
  }
}

TEST(BoundedLoadDeathTest, RefusesAFactorOutOfBounds) {
  for (const double factor : {0.99, 101.0}) {
    for (const StrategyConfig& config : hashing(factor)) {
      EXPECT_DEATH(static_cast<void>(make_strategy(config)), "factor");
    }
  }
}

}  // namespace
}  // namespace lb
