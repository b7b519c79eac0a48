// Goal: the simulator plays what the scenario says and nothing else: where the answer can be worked
// out by hand or by queueing theory, it is that answer; and the same scenario is the same run.
// Method: round numbers on the wire, one thing at a time.
#include <set>

#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::Report;

TEST(Simulation, EachLatencyIsTheSumOfItsParts) {
  // 20 ms apart and 10 ms long: nobody ever waits. The first one opens the connection.
  const Report report = run({});
  EXPECT_EQ(report.total.count(), 499u) << "at 20 ms, 40 ms, … before 10 s";
  EXPECT_EQ(ok(report), 499u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms);
  EXPECT_EQ(report.total.latency.mean(), kOverOpenConnection + 10ms + kConnect / 499);
  EXPECT_EQ(report.balancer.connections_opened, 1u);
  EXPECT_EQ(report.balancer.connections_reused, 498u);
  EXPECT_EQ(report.balancer.attempts, 499u);
}

TEST(Simulation, ACalmClusterHasOneLatency) {
  Parts parts;
  parts.arrivals = R"({"constant": {"rate": 10}})";
  parts.config = R"(, "workers": 1)";
  scenario::Scenario scenario = scenario_of(parts);
  scenario.warmup = 150ms;  // After the first, which opens the connection.
  const Report report = simulate(scenario);
  EXPECT_EQ(report.total.latency.max(), kOverOpenConnection + 10ms);
  EXPECT_EQ(report.total.latency.mean(), kOverOpenConnection + 10ms);
}

TEST(Simulation, AQueueMakesTheLastWaitForAllBefore) {
  // Four clients send at once, once: the backend serves one after the other.
  Parts parts;
  parts.arrivals = R"({"closed": {"clients": 4, "think_time": {"constant": "1h"}}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 4u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 40ms);
  EXPECT_EQ(report.total.latency.mean(), kOverNewConnection + 25ms);
  EXPECT_EQ(report.balancer.connections_opened, 4u);
}

TEST(Simulation, AClosedLoopTurnsAsFastAsItsSlowestPart) {
  // One client: each turn is the way, the service and the thought.
  Parts parts;
  parts.arrivals = R"({"closed": {"clients": 1, "think_time": {"constant": "6ms"}}})";
  parts.duration = "20s";
  EXPECT_EQ(ok(run(parts)), 1000u) << "20 ms a turn, 2 ms more for the first";
  // Ten clients: the backend is the slowest part, and busy all the time.
  parts.arrivals = R"({"closed": {"clients": 10, "think_time": {"constant": "6ms"}}})";
  const Report busy = run(parts);
  EXPECT_NEAR(static_cast<double>(ok(busy)), 2000, 10);
  EXPECT_EQ(busy.total.latency.quantile(0.5) / 1ms, 94) << "ten turns of 10 ms, less the thought";
}

TEST(Simulation, OverloadIsAnsweredAtOnce) {
  Parts parts;
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1, "queue": 0})";
  parts.arrivals = R"({"closed": {"clients": 4, "think_time": {"constant": "1h"}}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 1u);
  EXPECT_EQ(count(report, scenario::ClientResult::server_error), 3u);
  EXPECT_EQ(report.balancer.outcomes.at("backend_error"), 3u);
}

TEST(Simulation, AClientWithoutPatienceLeaves) {
  Parts parts;
  parts.load = R"(, "timeout": "9ms")";
  const Report report = run(parts);
  EXPECT_EQ(count(report, scenario::ClientResult::timed_out), report.total.count());
  EXPECT_EQ(report.balancer.outcomes.at("client_gone"), report.total.count());
  parts.load = R"(, "timeout": "1us")";
  EXPECT_EQ(run(parts).balancer.requests, 0u) << "gone before the daemon heard of it";
}

// The mean time in an M/M/1 system is 1 / (mu - lambda). 10 ms of service and 50 requests a second:
// 20 ms. Over 200,000 requests the sample mean of this strongly correlated sequence has a standard
// error of about 0.8 %; the bound is four of them, and the seed is fixed.
TEST(Simulation, MeetsTheMeanOfAnMM1Queue) {
  Parts parts;
  parts.behaviour =
      R"({"service_time": {"exponential": {"mean": "10ms"}}, "concurrency": 1, "queue": 1000000})";
  parts.arrivals = R"({"poisson": {"rate": 50}})";
  parts.duration = "4000s";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(static_cast<double>(report.total.count()), 200'000, 2'000);
  const double mean_ms =
      std::chrono::duration<double, std::milli>(report.total.latency.mean() - kOverOpenConnection)
          .count();
  EXPECT_NEAR(mean_ms, 20, 0.032 * 20);
}

TEST(Simulation, TheSameScenarioIsTheSameRun) {
  Parts parts;
  parts.backends = 3;
  parts.strategy = R"("least_request")";
  parts.behaviour = R"({"service_time": {"lognormal": {"mean": "10ms", "sigma": 1}}})";
  parts.arrivals = R"({"poisson": {"rate": 300}})";
  parts.duration = "2s";
  std::set<std::string> digests;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    parts.seed = seed;
    const Report report = run(parts);
    const Report again = run(parts);
    EXPECT_EQ(report.digest, again.digest);
    EXPECT_EQ(report.total.latency.mean(), again.total.latency.mean());
    EXPECT_TRUE(digests.insert(report.digest.value_or("")).second) << "of another seed";
  }
}

TEST(Simulation, AProgressIsReportedAndChangesNothing) {
  Parts parts;
  parts.arrivals = R"({"constant": {"rate": 5000}})";
  parts.behaviour = R"({"service_time": {"constant": "1ms"}, "concurrency": 100})";
  const scenario::Scenario scenario = scenario_of(parts);
  Duration last{};
  int calls = 0;
  const Report report =
      simulate(scenario, {.progress = [&](Duration simulated, std::uint64_t events) {
                 EXPECT_GT(simulated, last);
                 EXPECT_GT(events, 0u);
                 last = simulated;
                 ++calls;
               }});
  EXPECT_GT(calls, 0);
  EXPECT_EQ(report.digest, simulate(scenario).digest);
}

TEST(Simulation, LookingOnChangesNothing) {
  Parts parts;
  parts.backends = 2;
  parts.arrivals = R"({"poisson": {"rate": 150}})";
  parts.events = R"({"at": "4s", "backend": "b2", "fault": "hang"})";
  const scenario::Scenario scenario = scenario_of(parts);
  const Report plain = simulate(scenario);
  const Report watched = simulate(scenario, {.over_time = true});
  EXPECT_EQ(watched.digest, plain.digest);
  EXPECT_FALSE(plain.series.has_value());
  ASSERT_TRUE(watched.series.has_value());
  std::uint64_t requests = 0;
  for (const auto& interval : watched.series->intervals) {
    for (const std::uint64_t result : interval.results) requests += result;
  }
  EXPECT_EQ(requests, plain.total.count()) << "there is no warm-up";
  const auto& b2 = watched.series->backends.at(1);
  ASSERT_EQ(b2.in_flight.size(), watched.series->intervals.size());
  EXPECT_LT(b2.in_flight[b2.in_flight.size() / 3], 10u);
  EXPECT_GT(b2.in_flight.back(), 400u)
      << "it hangs, nobody probes it, and 75 requests come a second";
  ASSERT_EQ(watched.series->marks.size(), 1u);
  EXPECT_EQ(watched.series->marks[0].what, "hang b2");
}

TEST(Simulation, RunsEveryStrategyAndServesEverything) {
  for (const StrategyConfig& strategy : all_strategies()) {
    Parts parts;
    parts.backends = 4;
    parts.strategy = '"' + std::string{strategy_name(strategy)} + '"';
    parts.behaviour = R"({"service_time": {"exponential": {"mean": "10ms"}}, "concurrency": 8})";
    parts.arrivals = R"({"poisson": {"rate": 400}})";
    const Report report = run(parts);
    EXPECT_EQ(ok(report), report.total.count()) << parts.strategy;
    EXPECT_GT(report.total.count(), 3'500u);
    // All but the one that fills them up in order, and has no limit to fill them to.
    const bool fills_up = std::holds_alternative<FirstConfig>(strategy);
    for (const auto& [id, series] : report.backends) {
      EXPECT_EQ(series.count() > 0, !fills_up || id == "b1") << parts.strategy << ' ' << id;
    }
  }
}

TEST(Simulation, RoundRobinIsExact) {
  Parts parts;
  parts.backends = 3;
  const Report report = run(parts);
  for (const char* id : {"b1", "b2", "b3"}) {
    EXPECT_NEAR(static_cast<double>(report.backends.at(id).count()), 499 / 3.0, 1) << id;
  }
}

TEST(Simulation, ATcpLoadUsesEachConnectionOnce) {
  Parts parts;
  scenario::Scenario scenario = scenario_of(parts);
  scenario.config.listeners[0].protocol = config::Protocol::tcp;
  const Report report = simulate(scenario);
  EXPECT_EQ(ok(report), 499u);
  EXPECT_EQ(report.balancer.connections_reused, 0u);
  EXPECT_EQ(report.total.latency.mean(), kOverNewConnection + 10ms);
}

// Two workers that do not hear from each other each see half of what is in flight.
TEST(Simulation, WorkersServeWhatOneWouldAndShareTheirLoad) {
  Parts parts;
  parts.backends = 4;
  parts.strategy = R"("least_connections")";
  parts.behaviour = R"({"service_time": {"exponential": {"mean": "20ms"}}, "concurrency": 1})";
  parts.arrivals = R"({"poisson": {"rate": 120}})";
  parts.duration = "60s";
  const auto mean = [&](const std::string& config) {
    parts.config = config;
    const Report report = run(parts);
    EXPECT_EQ(ok(report), report.total.count()) << config;
    return report.total.latency.mean();
  };
  const Duration alone = mean(R"(, "workers": 1)");
  const Duration talking = mean(R"(, "workers": 2, "load_exchange": "1ms")");
  const Duration silent = mean(R"(, "workers": 2, "load_exchange": "1h")");
  EXPECT_LT(talking, silent);
  EXPECT_LT(alone, silent);
  EXPECT_NEAR(static_cast<double>(talking.count()), static_cast<double>(alone.count()),
              0.15 * static_cast<double>(alone.count()));
}

}  // namespace
}  // namespace lb::sim
