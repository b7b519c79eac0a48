// Goal: a key goes to the next node of the ring, and who leaves moves its own keys and no others.
// Method: every pick against a sorted list of nodes and a search in it; then each of a set taken
// away in turn. Shares against the arcs' law.
#include "lbcore/strategy/ring_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_weights;

// The ring as the header describes it, the plain way.
class NaiveRing {
 public:
  NaiveRing(const RingHashConfig& config, const std::vector<BackendView>& views) {
    double wanted = 0;
    for (const BackendView& view : views) wanted += 1.0 * config.virtual_nodes * view.weight;
    const double scale = std::min(1.0, config.kNodesMax / wanted);
    for (const BackendView& view : views) {
      const double share = scale * config.virtual_nodes * view.weight;
      const double rounding = static_cast<double>(mix(view.id.value) >> 48U) / 65536;
      counts_.push_back(static_cast<std::uint64_t>(
          std::max(1.0, scale < 1 ? std::floor(share + rounding) : share)));
    }
    for (std::size_t i = 0; i < views.size(); ++i) {
      for (std::uint64_t n = 0; n < counts_[i]; ++n) {
        nodes_.emplace_back(ring_place(views[i].id, n) >> 24U, i);
      }
    }
    std::sort(nodes_.begin(), nodes_.end());
  }

  [[nodiscard]] std::size_t place_of(HashKey key) const {
    const auto node = std::lower_bound(nodes_.begin(), nodes_.end(), std::pair{key >> 24U, 0UL});
    return node == nodes_.end() ? 0 : static_cast<std::size_t>(node - nodes_.begin());
  }
  [[nodiscard]] std::size_t owner(HashKey key) const { return nodes_[place_of(key)].second; }
  // The owner's successors, each once.
  [[nodiscard]] std::vector<std::size_t> order(HashKey key) const {
    std::vector<std::size_t> order;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      const std::size_t index = nodes_[(place_of(key) + n) % nodes_.size()].second;
      if (std::find(order.begin(), order.end(), index) == order.end()) order.push_back(index);
    }
    return order;
  }
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, std::size_t>>& nodes() const {
    return nodes_;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  std::vector<std::pair<std::uint64_t, std::size_t>> nodes_;
  std::vector<std::uint64_t> counts_;
};

void expect_same_as_naive(const RingHashConfig& config, const std::vector<BackendView>& views,
                          std::uint64_t keys) {
  const NaiveRing naive{config, views};
  StrategyAtWork ring{config, views};
  for (std::uint64_t n = 0; n < keys; ++n) {
    ASSERT_EQ(ring.pick(mix(n)).index, naive.owner(mix(n))) << views.size() << " backends";
  }
  // The ends of the ring, and both sides of nodes.
  std::vector<HashKey> edges{0, 1, ~HashKey{0}, ~HashKey{0} << 24U};
  for (std::size_t n = 0; n < naive.nodes().size(); n += 1 + naive.nodes().size() / 100) {
    const HashKey place = naive.nodes()[n].first << 24U;
    edges.insert(edges.end(), {place - 1, place, place | 0xffffffU, (place | 0xffffffU) + 1});
  }
  for (const HashKey key : edges) ASSERT_EQ(ring.pick(key).index, naive.owner(key)) << key;
}

TEST(RingHash, TakesTheNextNodeOfTheRing) {
  Prng prng{5};
  for (std::uint32_t count = 2; count <= 40; ++count) {
    for (const std::uint32_t virtual_nodes : {1u, 2u, 7u, 160u}) {
      std::vector<std::uint32_t> weights(count);
      for (auto& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(5));
      expect_same_as_naive({.virtual_nodes = virtual_nodes}, with_weights(weights), 300);
    }
  }
}

TEST(RingHash, SharesItsNodesOutWhenTheyWouldBeTooMany) {
  const RingHashConfig config;
  const auto views = with_weights(std::vector<std::uint32_t>(10'000, 1));
  const auto counts = NaiveRing(config, views).counts();
  EXPECT_EQ(std::set(counts.begin(), counts.end()), (std::set<std::uint64_t>{26, 27}))
      << "2^18 / 10,000 is 26.2";
  expect_same_as_naive(config, views, 2000);
}

TEST(RingHash, GivesEverybodyANode) {
  const auto views = with_weights({65535, 65535, 1});
  const auto counts = NaiveRing({}, views).counts();
  EXPECT_GE(counts[2], 1u);
  EXPECT_LE(counts[2], 2u);
  expect_same_as_naive({}, views, 2000);
}

TEST(RingHash, HasNodesInProportionToWeight) {
  EXPECT_EQ(NaiveRing({}, with_weights({1, 2, 1, 3})).counts(),
            (std::vector<std::uint64_t>{160, 320, 160, 480}));
}

// At the most nodes there may be, one more backend takes a few from the others. One at 1,638 of
// them that comes and goes must not move half of all keys each time.
TEST(RingHash, MovesFewKeysWhereNodesBecomeTooMany) {
  constexpr std::uint64_t kKeys = 100'000;
  for (const std::uint32_t count : {1'638u, 1'639u, 3'277u, 6'554u}) {
    StrategyAtWork all{RingHashConfig{}, with_weights(std::vector<std::uint32_t>(count + 1, 1))};
    StrategyAtWork without{RingHashConfig{}, with_weights(std::vector<std::uint32_t>(count, 1))};
    std::uint64_t moved = 0;
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      const std::size_t owner = all.pick(mix(n)).index;
      if (owner < count && without.pick(mix(n)).index != owner) ++moved;
    }
    // One backend's share and its standard deviation, six times; with nodes of everybody's.
    EXPECT_LE(moved, 3 * kKeys / count + 60) << count;
  }
}

TEST(RingHash, WhoLeavesMovesItsOwnKeysAndNoOthers) {
  for (std::uint32_t count = 2; count <= 12; ++count) {
    std::vector<std::uint32_t> ids(count);
    for (std::uint32_t i = 0; i < count; ++i) ids[i] = 3 * i;
    for (std::uint32_t leaver = 0; leaver < count; ++leaver) {
      std::vector<std::uint32_t> rest = ids;
      rest.erase(rest.begin() + leaver);
      StrategyAtWork all{RingHashConfig{}, with_ids(ids)};
      StrategyAtWork without{RingHashConfig{}, with_ids(rest)};
      for (std::uint64_t n = 0; n < 2000; ++n) {
        const std::uint32_t owner = ids[all.pick(mix(n)).index];
        if (owner == ids[leaver]) continue;
        ASSERT_EQ(rest[without.pick(mix(n)).index], owner) << count << " without " << leaver;
      }
    }
  }
}

// An arc between N random points has a mean and a deviation of 1/N, so a share made of v arcs
// deviates by 1/sqrt(v) of itself. The mean square over 100 backends is within 15 % of that
// (one deviation of it) three times over.
TEST(RingHash, SharesDeviateByOneOverTheRootOfTheNodes) {
  for (const std::uint32_t virtual_nodes : {40u, 160u, 640u}) {
    constexpr std::size_t kBackends = 100;
    const NaiveRing ring{{.virtual_nodes = virtual_nodes},
                         with_weights(std::vector<std::uint32_t>(kBackends, 1))};
    std::vector<double> shares(kBackends);
    std::uint64_t last = ring.nodes().back().first - (std::uint64_t{1} << 40U);
    for (const auto& [place, index] : ring.nodes()) {
      shares[index] += static_cast<double>(place - last) * 0x1.0p-40;
      last = place;
    }
    double square = 0;
    for (const double share : shares) square += std::pow(share * kBackends - 1, 2) / kBackends;
    EXPECT_NEAR(square * virtual_nodes, 1, 0.45) << virtual_nodes;
  }
}

TEST(RingHash, GoesToTheNextNodeOfSomebodyElseWhenTheOwnerIsNotOpen) {
  const auto views = with_weights({1, 3, 1, 2, 1, 1});
  const NaiveRing naive{{}, views};
  StrategyAtWork ring{RingHashConfig{}, views};
  for (std::uint64_t n = 0; n < 300; ++n) {
    const std::vector<std::size_t> order = naive.order(mix(n));
    for (std::size_t closed = 0; closed < order.size(); ++closed) {
      const Pick pick = ring.pick(mix(n));
      EXPECT_EQ(pick.index, order[closed]);
      EXPECT_EQ(pick.reason, closed == 0 ? PickReason::hashed : PickReason::moved_on);
      if (closed + 1 < order.size()) ring.close(order[closed]);
    }
    for (std::size_t i = 0; i < views.size(); ++i) ring.open(i);
  }
}

TEST(RingHash, FindsTheOneOpenBackendOfMany) {
  StrategyAtWork ring{RingHashConfig{}, with_weights(std::vector<std::uint32_t>(1000, 1))};
  for (std::size_t i = 0; i < 1000; ++i) {
    if (i != 777) ring.close(i);
  }
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_EQ(ring.pick(mix(n)).index, 777u);
}

TEST(RingHash, DrawsNothing) {
  StrategyAtWork ring{RingHashConfig{}, with_weights({3, 1, 2}), 5};
  for (std::uint64_t n = 0; n < 20; ++n) ring.pick(mix(n));
  Prng untouched{5};
  EXPECT_EQ(ring.prng().next(), untouched.next());
}

}  // namespace
}  // namespace lb
