// Goal: laws that hold for every strategy, whatever happens in whatever order; and for each
// strategy the fairness its header promises.
// Method: generated sequences of commands against a Balancer beside a naive model (see
// balancer_world.h). A failure prints the smallest sequence, to be read aloud.
#include <rapidcheck.h>

#include <numeric>

#include "tests/properties/balancer_world.h"
#include "tests/testing/property.h"

namespace lb::testing {
namespace {

// Requests are frequent, what changes the cluster is rare: with all equally likely hardly any
// request would live to its end.
rc::Gen<Command> any_command() {
  using Kind = Command::Kind;
  const auto kind = rc::gen::weightedElement<Kind>({{12, Kind::request},
                                                    {10, Kind::connected},
                                                    {2, Kind::progress},
                                                    {10, Kind::sent},
                                                    {10, Kind::answer},
                                                    {5, Kind::fail},
                                                    {8, Kind::finish},
                                                    {2, Kind::leave},
                                                    {1, Kind::backend_closes},
                                                    {3, Kind::health},
                                                    {3, Kind::sibling},
                                                    {2, Kind::join},
                                                    {2, Kind::remove},
                                                    {2, Kind::order},
                                                    {1, Kind::set_weight},
                                                    {1, Kind::set_max_idle},
                                                    {6, Kind::wait}});
  return rc::gen::build<Command>(rc::gen::set(&Command::kind, kind),
                                 rc::gen::set(&Command::which, rc::gen::inRange(0U, 16U)),
                                 rc::gen::set(&Command::how, rc::gen::inRange(0U, 256U)));
}

rc::Gen<Setup> any_setup(const StrategyConfig& strategy) {
  return rc::gen::build<Setup>(
      rc::gen::set(&Setup::strategy, rc::gen::just(strategy)),
      rc::gen::set(&Setup::weights,
                   rc::gen::resize(6, rc::gen::container<std::vector<std::uint32_t>>(
                                          rc::gen::inRange(1U, 6U)))),
      rc::gen::set(&Setup::health_check), rc::gen::set(&Setup::attempts, rc::gen::inRange(1U, 5U)),
      rc::gen::set(&Setup::max_idle, rc::gen::inRange(0U, 4U)));
}

class EveryStrategy : public ::testing::TestWithParam<StrategyConfig> {};

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategy, ::testing::ValuesIn(all_strategies()),
                         [](const auto& strategy) {
                           return std::string{strategy_name(strategy.param)};
                         });

TEST_P(EveryStrategy, KeepsTheLawsInAnySequence) {
  expect_property([&] {
    const auto setup = *any_setup(GetParam());
    const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
    BalancerWorld world{setup};
    for (const Command& command : commands) world.apply(command);
    world.settle();
  });
}

TEST_P(EveryStrategy, GivesTheSameAnswersTwice) {
  expect_property([&] {
    const auto setup = *any_setup(GetParam());
    const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
    const auto run = [&] {
      BalancerWorld world{setup};
      for (const Command& command : commands) world.apply(command);
      world.settle();
      return world.answers();
    };
    RC_ASSERT(run() == run());
  });
}

// -- Fairness

ClusterPlan plan_of(const StrategyConfig& strategy, const std::vector<std::uint32_t>& weights) {
  ClusterPlan plan;
  plan.config.strategy = strategy;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    plan.config.backends.push_back({std::to_string(i), "127.0.0.1:80", weights[i]});
    plan.backend_ids.push_back(BackendId{i});
    plan.health.push_back(HealthState::unknown);
  }
  return plan;
}

rc::Gen<std::vector<std::uint32_t>> some_weights() {
  return rc::gen::suchThat(rc::gen::resize(10, rc::gen::container<std::vector<std::uint32_t>>(
                                                   rc::gen::inRange(1U, 21U))),
                           [](const auto& weights) { return weights.size() >= 2; });
}

// How often each is picked of `count` requests that come one after the other.
std::vector<std::uint32_t> counts_of(Balancer& balancer, std::size_t backends,
                                     std::uint64_t count) {
  std::vector<std::uint32_t> counts(backends);
  for (std::uint64_t n = 0; n < count; ++n) {
    const Start start = balancer.handle_request(Instant{}, {.key = mix(n)});
    RC_ASSERT(start.has_value());
    ++counts[start->backend.value];
    balancer.handle_finished(Instant{}, start->request, Outcome::client_gone, false);
  }
  return counts;
}

TEST(Fairness, WeightedRoundRobinGivesExactlyTheWeightInEveryCycle) {
  expect_property([] {
    const auto weights = *some_weights();
    const std::uint64_t cycle = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    Balancer balancer{Instant{}, plan_of(WeightedRoundRobinConfig{}, weights), 1};
    for (int n = 0; n < 3; ++n) RC_ASSERT(counts_of(balancer, weights.size(), cycle) == weights);
  });
}

TEST(Fairness, RoundRobinDiffersByAtMostOne) {
  expect_property([] {
    const auto weights = *some_weights();
    const auto count = *rc::gen::inRange<std::uint64_t>(0, 200);
    Balancer balancer{Instant{}, plan_of(RoundRobinConfig{}, weights), 1};
    const auto counts = counts_of(balancer, weights.size(), count);
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    RC_ASSERT(*most - *least <= 1U);
  });
}

// Requests that all stay: the load per unit of weight is level to one request.
TEST(Fairness, LeastConnectionsIsLevelToOneRequest) {
  expect_property([] {
    const auto weights = *some_weights();
    const auto count = *rc::gen::inRange<std::uint64_t>(1, 300);
    Balancer balancer{Instant{}, plan_of(LeastConnectionsConfig{}, weights), 1};
    std::vector<std::uint64_t> in_flight(weights.size());
    for (std::uint64_t n = 0; n < count; ++n) {
      const Start start = balancer.handle_request(Instant{}, {});
      RC_ASSERT(start.has_value());
      const std::size_t picked = start->backend.value;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        RC_ASSERT(in_flight[picked] * weights[i] <= in_flight[i] * weights[picked]);
      }
      ++in_flight[picked];
    }
  });
}

TEST(Fairness, IpHashKeepsEveryClientWhereItIs) {
  expect_property([] {
    const auto weights = *some_weights();
    const auto keys = *rc::gen::container<std::vector<HashKey>>(rc::gen::arbitrary<HashKey>());
    Balancer balancer{Instant{}, plan_of(IpHashConfig{}, weights), 1};
    std::map<HashKey, BackendId> places;
    for (int round = 0; round < 2; ++round) {
      for (const HashKey key : keys) {
        const Start start = balancer.handle_request(Instant{}, {.key = key});
        RC_ASSERT(start.has_value());
        RC_ASSERT(places.try_emplace(key, start->backend).first->second == start->backend);
      }
    }
  });
}

}  // namespace
}  // namespace lb::testing
