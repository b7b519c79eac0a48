// Goal: laws that hold for every strategy and every mix of features, whatever happens in whatever
// order.
// Method: generated sequences of commands against a Balancer beside a naive model (see
// balancer_world.h). A failure names the law, prints the smallest case, and leaves its journal
// (see failed_case.h).
#include <rapidcheck.h>

#include "tests/properties/balancer_world.h"
#include "tests/properties/failed_case.h"
#include "tests/testing/property.h"
#include "tests/testing/strategy_printer.h"

namespace lb::testing {
namespace {

// Requests are frequent, what changes the cluster is rare: with all equally likely hardly any
// request would live to its end.
rc::Gen<Command> any_command() {
  using Kind = Command::Kind;
  const auto kind = rc::gen::weightedElement<Kind>(
      {{20, Kind::request}, {8, Kind::serve},   {12, Kind::connected}, {2, Kind::progress},
       {12, Kind::sent},    {12, Kind::answer}, {8, Kind::fail},       {10, Kind::finish},
       {3, Kind::leave},    {4, Kind::act},     {1, Kind::closes},     {2, Kind::spare},
       {2, Kind::report},   {3, Kind::health},  {2, Kind::eject},      {3, Kind::sibling},
       {1, Kind::tallies},  {2, Kind::join},    {1, Kind::remove},     {2, Kind::order},
       {1, Kind::weigh},    {1, Kind::promote}, {3, Kind::turn},       {8, Kind::wait},
       {2, Kind::slip}});
  return rc::gen::build<Command>(rc::gen::set(&Command::kind, kind),
                                 rc::gen::set(&Command::which, rc::gen::inRange(0U, 24U)),
                                 rc::gen::set(&Command::how, rc::gen::inRange(0U, 256U)));
}

// About a third of the features at a time: with all of them on, the strictest hides the others.
rc::Gen<std::vector<unsigned>> any_knobs() {
  const auto value = rc::gen::oneOf(rc::gen::just(0U), rc::gen::inRange(0U, kKnobValues));
  return rc::gen::container<std::vector<unsigned>>(kKnobCount, value);
}

rc::Gen<Setup> any_setup(const StrategyConfig& strategy) {
  return rc::gen::build<Setup>(
      rc::gen::set(&Setup::strategy, rc::gen::just(strategy)),
      rc::gen::set(&Setup::backends,
                   rc::gen::resize(6, rc::gen::container<std::vector<std::uint8_t>>(
                                          rc::gen::weightedOneOf<std::uint8_t>(
                                              {{3, rc::gen::inRange<std::uint8_t>(0, 6)},
                                               {1, rc::gen::inRange<std::uint8_t>(0, 18)}})))),
      rc::gen::set(&Setup::knobs, any_knobs()), rc::gen::set(&Setup::slow_world));
}

class EveryStrategy : public ::testing::TestWithParam<StrategyConfig> {};

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategy, ::testing::ValuesIn(all_strategies()),
                         [](const auto& strategy) {
                           return std::string{strategy_name(strategy.param)};
                         });

TEST_P(EveryStrategy, KeepsTheLawsInAnySequence) {
  expect_laws(
      [&] {
        const auto setup = *any_setup(GetParam());
        const auto commands =
            *rc::gen::scale(2, rc::gen::container<std::vector<Command>>(any_command()));
        run_recorded([&](std::string& journal) {
          BalancerWorld world{setup, journal};
          for (const Command& command : commands) world.apply(command);
          world.settle();
        });
      },
      1000);
}

}  // namespace
}  // namespace lb::testing
