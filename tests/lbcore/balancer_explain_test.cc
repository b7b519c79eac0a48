// Goal: an explanation says what would happen, in full, and changes nothing.
// Method: each is followed by the request it spoke of, for every strategy there is; and two
// balancers of which only one is asked go the same way.
#include "tests/testing/balancer_fixture.h"
#include "tests/testing/strategy_printer.h"

namespace lb {
namespace {

using namespace testing;

class ExplainTest : public BalancerFixture {
 protected:
  Explanation::Candidate candidate(const std::string& name, const RequestInput& input = {}) {
    for (const auto& each : explain(input).candidates) {
      if (each.backend == id_of(name)) return each;
    }
    ADD_FAILURE() << name;
    return {};
  }
  std::string picked(const Explanation& explanation) {
    return explanation.picked ? who(*explanation.picked) : "nobody";
  }
};

TEST_F(ExplainTest, NamesThePickThatFollows) {
  const Explanation explanation = explain();
  EXPECT_EQ(explanation.kind, Start::Kind::assigned);
  EXPECT_EQ(picked(explanation), "b1");
  EXPECT_EQ(explanation.reason, PickReason::in_turn);
  EXPECT_FALSE(explanation.panicking);
  EXPECT_EQ(explanation.candidates.size(), 3u);
  EXPECT_EQ(explanation.draws, std::vector<std::uint64_t>{});
  EXPECT_EQ(who(request()), "b1");
}

// Loads, full backends, retries, a start and a backup make it as hard as it gets.
class EveryStrategyExplained : public ExplainTest,
                               public ::testing::WithParamInterface<StrategyConfig> {
 protected:
  void set_up() {
    config.strategy = GetParam();
    config.limits.max_in_flight_per_backend = 4;
    config.slow_start = {.duration = 1h};
    config.health_check.emplace();
    have_backends({"b1", "b2", "b3", "b4", "b5"});
    backend("b2").weight = 3;
    backend("b5").priority = 1;
    for (const char* name : {"b1", "b2", "b4", "b5"}) make_healthy(name);
    make_unhealthy("b3");
    make_unhealthy("b4");
    make_healthy("b4");  // It starts slowly.
  }
  // One step of a life of requests; the same for the same chance.
  void step(Prng& chance) {
    advance(Duration{1ms} * chance.below(20));
    if (!running_.empty() && chance.below(2) == 0) {
      const std::size_t n = chance.below(running_.size());
      const Assignment a = running_[n];
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(n));
      send(a);
      answer(a, chance.below(10) == 0 ? 500 : 200);
      finish(a);
    }
    actions();
  }
  std::vector<Assignment> running_;
};

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategyExplained, ::testing::ValuesIn(all_strategies()),
                         [](const auto& strategy) {
                           return std::string{strategy_name(strategy.param)};
                         });

TEST_P(EveryStrategyExplained, NamesThePickThatFollows) {
  set_up();
  Prng chance{4};
  int assigned = 0;
  for (int n = 0; n < 1000; ++n) {
    step(chance);
    const RequestInput input{.key = chance.next()};
    const Explanation explanation = explain(input);
    const Start start = try_request(input);
    ASSERT_EQ(explanation.kind, start.kind);
    ASSERT_EQ(explanation.picked.has_value(), static_cast<bool>(start));
    if (!start) continue;
    ASSERT_EQ(*explanation.picked, start->backend) << n;
    ASSERT_EQ(explanation.reason, start->reason);
    running_.push_back(*start);
    ++assigned;
  }
  EXPECT_GT(assigned, 300);
}

TEST_P(EveryStrategyExplained, LeavesNoTrace) {
  const auto run = [&](bool explained) {
    Names answers;
    Prng chance{4};
    for (int n = 0; n < 400; ++n) {
      step(chance);
      const RequestInput input{.key = chance.next()};
      if (explained) explain({.key = input.key + 1}), explain(input), balancer().backends();
      const Start start = try_request(input);
      answers.push_back(start ? who(*start) : "nobody");
      if (start) running_.push_back(*start);
    }
    for (const Assignment& a : running_) leave(a);
    running_.clear();
    return answers;
  };
  set_up();
  const Names expected = run(false);
  start_again();
  set_up();
  EXPECT_EQ(run(true), expected);
}

// -- Why not

TEST_F(ExplainTest, GivesTheFirstReasonInTheOrderOfPrecedence) {
  have_health_check();
  have_backends({"b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"});
  config.circuit_breaker = {.consecutive_failures = 1, .open_time = 1h};
  config.retries.attempts = 1;
  config.limits.max_in_flight_per_backend = 1;
  for (const BackendConfig& each : config.backends) make_healthy(each.id);
  std::map<std::string, Assignment> held;
  for (int n = 0; n < 8; ++n) {
    const Assignment a = request();
    held[who(a)] = a;
  }
  // b1 is removed and more, b2 disabled and more, …; b8 alone is nothing but full.
  fail(held["b6"], AttemptFailure::reset);
  fail(held["b7"], AttemptFailure::reset);
  report_load(0, {{"b7", 1}});
  for (const char* name : {"b1", "b2", "b3", "b5"}) eject(name);
  for (const char* name : {"b1", "b2", "b3", "b4"}) make_unhealthy(name);
  backend("b1").state = backend("b2").state = AdminState::disabled;
  backend("b3").state = AdminState::draining;
  const BackendId b1 = id_of("b1");
  config.backends.erase(config.backends.begin());
  reload();
  std::map<std::string, Exclusion> reasons;
  for (const auto& each : explain().candidates) reasons[who(each.backend)] = each.exclusion;
  EXPECT_TRUE(known(b1));
  EXPECT_EQ(reasons, (std::map<std::string, Exclusion>{{"b1", Exclusion::removed},
                                                       {"b2", Exclusion::disabled},
                                                       {"b3", Exclusion::draining},
                                                       {"b4", Exclusion::unhealthy},
                                                       {"b5", Exclusion::ejected},
                                                       {"b6", Exclusion::breaker_open},
                                                       {"b7", Exclusion::breaker_open},
                                                       {"b8", Exclusion::at_limit}}));
  for (const BackendStatus& each : balancer().backends()) {
    EXPECT_EQ(each.exclusion, reasons.at(who(each.id))) << "the status says the same";
    EXPECT_FALSE(each.eligible);
  }
  EXPECT_EQ(explain().kind, Start::Kind::refused);
}

TEST_F(ExplainTest, SaysWhoWaitsAsABackupAndWhoWasNeverProbed) {
  have_health_check();
  backend("b2").priority = backend("b3").priority = 1;
  make_healthy("b1");
  make_healthy("b2");
  EXPECT_EQ(candidate("b2").exclusion, Exclusion::lower_priority);
  EXPECT_EQ(candidate("b2").priority, 1u);
  EXPECT_EQ(candidate("b2").effective_weight, 0u);
  EXPECT_EQ(candidate("b3").exclusion, Exclusion::unknown);
  EXPECT_EQ(explain().reason, PickReason::only_one);
}

TEST_F(ExplainTest, SaysThatThereIsAPanic) {
  have_health_check();
  config.panic_threshold = 50;
  for (const char* name : {"b1", "b2", "b3"}) make_unhealthy(name);
  EXPECT_TRUE(explain().panicking);
  EXPECT_EQ(candidate("b1").exclusion, Exclusion::none);
}

// -- The figures behind it

TEST_F(ExplainTest, ShowsWeightsLoadsAndScores) {
  config.strategy = LeastConnectionsConfig{};
  backend("b2").weight = 4;
  balancer();
  report_load(0, {{"b1", 3}, {"b2", 2}});
  EXPECT_EQ(who(request()), "b3");
  EXPECT_EQ(candidate("b1").in_flight, 3u);
  EXPECT_EQ(candidate("b3").in_flight, 1u) << "its own and its siblings'";
  EXPECT_EQ(candidate("b2").weight, 4u);
  EXPECT_EQ(candidate("b2").effective_weight, 4u);
  EXPECT_EQ(candidate("b1").score, 3.0);
  EXPECT_EQ(candidate("b2").score, 0.5);
  EXPECT_EQ(candidate("b3").score, 1.0);
  EXPECT_EQ(picked(explain()), "b2");
  EXPECT_EQ(explain().reason, PickReason::least_loaded);
}

TEST_F(ExplainTest, ShowsTheWeightOfWhoStartsSlowly) {
  config.strategy = WeightedRoundRobinConfig{};
  config.slow_start = {.duration = 20s, .min_percent = 10};
  balancer();
  config.backends.push_back({"b4", "b4:80", 2});
  reload();
  EXPECT_EQ(candidate("b1").effective_weight, 100u);
  EXPECT_EQ(candidate("b4").effective_weight, 20u);
  EXPECT_EQ(candidate("b4").weight, 2u);
}

TEST_F(ExplainTest, AStrategyThatDoesNotCompareHasNoScores) {
  EXPECT_EQ(candidate("b1").score, std::nullopt);
}

// The generator of the fixture starts from 1: what is shown is what it gives, in its order.
TEST_F(ExplainTest, ShowsTheDrawsAsTheyAreDrawn) {
  config.strategy = RandomConfig{};
  Prng same{1};
  for (int n = 0; n < 50; ++n) {
    const Explanation explanation = explain();
    std::vector<std::uint64_t> expected;
    for (std::size_t draw = 0; draw < explanation.draws.size(); ++draw) {
      expected.push_back(same.next());
    }
    EXPECT_EQ(explanation.draws, expected);
    EXPECT_GE(explanation.draws.size(), 1u);
    request();
  }
}

TEST_F(ExplainTest, ShowsTheDrawOfThePriority) {
  have_health_check();
  backend("b3").priority = 1;
  make_healthy("b1");
  make_unhealthy("b2");
  make_healthy("b3");
  Prng same{1};
  EXPECT_EQ(explain().draws, std::vector<std::uint64_t>{same.next()});
}

// -- Sessions and the queue

TEST_F(ExplainTest, FollowsTheSession) {
  config.affinity.emplace();
  const Explanation explanation = explain({.session = id_of("b3")});
  EXPECT_EQ(explanation.kind, Start::Kind::assigned);
  EXPECT_EQ(picked(explanation), "b3");
  EXPECT_EQ(explanation.reason, PickReason::sticky);
  EXPECT_EQ(explanation.draws.size(), 0u);
  EXPECT_EQ(picked(explain({.session = BackendId{99}})), "b1");
  config.affinity.reset();
  reload();
  EXPECT_EQ(picked(explain({.session = id_of("b3")})), "b1");
}

TEST_F(ExplainTest, SaysWhoWouldWaitAndWhoWouldBeRefused) {
  have_backends({"b1"});
  config.limits = {.max_in_flight_per_backend = 1, .queue = 2};
  const Assignment a = request();
  EXPECT_EQ(explain().kind, Start::Kind::queued);
  EXPECT_EQ(explain().picked, std::nullopt);
  const RequestId first = queue();
  EXPECT_EQ(explain().kind, Start::Kind::queued);
  queue();
  EXPECT_EQ(explain().kind, Start::Kind::refused) << "the queue is full";
  EXPECT_EQ(refused(), Outcome::over_limit);
  leave(a);
  EXPECT_EQ(explain().kind, Start::Kind::queued) << "the place is promised to r2";
  leave(start_due(first));
  actions();
  EXPECT_EQ(explain().kind, Start::Kind::queued) << "and now to r3, though nobody else waits";
  queue();
}

}  // namespace
}  // namespace lb
