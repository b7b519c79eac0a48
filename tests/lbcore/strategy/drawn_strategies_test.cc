// Goal: `random` and `ip_hash` follow the weights, position by position.
// Method: ip_hash owns a position by the key modulo the total, so every position is tried; random
// is compared with the position its one draw names.
#include <gtest/gtest.h>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_weights;

std::uint64_t sum(const std::vector<std::uint32_t>& weights) {
  std::uint64_t total = 0;
  for (const std::uint32_t weight : weights) total += weight;
  return total;
}

std::size_t owner(const std::vector<std::uint32_t>& weights, std::uint64_t position) {
  std::size_t index = 0;
  for (; position >= weights[index]; ++index) position -= weights[index];
  return index;
}

const std::vector<std::vector<std::uint32_t>> kVectors{
    {1, 1}, {1, 2}, {2, 1}, {3, 3, 3}, {5, 1, 1}, {1, 1, 5}, {1, 65535, 7}, {2, 2, 2, 3}};

TEST(IpHash, EveryPositionBelongsToOneBackendInProportionToWeight) {
  for (const auto& weights : kVectors) {
    StrategyAtWork strategy{IpHashConfig{}, with_weights(weights)};
    std::vector<std::uint32_t> owned(weights.size());
    for (HashKey key = 0; key < sum(weights); ++key) ++owned[strategy.pick(key).index];
    const bool equal = std::count(weights.begin(), weights.end(), weights[0]) ==
                       static_cast<std::ptrdiff_t>(weights.size());
    if (!equal) {
      EXPECT_EQ(owned, weights);
    } else {
      EXPECT_EQ(owned, std::vector<std::uint32_t>(weights.size(), weights[0]));
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

TEST(IpHash, DrawsNothing) {
  StrategyAtWork strategy{IpHashConfig{}, with_weights({3, 1, 2}), 5};
  for (HashKey key = 0; key < 20; ++key) strategy.pick(key);
  Prng untouched{5};
  EXPECT_EQ(strategy.prng().next(), untouched.next());
}

TEST(Random, TakesTheBackendItsOneDrawNames) {
  for (const auto& weights : kVectors) {
    StrategyAtWork strategy{RandomConfig{}, with_weights(weights), 8};
    const bool equal = std::count(weights.begin(), weights.end(), weights[0]) ==
                       static_cast<std::ptrdiff_t>(weights.size());
    Prng same{8};
    for (int n = 0; n < 500; ++n) {
      const std::size_t expected =
          equal ? same.below(weights.size()) : owner(weights, same.below(sum(weights)));
      ASSERT_EQ(strategy.pick().index, expected);
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

}  // namespace
}  // namespace lb
