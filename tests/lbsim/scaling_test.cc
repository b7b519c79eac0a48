// Goal: an autoscaler wants what the rule of Kubernetes says, and its backends come late and leave
// as late as they do there.
// Method: the rule with numbers worked out by hand; loads whose utilisation is known.
#include "lbsim/scaling_rule.h"
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::Report;

struct Interval {
  double utilisation = 0;  // Of each that is ready.
  std::uint32_t ready = 1;
  std::uint32_t current = 1;
};

class ScalingRuleTest : public ::testing::Test {
 protected:
  std::uint32_t decide(const Interval& interval, Duration at = 0s) {
    rule_.look(interval.utilisation * interval.ready, interval.ready);
    return rule_.decide(at, interval.current);
  }

  scenario::Autoscaler config_{
      .cluster = "web", .min = 2, .max = 10, .target_utilisation = 0.5, .stabilisation = 60s};
  ScalingRule rule_{config_};
};

TEST_F(ScalingRuleTest, WantsTheShareOfTheTargetRoundedUp) {
  EXPECT_EQ(decide({.utilisation = 0.6, .ready = 4, .current = 4}), 5u) << "4 x 0.6 / 0.5 = 4.8";
  EXPECT_EQ(decide({.utilisation = 1, .ready = 4, .current = 4}), 8u);
  EXPECT_EQ(decide({.utilisation = 1, .ready = 8, .current = 8}), 10u) << "no more than max";
}

TEST_F(ScalingRuleTest, LeavesATenthAlone) {
  EXPECT_EQ(decide({.utilisation = 0.55, .ready = 4, .current = 4}), 4u);
  EXPECT_EQ(decide({.utilisation = 0.45, .ready = 4, .current = 4}), 4u);
  EXPECT_EQ(decide({.utilisation = 0.551, .ready = 4, .current = 4}), 5u);
}

TEST_F(ScalingRuleTest, TakesTheMeanOfItsLooks) {
  rule_.look(0, 4);
  rule_.look(4, 4);
  EXPECT_EQ(rule_.decide(0s, 4), 4u) << "half of the time all were busy";
  EXPECT_EQ(decide({.utilisation = 1, .ready = 2, .current = 2}), 4u) << "those looks are gone";
}

TEST_F(ScalingRuleTest, DoesNotAnswerABurstTwice) {
  EXPECT_EQ(decide({.utilisation = 1, .ready = 4, .current = 4}), 8u);
  EXPECT_EQ(decide({.utilisation = 1, .ready = 4, .current = 8}), 8u) << "four are starting";
}

TEST_F(ScalingRuleTest, ShrinksToTheMostItWantedOfLate) {
  EXPECT_EQ(decide({.utilisation = 0.4, .ready = 8, .current = 8}, 0s), 7u);
  EXPECT_EQ(decide({.utilisation = 0.1, .ready = 7, .current = 7}, 30s), 7u);
  EXPECT_EQ(decide({.utilisation = 0.1, .ready = 7, .current = 7}, 60s), 7u);
  EXPECT_EQ(decide({.utilisation = 0.1, .ready = 7, .current = 7}, 61s), 2u)
      << "and never below min";
}

TEST_F(ScalingRuleTest, WithoutABackendThatIsUpNothingIsKnown) {
  EXPECT_EQ(decide({.ready = 0, .current = 3}), 3u);
}

// -- In the world

// Requests of 10 ms on backends of one place: a rate of 100 keeps one of them busy. A request takes
// its place for 10 ms of every 10 / rate.
Parts scaled(const std::string& rate) {
  Parts parts;
  parts.strategy = R"("least_request")";
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1, "queue": 1000})";
  parts.arrivals = R"({"constant": {"rate": )" + rate + "}}";
  parts.duration = "20s";
  parts.autoscalers =
      R"([{"cluster": "web", "max": 6, "target_utilisation": 0.5, "interval": "1s",)"
      R"( "start_delay": "2s", "stabilisation": "3s"}])";
  return parts;
}

TEST(Autoscaler, AddsWhatTheLoadNeedsAfterItsDelay) {
  // One backend is busy all the time with 90 requests a second: two are wanted at 1 s and up at 3
  // s.
  Parts parts = scaled("90");
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_EQ(report.backends.at("web-2").count(), 0u);
  // From 3 s on both have their half: 17 seconds of 20.
  EXPECT_NEAR(share(report, "web-1"), 17 / 20.0 / 2, 0.02);
  EXPECT_EQ(report.digest, run(parts).digest);
}

// Two are there from 3 s on: 90 requests of 10 ms a second are 0.9 places of one, and then of two.
TEST(Autoscaler, WhatIsNotThereIsNotIdle) {
  scenario::Scenario scenario = scenario_of(scaled("90"));
  scenario.windows = {{.name = "alone", .from = 1s, .to = 3s}, {.name = "both", .from = 5s}};
  const Report report = simulate(scenario);
  EXPECT_NEAR(report.windows[0].summary.levels->utilisation->value, 0.9, 0.02);
  EXPECT_NEAR(report.windows[1].summary.levels->utilisation->value, 0.45, 0.01);
  EXPECT_NEAR(report.summary.levels->backends.at("web-1").utilisation->value, 0.45, 0.01)
      << "while it is there";
  EXPECT_FALSE(report.summary.levels->backends.at("web-6").utilisation) << "it never was";
  EXPECT_FALSE(report.windows[0].summary.levels->backends.at("web-1").utilisation);
  EXPECT_EQ(report.windows[1].summary.levels->backends.at("web-1").out_mean.value, 0);
  EXPECT_EQ(report.summary.levels->backends.at("web-6").out_mean.value, 1);
}

// It leaves with 90 requests waiting, which take it 10 ms each: busy to the last, on the place it
// needs for them.
TEST(Autoscaler, WhoLeavesIsBusyUntilItHasFinished) {
  Parts parts;
  parts.backends = 2;
  parts.strategy = R"("round_robin")";
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1, "queue": 1000})";
  parts.arrivals = R"({"closed": {"clients": 180, "think_time": {"constant": "1h"}}})";
  parts.duration = "2s";
  parts.events = R"({"at": "500ms", "remove_backend": {"cluster": "web", "id": "b2"}})";
  scenario::Scenario scenario = scenario_of(parts);
  scenario.windows = {{.name = "after", .from = 600ms, .to = 800ms},
                      {.name = "idle", .from = 1s, .to = 2s}};
  const Report report = simulate(scenario);
  EXPECT_DOUBLE_EQ(report.windows[0].summary.levels->backends.at("b2").utilisation->value, 1);
  EXPECT_DOUBLE_EQ(report.windows[0].summary.levels->utilisation->value, 1);
  EXPECT_FALSE(report.windows[1].summary.levels->backends.at("b2").utilisation);
  EXPECT_DOUBLE_EQ(report.windows[1].summary.levels->utilisation->value, 0);
}

TEST(Autoscaler, DecisionsAreMarked) {
  const scenario::Scenario scenario =
      scenario_of(scaled(R"([{"at": "0s", "rate": 90}, {"at": "8s", "rate": 90},)"
                         R"( {"at": "8s", "rate": 10}])"));
  const Report report = simulate(scenario, {.over_time = true});
  const auto& marks = report.series->marks;
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].at, 1s);
  EXPECT_EQ(marks[0].what, "scale web from 1 to 2");
  EXPECT_EQ(marks[1].what, "scale web from 2 to 1");
  EXPECT_EQ(report.digest, simulate(scenario).digest);
}

TEST(Autoscaler, TakesThemAwayAgain) {
  Parts parts = scaled(R"([{"at": "0s", "rate": 90}, {"at": "8s", "rate": 90},)"
                       R"( {"at": "8s", "rate": 10}])");
  scenario::Scenario scenario = scenario_of(parts);
  const auto part = [](Duration from, Duration to) {
    return scenario::Expectation{
        .metric = scenario::Metric::share, .backend = "web-1", .min = 0, .from = from, .to = to};
  };
  scenario.expect = {part(4s, 8s), part(9s, 11s), part(13s, 20s)};
  const Report report = simulate(scenario);
  EXPECT_NEAR(report.expectations[0].value, 0.5, 0.02);
  EXPECT_GT(report.expectations[1].value, 0.2) << "not before it has wanted no more for 3 s";
  EXPECT_EQ(report.expectations[2].value, 0);
  EXPECT_EQ(ok(report), report.total.count()) << "it finishes what it has";
}

// Ordered at 1 s and cancelled at 2 s, when the burst is over: nobody comes, and nobody has to go.
TEST(Autoscaler, CancelsWhatHasNotStarted) {
  Parts parts = scaled(R"([{"at": "0s", "rate": 190}, {"at": "1s", "rate": 190},)"
                       R"( {"at": "1s", "rate": 10}])");
  parts.backends = 2;
  parts.autoscalers = R"([{"cluster": "web", "min": 2, "max": 6, "target_utilisation": 0.5,)"
                      R"( "interval": "1s", "start_delay": "5s", "stabilisation": "0s"}])";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b2"), 0.5, 0.1);
  EXPECT_EQ(report.backends.at("web-1").count(), 0u);
}

TEST(Autoscaler, StartsThemCold) {
  Parts parts = scaled("90");
  parts.behaviour = R"({"service_time": {"constant": "5ms"}, "concurrency": 1, "queue": 1000,)"
                    R"( "cold_start": {"factor": 10, "decay": "500ms"}})";
  parts.autoscalers = R"([{"cluster": "web", "min": 2, "interval": "5s", "start_delay": "5s"}])";
  const Report report = run(parts);
  // 5 ms ten times as long, just after it was up at 10 s.
  EXPECT_GT(report.backends.at("web-1").latency.max(), 45ms);
}

}  // namespace
}  // namespace lb::sim
