// Goal: `random` and `ip_hash` follow the weights, point by point.
// Method: the table they share has a known number of points, so every one of them is asked for its
// owner; random is compared with the point its one draw names.
#include <gtest/gtest.h>

#include <numeric>

#include "lbcore/strategy/weighted_draw.h"
#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_weights;
using Weights = std::vector<std::uint32_t>;

__extension__ using Wide = unsigned __int128;

// A key that falls on this point: the least whose part of 2^64 is that part of the points.
HashKey key_of_point(std::uint64_t point, std::uint64_t points) {
  return static_cast<HashKey>(((static_cast<Wide>(point) << 64U) + points - 1) / points);
}

std::uint64_t sum(const Weights& weights) {
  return std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
}

const std::vector<Weights> kVectors{{1, 1},        {1, 2},       {2, 1},
                                    {3, 3, 3},     {5, 1, 1},    {1, 1, 5},
                                    {1, 65535, 7}, {2, 2, 2, 3}, {9, 9, 1, 1, 1, 1, 9}};

// What every backend owns of all points.
std::vector<std::uint64_t> owned_points(const Weights& weights) {
  WeightedDraw draw;
  draw.rebuild(with_weights(weights));
  std::vector<std::uint64_t> owned(weights.size());
  for (std::uint64_t point = 0; point < draw.points(); ++point) {
    ++owned[draw.owner(key_of_point(point, draw.points()))];
  }
  return owned;
}

void expect_in_proportion(const Weights& weights) {
  const std::vector<std::uint64_t> owned = owned_points(weights);
  const std::uint64_t points = std::accumulate(owned.begin(), owned.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(owned[i] * sum(weights), points * weights[i]) << ::testing::PrintToString(weights);
  }
}

TEST(WeightedDraw, EveryBackendOwnsExactlyItsShareOfThePoints) {
  for (const Weights& weights : kVectors) expect_in_proportion(weights);
  for (std::uint32_t a = 1; a <= 6; ++a) {
    for (std::uint32_t b = 1; b <= 6; ++b) {
      for (std::uint32_t c = 1; c <= 6; ++c) {
        for (std::uint32_t d = 1; d <= 6; ++d) expect_in_proportion({a, b, c, d});
      }
    }
  }
  Prng prng{4};
  for (int round = 0; round < 50; ++round) {
    Weights weights(2 + prng.below(60));
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(100));
    expect_in_proportion(weights);
  }
}

TEST(WeightedDraw, AsksForNoTableWhenWeightsAreEqual) {
  EXPECT_EQ(owned_points({7, 7, 7}), (std::vector<std::uint64_t>{1, 1, 1}));
}

// Its points are 37 % of 2^64, so one draw of four names none of them and is thrown away.
TEST(WeightedDraw, ThrowsAwayWhatWouldBias) {
  Weights weights(40'000, 0xffffffffU);
  weights[7] = 1;
  WeightedDraw draw;
  draw.rebuild(with_weights(weights));
  ASSERT_EQ(draw.points(), 40'000 * sum(weights));
  Prng prng{8};
  Prng same{8};
  for (int n = 0; n < 1000; ++n) {
    ASSERT_EQ(draw.draw(prng), draw.owner(key_of_point(same.below(draw.points()), draw.points())));
  }
}

TEST(WeightedDrawDeathTest, RefusesMorePointsThanThereAreNumbers) {
  Weights weights(70'000, 0xffffffffU);
  weights[0] = 1;
  WeightedDraw draw;
  EXPECT_DEATH(draw.rebuild(with_weights(weights)), "height_");
}

TEST(IpHash, EveryPointBelongsToTheBackendThatTheTableSays) {
  for (const Weights& weights : kVectors) {
    StrategyAtWork strategy{IpHashConfig{}, with_weights(weights)};
    WeightedDraw draw;
    draw.rebuild(with_weights(weights));
    for (std::uint64_t point = 0; point < draw.points(); ++point) {
      const HashKey key = key_of_point(point, draw.points());
      ASSERT_EQ(strategy.pick(key).index, draw.owner(key));
    }
  }
}

TEST(IpHash, KeepsAClientOnItsBackend) {
  StrategyAtWork strategy{IpHashConfig{}, with_weights({3, 1, 2})};
  const HashKey client = hash_bytes("192.0.2.7");
  const std::size_t first = strategy.pick(client).index;
  for (int n = 0; n < 100; ++n) {
    strategy.set_load(first, static_cast<std::uint32_t>(n));
    strategy.pick(mix(static_cast<HashKey>(n)));
    EXPECT_EQ(strategy.pick(client).index, first);
  }
}

TEST(IpHash, GoesToTheNextInOrderWhenTheOwnerIsNotOpen) {
  StrategyAtWork strategy{IpHashConfig{}, with_weights({1, 1, 1, 1})};
  const HashKey third = key_of_point(2, 4);
  EXPECT_EQ(strategy.pick(third).index, 2u);
  strategy.close(2);
  EXPECT_EQ(strategy.pick(third).index, 3u);
  EXPECT_EQ(strategy.pick(third).reason, PickReason::moved_on);
  strategy.close(3);
  EXPECT_EQ(strategy.pick(third).index, 0u) << "and round";
}

TEST(IpHash, DrawsNothing) {
  StrategyAtWork strategy{IpHashConfig{}, with_weights({3, 1, 2}), 5};
  for (HashKey key = 0; key < 20; ++key) strategy.pick(mix(key));
  Prng untouched{5};
  EXPECT_EQ(strategy.prng().next(), untouched.next());
}

TEST(Random, TakesTheBackendItsOneDrawNames) {
  for (const Weights& weights : kVectors) {
    StrategyAtWork strategy{RandomConfig{}, with_weights(weights), 8};
    WeightedDraw draw;
    draw.rebuild(with_weights(weights));
    Prng same{8};
    for (int n = 0; n < 500; ++n) {
      const HashKey key = key_of_point(same.below(draw.points()), draw.points());
      ASSERT_EQ(strategy.pick().index, draw.owner(key));
    }
  }
}

TEST(Random, FollowsAChangeOfWeights) {
  StrategyAtWork strategy{RandomConfig{}, with_weights({1, 1, 1}), 8};
  strategy.pick();
  strategy.become(with_weights({1, 65535}));
  int heavy = 0;
  for (int n = 0; n < 1000; ++n) heavy += strategy.pick().index == 1 ? 1 : 0;
  EXPECT_GE(heavy, 995) << "65535 of 65536 draws";
}

// Nine draws in a row miss three quarters of the weight once in 260 000 times.
TEST(Random, DrawsAgainWhenItFallsOnOneThatIsNotOpen) {
  StrategyAtWork strategy{RandomConfig{}, with_weights({1, 2, 1}), 8};
  strategy.close(0);
  std::vector<int> seen(3);
  for (int n = 0; n < 3000; ++n) ++seen[strategy.pick().index];
  EXPECT_EQ(seen[0], 0);
  EXPECT_NEAR(seen[1], 2000, 5 * 26) << "two to one, as if the closed one were not there";
}

}  // namespace
}  // namespace lb
