// Goal: what a report says of the inside of a run is what happened there, to the nanosecond where
// it can be worked out and within what theory allows where it cannot. Method: round numbers on the
// wire; then M/M/1 with several seeds, and every fault there is.
#include <cmath>

#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::Expectation;
using scenario::Metric;
using scenario::Report;

// The value of an expectation without limits that could fail.
double value(scenario::Scenario scenario, Expectation expectation) {
  scenario.expect = {std::move(expectation)};
  const Report report = simulate(scenario);
  EXPECT_TRUE(report.expectations[0].passed) << report.expectations[0].remark;
  return report.expectations[0].value;
}

// Four clients send at once, and the backend may have one request at a time. The first comes to lbd
// at 1 ms and its answer at 15 ms (2 ms to connect, 1 ms each way, 10 ms of service), the others
// 12 ms after each other over the open connection: at 27, 39 and 51 ms. So 3 wait for 14 ms, 2 and
// then 1 for 12 ms: 78 ms in all.
TEST(SimulationMeasures, LevelsAreExact) {
  Parts parts;
  parts.arrivals = R"({"closed": {"clients": 4, "think_time": {"constant": "1h"}}})";
  parts.cluster = R"(, "limits": {"max_in_flight_per_backend": 1, "queue": 10})";
  parts.duration = "1s";
  scenario::Scenario scenario = scenario_of(parts);
  scenario.windows = {{.name = "late", .from = 20ms, .to = 30ms}};
  const Report report = simulate(scenario);
  ASSERT_TRUE(report.summary.levels);
  const scenario::Levels& levels = *report.summary.levels;
  EXPECT_DOUBLE_EQ(levels.queue.mean.value, 0.078);
  EXPECT_EQ(levels.queue.max, 3u);
  EXPECT_DOUBLE_EQ(levels.in_flight_mean.value, 0.050);
  EXPECT_EQ(levels.backends.at("b1").in_flight_max, 1u);
  EXPECT_DOUBLE_EQ(levels.utilisation->value, 0.040) << "four times 10 ms of one place";
  EXPECT_EQ(levels.backends.at("b1").queue.max, 0u);
  EXPECT_DOUBLE_EQ(report.summary.in_system_mean.value, 0.016 + 0.028 + 0.040 + 0.052);
  const scenario::Levels& late = *report.windows[0].summary.levels;
  EXPECT_DOUBLE_EQ(late.queue.mean.value, 1.7) << "2 until 27 ms, then 1";
  EXPECT_EQ(late.queue.max, 2u);
  EXPECT_DOUBLE_EQ(late.utilisation->value, 0.8) << "idle for the 2 ms on the wire";
}

// The same without a limit: they wait at the backend, from 4 ms on.
TEST(SimulationMeasures, ABackendHasAQueueOfItsOwn) {
  Parts parts;
  parts.arrivals = R"({"closed": {"clients": 4, "think_time": {"constant": "1h"}}})";
  parts.duration = "1s";
  const Report report = run(parts);
  const scenario::Levels& levels = *report.summary.levels;
  EXPECT_EQ(levels.queue.max, 0u);
  EXPECT_DOUBLE_EQ(levels.backends.at("b1").queue.mean.value, 0.030 + 0.020 + 0.010);
  EXPECT_EQ(levels.backends.at("b1").queue.max, 3u);
  EXPECT_EQ(levels.backends.at("b1").in_flight_max, 4u);
}

// M/M/1 at rho 0.5: one request in the system on average. The variance of its average over n
// services is 2 rho (1 + rho) / (1 - rho)^4 / n (Whitt, Management Science 35, 1989), here 24 / n;
// of the busy share it is at most 2 rho / n, as of the work that comes. n is 100,000: deviations of
// 0.0155 and 0.0032, four of which are allowed each of eight runs, and of their mean.
TEST(SimulationMeasures, AnMM1QueueHasOneInFlightAndIsHalfBusy) {
  Parts parts;
  parts.behaviour =
      R"({"service_time": {"exponential": {"mean": "10ms"}}, "concurrency": 1, "queue": 1000000})";
  parts.arrivals = R"({"poisson": {"rate": 50}})";
  parts.duration = "1000s";
  double in_flight = 0;
  double busy = 0;
  constexpr int kRuns = 8;
  for (parts.seed = 1; parts.seed <= kRuns; ++parts.seed) {
    scenario::Scenario scenario = scenario_of(parts);
    scenario.network = {.connect = 0ms, .one_way = 0ms};
    const Report report = simulate(scenario);
    const scenario::Levels& levels = *report.summary.levels;
    EXPECT_NEAR(levels.in_flight_mean.value, 1, 4 * 0.0155) << parts.seed;
    EXPECT_NEAR(levels.utilisation->value, 0.5, 4 * 0.0032) << parts.seed;
    EXPECT_NEAR(report.summary.in_system_mean.value, levels.in_flight_mean.value, 1e-9)
        << "without a wire, whoever waits is in flight";
    const auto& mean = report.summary.clients.mean_latency;
    if (mean.confidence == scenario::Confidence::told) {
      EXPECT_LT(mean.half_width, 0.002) << "of 20 ms";
    }
    in_flight += levels.in_flight_mean.value / kRuns;
    busy += levels.utilisation->value / kRuns;
  }
  EXPECT_NEAR(in_flight, 1, 4 * 0.0155 / std::sqrt(kRuns));
  EXPECT_NEAR(busy, 0.5, 4 * 0.0032 / std::sqrt(kRuns));
}

// How often intervals of 95 % cover the truth.
struct Cover {
  double truth = 0;
  int told = 0;
  int covered = 0;

  void see(const scenario::Estimate& estimate) {
    if (estimate.interval.confidence != scenario::Confidence::told) return;
    ++told;
    if (std::abs(estimate.value - truth) <= estimate.interval.half_width) ++covered;
  }
};

// Two M/M/1 queues at rho 0.5 behind a random choice: each is busy half of the time, has one
// request on average, gives half of all answers, and answers in 20 ms, exponentially. Of `kRuns`
// intervals of 95 %, so many cover it: 0.95 less 0.02 for what batches remember (some 500 services
// each, and the queue forgets in 12), less three deviations of a binomial. One run in twenty looks
// correlated by chance.
TEST(SimulationMeasures, IntervalsCoverTheTruthAsOftenAsTheySay) {
  constexpr int kRuns = 150;
  constexpr double kLog2 = 0.693147180559945;
  std::map<std::string, Cover> covers{{"utilisation", {0.5}},
                                      {"in flight", {1}},
                                      {"share", {0.5}},
                                      {"mean", {0.020}},
                                      {"p50", {0.020 * kLog2}},
                                      {"all busy", {0.5}},
                                      {"all in flight", {2}},
                                      {"in system", {2}},
                                      {"throughput", {100}},
                                      {"all p50", {0.020 * kLog2}},
                                      {"window busy", {0.5}},
                                      {"window share", {0.5}},
                                      {"window p90", {0.020 * 2.302585092994046}}};
  Parts parts;
  parts.backends = 2;
  parts.strategy = R"("random")";
  parts.behaviour =
      R"({"service_time": {"exponential": {"mean": "10ms"}}, "concurrency": 1, "queue": 1000000})";
  parts.arrivals = R"({"poisson": {"rate": 100}})";
  parts.duration = "610s";
  for (parts.seed = 1; parts.seed <= kRuns; ++parts.seed) {
    scenario::Scenario scenario = scenario_of(parts);
    scenario.warmup = 10s;
    scenario.network = {.connect = 0ms, .one_way = 0ms};
    scenario.windows = {{.name = "half", .from = 300s}};
    const Report report = simulate(scenario);
    const auto see = [&](const char* name, const scenario::Estimate& estimate) {
      covers.at(name).see(estimate);
    };
    const auto quantile = [](const scenario::Series& series, double q) {
      return std::chrono::duration<double>(series.latency.quantile(q)).count();
    };
    const scenario::Summary& whole = report.summary;
    const auto& b1 = whole.backends.at("b1");
    const auto& level = whole.levels->backends.at("b1");
    const scenario::Series& series = report.backends.at("b1");
    see("utilisation", *level.utilisation);
    see("in flight", level.in_flight_mean);
    see("share", b1.share);
    see("mean",
        {std::chrono::duration<double>(series.latency.mean()).count(), b1.clients.mean_latency});
    see("p50", {quantile(series, 0.5), b1.clients.quantiles[0]});
    see("all busy", *whole.levels->utilisation);
    see("all in flight", whole.levels->in_flight_mean);
    see("in system", whole.in_system_mean);
    see("throughput", whole.throughput);
    see("all p50", {quantile(report.total, 0.5), whole.clients.quantiles[0]});
    const scenario::Slice& half = report.windows[0];
    see("window busy", *half.summary.levels->utilisation);
    see("window share", half.summary.backends.at("b2").share);
    see("window p90", {quantile(half.total, 0.9), half.summary.clients.quantiles[1]});
  }
  for (const auto& [name, cover] : covers) {
    EXPECT_GE(cover.told, kRuns - 25) << name;
    const double least = 0.95 - 0.02 - 3 * std::sqrt(0.95 * 0.05 / cover.told);
    EXPECT_GE(cover.covered, cover.told * least) << name << " of " << cover.told;
    EXPECT_LT(cover.covered, cover.told) << name << ": some miss, or they are too wide";
  }
}

// A choice in turns gives every batch the same, so its interval is narrow where a random one is
// not; and what a run has too little of to tell has none.
TEST(SimulationMeasures, IntervalsAreAsWideAsTheScatter) {
  Parts parts;
  parts.backends = 2;
  parts.duration = "60s";
  parts.cluster = R"(, "retries": {"attempts": 3})";
  const Report report = run(parts);
  const auto& share = report.summary.backends.at("b1").share;
  ASSERT_EQ(share.interval.confidence, scenario::Confidence::told);
  EXPECT_LT(share.interval.half_width, 0.001);
  const auto& fairness = report.summary.fairness.at("web");
  ASSERT_EQ(fairness.interval.confidence, scenario::Confidence::told);
  EXPECT_LT(fairness.interval.half_width, 0.001);
  EXPECT_EQ(report.summary.effort->retry_ratio.interval.confidence, scenario::Confidence::too_few)
      << "there was none";
  EXPECT_EQ(report.summary.effort->amplification.value, 1);
  EXPECT_LT(report.summary.effort->amplification.interval.half_width, 0.01);
  parts.events = R"({"at": "30s", "backend": "b1", "fault": "slow", "factor": 2})";
  const Report changed = run(parts);
  EXPECT_EQ(changed.summary.levels->utilisation->interval.confidence,
            scenario::Confidence::not_steady);
  EXPECT_EQ(changed.summary.backends.at("b1").share.interval.confidence,
            scenario::Confidence::not_steady);
}

// A tenth of the answers are errors, which are tried again elsewhere: 1.1 attempts and a little
// more for each request.
TEST(SimulationMeasures, TellsHowOftenThingsAreTriedAgain) {
  Parts parts;
  parts.backends = 2;
  parts.strategy = R"("random")";
  parts.duration = "100s";
  parts.arrivals = R"({"poisson": {"rate": 100}})";
  parts.behaviour = R"({"service_time": {"constant": "1ms"}})";
  parts.cluster = R"(, "retries": {"attempts": 2, "on": ["500"], "budget_percent": 100})";
  parts.events = R"({"at": "0s", "backend": ["b1", "b2"], "fault": "error_ratio", "ratio": 0.1})";
  const scenario::Scenario scenario = scenario_of(parts);
  const Report report = simulate(scenario);
  const scenario::Effort& effort = *report.summary.effort;
  ASSERT_EQ(effort.retry_ratio.interval.confidence, scenario::Confidence::told);
  // Binomial: 10,000 requests, a deviation of 0.003, four of which are allowed.
  EXPECT_NEAR(effort.retry_ratio.value, 0.1, 0.012);
  EXPECT_NEAR(effort.retry_ratio.interval.half_width, 2.05 * 0.003, 0.003);
  EXPECT_NEAR(effort.amplification.value, 1 + effort.retry_ratio.value, 1e-9);
  EXPECT_NEAR(effort.amplification.interval.half_width, effort.retry_ratio.interval.half_width,
              0.002);
}

TEST(SimulationMeasures, CoresAreThePlacesOfASharedProcessor) {
  Parts parts;
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "discipline": "processor_sharing",
                        "cores": 2, "concurrency": 100})";
  parts.arrivals = R"({"closed": {"clients": 4, "think_time": {"constant": "1h"}}})";
  parts.duration = "1s";
  // Four of 10 ms on two cores: both are busy for 20 ms.
  EXPECT_NEAR(run(parts).summary.levels->utilisation->value, 0.020, 1e-6);
}

constexpr const char* kProbed =
    R"(, "health_check": {"path": "/h", "interval": "100ms", "timeout": "50ms",
         "healthy_threshold": 2, "unhealthy_threshold": 2})";

// Two probes have to fail, 100 ms apart, and then two to pass.
TEST(SimulationMeasures, TellsWhenProbesTookABackendOutAndBack) {
  Parts parts;
  parts.backends = 2;
  parts.cluster = kProbed;
  parts.events = R"({"at": "2s", "backend": "b1", "fault": "crash"},
                    {"at": "5s", "backend": "b1", "fault": "recover"})";
  const scenario::Scenario scenario = scenario_of(parts);
  const double out =
      value(scenario, {.metric = Metric::time_to_eject, .backend = "b1", .after = 2s});
  EXPECT_GT(out, 0.100);
  EXPECT_LT(out, 0.210);
  const double back =
      value(scenario, {.metric = Metric::time_to_readmit, .backend = "b1", .after = 5s});
  EXPECT_GT(back, 0.100);
  EXPECT_LT(back, 0.210);
  EXPECT_EQ(value(scenario, {.metric = Metric::ejections}), 1);
  const Report report = simulate(scenario);
  const auto& changes = report.standing->at("b1").changes;
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].state, "unhealthy");
  EXPECT_EQ(changes[1].state, "eligible");
  EXPECT_TRUE(report.standing->at("b2").changes.empty());
}

// Three failures in a row open the breaker; a second later it lets a trial through.
TEST(SimulationMeasures, TellsWhenABreakerOpenedAndLetATrialThrough) {
  Parts parts;
  parts.backends = 2;
  parts.cluster = R"(, "circuit_breaker": {"consecutive_failures": 3, "open_time": "1s"})";
  parts.events = R"({"at": "2s", "backend": "b1", "fault": "error_ratio", "ratio": 1},
                    {"at": "2500ms", "backend": "b1", "fault": "recover"})";
  const Report report = run(parts);
  const auto& changes = report.standing->at("b1").changes;
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].state, "breaker_open");
  EXPECT_EQ(changes[1].state, "eligible");
  EXPECT_EQ(changes[1].at - changes[0].at, 1s + 1ns);
}

TEST(SimulationMeasures, ABackendThatJoinsIsOutUntilItDoes) {
  Parts parts;
  parts.events =
      R"({"at": "3s", "add_backend": {"cluster": "web", "id": "b9", "address": "10.0.0.1:9"}},
         {"at": "7s", "remove_backend": {"cluster": "web", "id": "b9"}})";
  const Report report = run(parts);
  const auto& out = report.standing->at("b9");
  EXPECT_EQ(out.length, 6s);
  ASSERT_EQ(out.changes.size(), 2u);
  EXPECT_EQ(out.changes[0].at, 3s);
  EXPECT_EQ(out.changes[1].at, 7s);
  EXPECT_EQ(out.changes[1].state, "removed");
}

// While all are down lbd serves them all the same: a backend in a panic is not out.
TEST(SimulationMeasures, WhoIsChosenInAPanicIsNotOut) {
  Parts parts;
  parts.backends = 2;
  parts.cluster = std::string{kProbed} + R"(, "panic_threshold": 60)";
  parts.events = R"({"at": "2s", "backend": "b1", "fault": "fail_probes"})";
  EXPECT_TRUE(run(parts).standing->at("b1").changes.empty());
}

// Retries of clients are one request to them, and up to three to lbd.
TEST(SimulationMeasures, AmplificationIsByWhatClientsWanted) {
  Parts parts;
  parts.load = R"(, "retries": {"attempts": 3, "backoff": "1ms"})";
  parts.events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio", "ratio": 1})";
  const Report report = run(parts);
  EXPECT_EQ(report.amplification, 3);
  EXPECT_EQ(report.balancer.attempts, 3 * report.total.count());
}

// Little's law is asserted inside of every run, so these only have to end: whatever happens to
// requests, what they say of their time is what the count of them adds up to.
TEST(SimulationMeasures, LittlesLawHoldsWhateverHappens) {
  Parts parts;
  parts.backends = 3;
  parts.arrivals = R"({"poisson": {"rate": 400}})";
  parts.load = R"(, "timeout": "80ms", "retries": {"attempts": 2, "backoff": "10ms"})";
  parts.cluster = std::string{kProbed} +
                  R"(, "limits": {"max_in_flight_per_backend": 4, "queue": 20,
                       "queue_timeout": "50ms"},
                       "retries": {"attempts": 3, "on": ["connect_failure", "reset"]})";
  parts.events = R"({"at": "1s", "backend": "b1", "fault": "crash", "for": "1s"},
                    {"at": "3s", "backend": "b2", "fault": "hang", "for": "1s"},
                    {"at": "5s", "backend": "b3", "fault": "reset", "for": "500ms"},
                    {"at": "6s", "backend": "b1", "fault": "partition", "for": "1s"},
                    {"at": "8s", "backend": "b2", "fault": "loss", "ratio": 0.2, "for": "1s"})";
  for (parts.seed = 1; parts.seed <= 5; ++parts.seed) {
    const Report report = run(parts);
    EXPECT_GT(report.total.count(scenario::ClientResult::timed_out), 0u);
    EXPECT_GT(report.summary.levels->queue.max, 0u);
    EXPECT_GT(report.balancer.outcome("queue_timeout") + report.balancer.outcome("over_limit"), 0u);
  }
}

TEST(SimulationMeasures, LookingCloserChangesNothing) {
  Parts parts;
  parts.backends = 2;
  parts.arrivals = R"({"poisson": {"rate": 150}})";
  parts.cluster = R"(, "circuit_breaker": {"consecutive_failures": 3, "open_time": "1s"})";
  parts.events = R"({"at": "2s", "backend": "b1", "fault": "error_ratio", "ratio": 0.7})";
  scenario::Scenario scenario = scenario_of(parts);
  const Report plain = simulate(scenario);
  for (int n = 1; n < 9; ++n) {
    scenario.windows.push_back({.name = std::to_string(n), .from = n * 1s, .to = n * 1s + 777ms});
  }
  EXPECT_EQ(simulate(scenario).digest, plain.digest);
}

}  // namespace
}  // namespace lb::sim
