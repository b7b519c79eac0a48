// Goal: the highest of all scores weight / -ln(u) wins, whatever shortcuts are taken; who leaves
// moves its own keys and no others, who gets heavier moves keys to itself only.
// Method: a plain maximum over the C library's logarithm; each of a set taken away in turn; shares
// by chi-square.
#include "lbcore/strategy/rendezvous.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_weights;

// Everybody's position, the highest score first.
std::vector<std::size_t> naive_order(const std::vector<BackendView>& views, HashKey key) {
  const auto score = [&](std::size_t i) {
    const std::uint64_t hash = mix(key ^ mix(views[i].id.value + 0x9e3779b97f4a7c15ULL));
    const long double u = (static_cast<long double>(hash >> 12U) + 0.5L) * 0x1.0p-52L;
    return views[i].weight / -std::log(u);
  };
  std::vector<std::size_t> order(views.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
  return order;
}

TEST(Rendezvous, TakesTheHighestScore) {
  Prng prng{3};
  for (std::uint32_t count = 2; count <= 60; ++count) {
    for (const std::uint64_t weight_max : {1u, 2u, 5u, 65535u}) {
      std::vector<std::uint32_t> weights(count);
      for (auto& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(weight_max));
      const auto views = with_weights(weights);
      StrategyAtWork rendezvous{RendezvousConfig{}, views};
      for (std::uint64_t n = 0; n < 60; ++n) {
        ASSERT_EQ(rendezvous.pick(mix(n)).index, naive_order(views, mix(n)).front())
            << count << " backends, weights up to " << weight_max;
      }
    }
  }
}

TEST(Rendezvous, TakesTheNextHighestWhenTheOwnerIsNotOpen) {
  for (const auto& weights : {std::vector<std::uint32_t>{1, 1, 1, 1, 1}, {1, 4, 2, 9, 3}}) {
    const auto views = with_weights(weights);
    StrategyAtWork rendezvous{RendezvousConfig{}, views};
    for (std::uint64_t n = 0; n < 300; ++n) {
      const auto order = naive_order(views, mix(n));
      for (std::size_t closed = 0; closed < order.size(); ++closed) {
        const Pick pick = rendezvous.pick(mix(n));
        EXPECT_EQ(pick.index, order[closed]);
        EXPECT_EQ(pick.reason, closed == 0 ? PickReason::hashed : PickReason::moved_on);
        if (closed + 1 < order.size()) rendezvous.close(order[closed]);
      }
      for (std::size_t i = 0; i < views.size(); ++i) rendezvous.open(i);
    }
  }
}

TEST(Rendezvous, WhoLeavesMovesItsOwnKeysAndNoOthers) {
  Prng prng{9};
  for (std::uint32_t count = 3; count <= 12; ++count) {
    std::vector<BackendView> views;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t weight = count % 2 == 0 ? 1 : 1 + prng.below(9);
      views.push_back({BackendId{5 * i}, static_cast<std::uint32_t>(weight), 0});
    }
    for (std::uint32_t leaver = 0; leaver < count; ++leaver) {
      auto rest = views;
      rest.erase(rest.begin() + leaver);
      StrategyAtWork all{RendezvousConfig{}, views};
      StrategyAtWork without{RendezvousConfig{}, rest};
      for (std::uint64_t n = 0; n < 2000; ++n) {
        const BackendId owner = views[all.pick(mix(n)).index].id;
        if (owner == views[leaver].id) continue;
        ASSERT_EQ(rest[without.pick(mix(n)).index].id.value, owner.value) << count;
      }
    }
  }
}

TEST(Rendezvous, WhoGetsHeavierTakesKeysAndMovesNoneBetweenOthers) {
  std::vector<std::uint32_t> weights{1, 1, 1, 1};
  StrategyAtWork rendezvous{RendezvousConfig{}, with_weights(weights)};
  std::vector<std::size_t> owners;
  for (std::uint64_t n = 0; n < 5000; ++n) owners.push_back(rendezvous.pick(mix(n)).index);
  for (const std::uint32_t weight : {2u, 3u, 10u, 1000u}) {
    weights[2] = weight;
    rendezvous.become(with_weights(weights));
    for (std::uint64_t n = 0; n < 5000; ++n) {
      const std::size_t owner = rendezvous.pick(mix(n)).index;
      ASSERT_TRUE(owner == owners[n] || owner == 2) << n;
      owners[n] = owner;
    }
  }
}

// With k - 1 degrees of freedom chi-square exceeds k + 5 sqrt(2k) + 10 less than once in a million.
TEST(Rendezvous, SharesFollowTheWeights) {
  for (const auto& weights :
       {std::vector<std::uint32_t>{1, 1, 1}, {1, 2, 3, 4}, {10, 1, 1, 5, 5, 3, 2, 7}}) {
    StrategyAtWork rendezvous{RendezvousConfig{}, with_weights(weights)};
    constexpr std::uint64_t kKeys = 100'000;
    std::vector<double> counts(weights.size());
    for (std::uint64_t n = 0; n < kKeys; ++n) ++counts[rendezvous.pick(mix(n)).index];
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    double chi_square = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double expected = kKeys * weights[i] / sum;
      chi_square += std::pow(counts[i] - expected, 2) / expected;
    }
    const auto k = static_cast<double>(weights.size());
    EXPECT_LT(chi_square, k + 5 * std::sqrt(2 * k) + 10);
  }
}

}  // namespace
}  // namespace lb
