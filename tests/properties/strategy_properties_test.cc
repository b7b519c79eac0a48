// Goal: what the header of a strategy promises, for any backends, weights and keys.
// Method: the strategy alone, or in a Balancer where levels and ramps matter, next to a count, a
// brute force or a second run with one backend more or less.
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "lbcore/balancer.h"
#include "lbcore/slow_start.h"
#include "tests/testing/backends.h"
#include "tests/testing/property.h"
#include "tests/testing/strategy_printer.h"

namespace lb::testing {
namespace {

using namespace std::chrono_literals;
using Weights = std::vector<std::uint32_t>;

std::vector<BackendView> views_of(const Weights& weights) {
  std::vector<BackendView> views;
  for (std::uint32_t i = 0; i < weights.size(); ++i) views.push_back({BackendId{i}, weights[i], 0});
  return views;
}

rc::Gen<Weights> some_weights(std::size_t count_min = 2) {
  return rc::gen::suchThat(
      rc::gen::resize(10, rc::gen::container<Weights>(rc::gen::inRange(1U, 21U))),
      [=](const Weights& weights) { return weights.size() >= count_min; });
}

rc::Gen<std::vector<HashKey>> some_keys() {
  return rc::gen::container<std::vector<HashKey>>(rc::gen::arbitrary<HashKey>());
}

BackendId pick_id(StrategyAtWork& strategy, HashKey key = 0) {
  return strategy.eligible()[strategy.pick(key).index].id;
}

// -- Rotation

Weights counts_of(StrategyAtWork& strategy, std::uint64_t picks) {
  Weights counts(strategy.eligible().size());
  for (std::uint64_t n = 0; n < picks; ++n) ++counts[strategy.pick().index];
  return counts;
}

TEST(Rotation, WeightedRoundRobinGivesExactlyTheWeightInEveryCycle) {
  expect_property([] {
    const Weights weights = *some_weights();
    StrategyAtWork strategy(WeightedRoundRobinConfig{}, views_of(weights));
    const std::uint64_t cycle = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    for (int n = 0; n < 3; ++n) RC_ASSERT(counts_of(strategy, cycle) == weights);
  });
}

// How far an order of picks strays from even shares: after t picks a backend should have had
// t * weight / total of them. In units of 1 / total: the worst distance, and the sum of squares.
struct Unevenness {
  std::uint64_t worst = 0;
  std::uint64_t squares = 0;
};

// Takes in what the next pick adds.
Unevenness after(Unevenness so_far, const Weights& weights, const Weights& taken) {
  const auto sum = [](const Weights& w) {
    return std::accumulate(w.begin(), w.end(), std::int64_t{0});
  };
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::int64_t distance =
        std::int64_t{taken[i]} * sum(weights) - sum(taken) * std::int64_t{weights[i]};
    so_far.worst = std::max(so_far.worst, static_cast<std::uint64_t>(std::abs(distance)));
    so_far.squares += static_cast<std::uint64_t>(distance * distance);
  }
  return so_far;
}

// The least of each that any order of the same picks has.
void try_all_orders(const Weights& weights, Weights& taken, const Unevenness& so_far,
                    Unevenness& least) {
  if (taken == weights) {
    least.worst = std::min(least.worst, so_far.worst);
    least.squares = std::min(least.squares, so_far.squares);
    return;
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (taken[i] == weights[i]) continue;
    ++taken[i];
    try_all_orders(weights, taken, after(so_far, weights, taken), least);
    --taken[i];
  }
}

// Smoothest: of all orders of a cycle, none keeps the backends nearer to their shares, neither at
// the worst moment nor over all of them. By brute force, of every small case there is with the
// heaviest first; ties go to the earlier, and a heavy one that has to wait for a light one is a
// little less even.
TEST(Rotation, SmoothMeansThatNoOtherOrderIsMoreEven) {
  StrategyAtWork known(WeightedRoundRobinConfig{}, views_of({5, 1, 1}));
  EXPECT_EQ(known.picks(7), "AABACAA");
  int cases = 0;
  const auto check = [&](const Weights& weights) {
    ++cases;
    Weights taken(weights.size());
    Unevenness least{~0ULL, ~0ULL};
    try_all_orders(weights, taken, {}, least);
    StrategyAtWork strategy(WeightedRoundRobinConfig{}, views_of(weights));
    Unevenness found;
    for (auto n = std::accumulate(weights.begin(), weights.end(), 0U); n > 0; --n) {
      ++taken[strategy.pick().index];
      found = after(found, weights, taken);
    }
    EXPECT_EQ(found.worst, least.worst) << ::testing::PrintToString(weights);
    EXPECT_EQ(found.squares, least.squares) << ::testing::PrintToString(weights);
  };
  for (std::uint32_t a = 1; a <= 7; ++a) {
    for (std::uint32_t b = 1; b <= a; ++b) {
      check({a, b});
      for (std::uint32_t c = 1; c <= b && a + b + c <= 9; ++c) {
        check({a, b, c});
        for (std::uint32_t d = 1; d <= c && a + b + c + d <= 8; ++d) check({a, b, c, d});
      }
    }
  }
  EXPECT_GT(cases, 50);
}

TEST(Rotation, RoundRobinDiffersByAtMostOne) {
  expect_property([] {
    const Weights weights = *some_weights();
    const auto picks = *rc::gen::inRange<std::uint64_t>(0, 200);
    StrategyAtWork strategy(RoundRobinConfig{}, views_of(weights));
    const Weights counts = counts_of(strategy, picks);
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    RC_ASSERT(*most - *least <= 1U);
  });
}

// -- Load

// Requests that all stay: the load per unit of weight is level to one request.
TEST(Load, LeastConnectionsIsLevelToOneRequest) {
  expect_property([] {
    const Weights weights = *some_weights();
    const auto count = *rc::gen::inRange<std::uint64_t>(1, 300);
    StrategyAtWork strategy(LeastConnectionsConfig{}, views_of(weights));
    for (std::uint64_t n = 0; n < count; ++n) {
      const std::size_t picked = strategy.start();
      const std::vector<BackendView>& views = strategy.eligible();
      for (const BackendView& view : views) {
        RC_ASSERT((views[picked].in_flight - 1) * view.weight <=
                  view.in_flight * views[picked].weight);
      }
    }
  });
}

TEST(Load, FirstFillsTheFirstThatIsOpen) {
  expect_property([] {
    StrategyAtWork strategy(FirstConfig{}, views_of(*some_weights()));
    const std::size_t count = strategy.eligible().size();
    const auto closed =
        *rc::gen::container<std::set<std::size_t>>(rc::gen::inRange<std::size_t>(0, count - 1));
    for (const std::size_t index : closed) strategy.close(index);
    std::size_t expected = 0;
    while (closed.contains(expected)) ++expected;
    RC_ASSERT(strategy.pick().index == expected);
  });
}

// -- Keys

std::vector<StrategyConfig> hashing_strategies() {
  std::vector<StrategyConfig> hashing = all_strategies();
  std::erase_if(hashing,
                [](const StrategyConfig& config) { return !make_strategy(config)->uses_key(); });
  for (StrategyConfig& config : hashing) {
    if (auto* maglev = std::get_if<MaglevConfig>(&config)) maglev->table_size = 1021;
  }
  return hashing;
}

class EveryHash : public ::testing::TestWithParam<StrategyConfig> {};

INSTANTIATE_TEST_SUITE_P(Registry, EveryHash, ::testing::ValuesIn(hashing_strategies()),
                         [](const auto& strategy) {
                           return std::string{strategy_name(strategy.param)};
                         });

TEST(EveryHashIsKnown, AndTheseAreThey) {
  std::set<std::string> names;
  for (const StrategyConfig& config : hashing_strategies()) {
    names.insert(std::string{strategy_name(config)});
  }
  EXPECT_EQ(names, (std::set<std::string>{"ip_hash", "maglev", "rendezvous", "ring_hash"}));
}

// Over two levels that share the requests as well, and whatever came before.
TEST_P(EveryHash, SendsTheSameKeyOfTheSameSetToTheSameBackend) {
  expect_property(
      [&] {
        const Weights weights = *some_weights();
        const auto keys = *some_keys();
        ClusterPlan plan;
        plan.config.strategy = GetParam();
        plan.config.health_check.emplace();
        for (std::uint32_t i = 0; i < weights.size(); ++i) {
          plan.config.backends.push_back({.id = std::to_string(i),
                                          .address = "127.0.0.1:80",
                                          .weight = weights[i],
                                          .priority = i % 2});
          plan.backend_ids.push_back(BackendId{i});
          plan.health.push_back(i % 3 == 0 ? HealthState::unhealthy : HealthState::healthy);
        }
        Balancer balancer{Instant{}, plan, 1};
        std::map<HashKey, BackendId> places;
        for (int round = 0; round < 2; ++round) {
          for (const HashKey key : keys) {
            const Start start = balancer.handle_request(Instant{}, {.key = key});
            if (!start) continue;
            RC_ASSERT(places.try_emplace(key, start->backend).first->second == start->backend);
          }
        }
      },
      200);
}

// Another one when some are closed, and still the same for the same key.
TEST_P(EveryHash, WalksOnInTheSameWay) {
  expect_property(
      [&] {
        StrategyAtWork strategy(GetParam(), views_of(*some_weights(3)));
        const std::size_t count = strategy.eligible().size();
        const auto key = *rc::gen::arbitrary<HashKey>();
        const std::size_t owner = strategy.pick(key).index;
        const std::size_t closed = *rc::gen::inRange<std::size_t>(0, count);
        strategy.close(closed);
        const Pick second = strategy.pick(key);
        RC_ASSERT(second.index != closed);
        RC_ASSERT(closed == owner || second.index == owner);
        RC_ASSERT(strategy.pick(key).index == second.index);
        strategy.open(closed);
        RC_ASSERT(strategy.pick(key).index == owner);
      },
      200);
}

StrategyConfig with_factor(StrategyConfig config, double factor) {
  std::visit(
      [&](auto& c) {
        if constexpr (requires { c.balance_factor; }) c.balance_factor = factor;
      },
      config);
  return config;
}

// Requests of few keys, which stay or end: nobody is ever above ceil(factor * its share of what is
// in flight, the new one included).
TEST_P(EveryHash, NeverExceedsItsBound) {
  expect_property(
      [&] {
        const Weights weights = *some_weights();
        const auto hundredths = *rc::gen::inRange<std::uint64_t>(100, 200);
        const auto steps = *rc::gen::container<std::vector<std::pair<HashKey, bool>>>(
            rc::gen::pair(rc::gen::inRange<HashKey>(0, 3), rc::gen::arbitrary<bool>()));
        StrategyAtWork strategy(with_factor(GetParam(), static_cast<double>(hundredths) / 100),
                                views_of(weights));
        const std::uint64_t all = std::accumulate(weights.begin(), weights.end(), 0ULL);
        std::vector<std::size_t> under_way;
        for (const auto& [key, ends] : steps) {
          if (ends && !under_way.empty()) {
            strategy.finish(under_way.front(), 1ms);
            under_way.erase(under_way.begin());
          }
          const std::size_t picked = strategy.start(mix(key));
          under_way.push_back(picked);
          const std::uint64_t share = hundredths * under_way.size() * weights[picked];
          const std::uint64_t bound = (share + 100 * all - 1) / (100 * all);
          RC_ASSERT(strategy.eligible()[picked].in_flight <= bound);
        }
      },
      200);
}

// Of `keys`, those that belong to somebody else than before, though their backend is still there.
std::size_t moved(StrategyAtWork& before, StrategyAtWork& after, BackendId gone,
                  const std::vector<HashKey>& keys) {
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [&](HashKey key) {
    const BackendId owner = pick_id(before, key);
    return owner != gone && pick_id(after, key) != owner;
  }));
}

void expect_only_its_keys_move(const StrategyConfig& config, const Weights& weights) {
  std::vector<BackendView> views = views_of(weights);
  const auto gone = *rc::gen::inRange<std::size_t>(0, views.size());
  const BackendId id = views[gone].id;
  StrategyAtWork with(config, views);
  views.erase(views.begin() + static_cast<std::ptrdiff_t>(gone));
  StrategyAtWork without(config, views);
  RC_ASSERT(moved(with, without, id, *some_keys()) == 0U);
}

TEST(Keys, RendezvousMovesOnlyThoseOfTheBackendThatLeaves) {
  expect_property([] { expect_only_its_keys_move(RendezvousConfig{}, *some_weights()); });
}

TEST(Keys, RingHashMovesOnlyThoseOfTheBackendThatLeaves) {
  expect_property([] { expect_only_its_keys_move(RingHashConfig{}, *some_weights()); });
  expect_property([] {  // Few nodes: long arcs, and owners that are far away.
    expect_only_its_keys_move(RingHashConfig{.virtual_nodes = 2}, *some_weights());
  });
}

// "About as many again": of all keys, its own share and at most as much of the others'.
TEST(Keys, MaglevMovesFewBesidesThoseOfTheBackendThatLeaves) {
  std::vector<HashKey> keys;
  for (HashKey n = 0; n < 5000; ++n) keys.push_back(mix(n + 1));
  expect_property(
      [&] {
        const auto count = *rc::gen::inRange<std::uint32_t>(2, 20);
        const auto first = *rc::gen::inRange<std::uint32_t>(0, 1000);
        std::vector<BackendView> views;
        for (std::uint32_t i = 0; i < count; ++i) views.push_back({BackendId{first + i}, 1, 0});
        const auto gone = *rc::gen::inRange<std::size_t>(0, views.size());
        const BackendId id = views[gone].id;
        StrategyAtWork with(MaglevConfig{}, views);
        views.erase(views.begin() + static_cast<std::ptrdiff_t>(gone));
        StrategyAtWork without(MaglevConfig{}, views);
        RC_ASSERT(moved(with, without, id, keys) <= keys.size() / count);
      },
      30);
}

// -- Shares that a Balancer makes of them

// Of two levels of four backends each, the first with this many that are well.
std::uint32_t share_of_first_level(const StrategyConfig& strategy, std::uint32_t well) {
  ClusterPlan plan;
  plan.config.strategy = strategy;
  plan.config.health_check.emplace();
  for (std::uint32_t i = 0; i < 8; ++i) {
    plan.config.backends.push_back(
        {.id = std::to_string(i), .address = "127.0.0.1:80", .priority = i / 4});
    plan.backend_ids.push_back(BackendId{i});
    plan.health.push_back(i < well || i >= 4 ? HealthState::healthy : HealthState::unhealthy);
  }
  Balancer balancer{Instant{}, plan, 1};
  std::uint32_t first = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    const Start start = balancer.handle_request(Instant{}, {.key = mix(n)});
    if (start->backend.value < 4) ++first;
    balancer.handle_finished(Instant{}, start->request, Outcome::client_gone, false);
  }
  return first;
}

// min(100, 140 * well / 4) percent: 0, 35, 70, 100, 100.
TEST(Shares, ALevelGetsWhatItsHealthAllows) {
  for (const StrategyConfig& config : {StrategyConfig{RandomConfig{}}, {RendezvousConfig{}}}) {
    EXPECT_EQ(share_of_first_level(config, 0), 0U);
    EXPECT_NEAR(share_of_first_level(config, 1), 3500, 150);
    EXPECT_NEAR(share_of_first_level(config, 2), 7000, 150);
    EXPECT_EQ(share_of_first_level(config, 3), 10'000U);
    EXPECT_EQ(share_of_first_level(config, 4), 10'000U);
  }
}

// Of four backends, one that has just joined with a tenth of its weight: next to three times 100
// it gets 10 of 310; where weights mean nothing, a tenth of its turns.
TEST(Shares, AStartingBackendGetsItsPartOfWhatItWillGet) {
  for (const StrategyConfig& config : all_strategies()) {
    if (std::holds_alternative<FirstConfig>(config)) continue;
    ClusterPlan plan;
    plan.config.strategy = config;
    plan.config.slow_start = SlowStartConfig{.duration = 100s, .min_percent = 10};
    const auto add = [&](std::uint32_t id) {
      plan.config.backends.push_back({.id = std::to_string(id), .address = "127.0.0.1:80"});
      plan.backend_ids.push_back(BackendId{id});
      plan.health.push_back(HealthState::healthy);
    };
    for (std::uint32_t id = 0; id < 3; ++id) add(id);
    Balancer balancer{Instant{}, plan, 1};
    add(3);
    balancer.handle_config(Instant{}, plan);
    std::uint32_t started = 0;
    std::vector<RequestId> under_way;
    for (std::uint64_t n = 0; n < 6'000; ++n) {
      const Start start = balancer.handle_request(Instant{}, {.key = mix(n)});
      if (start->backend == BackendId{3}) ++started;
      under_way.push_back(start->request);
      if (n % 60 != 59) continue;  // So that load means something, and not all.
      for (const RequestId id : under_way) {
        balancer.handle_finished(Instant{}, id, Outcome::client_gone, false);
      }
      under_way.clear();
    }
    EXPECT_LT(started, 600U) << strategy_name(config);
    EXPECT_GT(started, 10U) << strategy_name(config);
  }
}

TEST(Shares, TheRampNeverFallsAndEndsAtAHundred) {
  expect_property([] {
    const SlowStartConfig config{
        .duration = Duration{*rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000)},
        .aggression = *rc::gen::inRange(10, 100) / 10.0,
        .min_percent = *rc::gen::inRange(1U, 101U)};
    const auto any_time = rc::gen::inRange<std::int64_t>(0, config.duration.count() + 1);
    const auto one = *any_time;
    const auto other = *any_time;
    const std::uint32_t early = ramp_percent(config, Duration{std::min(one, other)});
    const std::uint32_t late = ramp_percent(config, Duration{std::max(one, other)});
    RC_ASSERT(config.min_percent <= early);
    RC_ASSERT(early <= late);
    RC_ASSERT(late <= 100U);
    RC_ASSERT(ramp_percent(config, Duration{}) == config.min_percent);
    RC_ASSERT(ramp_percent(config, config.duration) == 100U);
    RC_ASSERT(ramp_percent(config, config.duration - Duration{1}) <= 100U);
    const double part =
        std::pow(static_cast<double>(one) / static_cast<double>(config.duration.count()),
                 1 / config.aggression);
    const double exact = config.min_percent + (100 - config.min_percent) * part;
    RC_ASSERT(std::abs(ramp_percent(config, Duration{one}) - exact) <= 1.001);
  });
}

}  // namespace
}  // namespace lb::testing
