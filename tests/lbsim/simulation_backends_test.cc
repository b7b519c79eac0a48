// Goal: what makes a backend faster and slower costs each request what the scenario says.
// Method: times worked out by hand from the delays of scenarios.h.
#include <cmath>

#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;

// A backend of this behaviour, asked ten times a second by default.
scenario::Report run_with(const std::string& behaviour,
                          const std::string& arrivals = R"({"constant": {"rate": 10}})",
                          const std::string& load = "", const std::string& events = "") {
  return run({.behaviour = behaviour, .arrivals = arrivals, .load = load, .events = events});
}

double max_ms(const scenario::Report& report) {
  return std::chrono::duration<double, std::milli>(report.total.latency.max()).count();
}

// The first request, sent at 100 ms, is served from 104 ms on: over a new connection.
TEST(Backends, AreSlowAfterAStart) {
  const auto report = run_with(
      R"({"service_time": {"constant": "10ms"}, "cold_start": {"factor": 3, "decay": "1s"}})");
  EXPECT_NEAR(max_ms(report), 6 + 10 * (1 + 2 * std::exp(-0.104)), 1e-4);
}

// It is cold once more when it starts again, at 5 s: the request of 5.1 s meets it at 5.104 s.
TEST(Backends, AreSlowAfterACrashToo) {
  const std::string behaviour =
      R"({"service_time": {"constant": "10ms"}, "cold_start": {"factor": 3, "decay": "10ms"}})";
  const auto events = R"({"at": "4550ms", "backend": "b1", "fault": "crash"},
                         {"at": "5050ms", "backend": "b1", "fault": "recover"})";
  EXPECT_NEAR(max_ms(run_with(behaviour)), 6 + 10 * (1 + 2 * std::exp(-10.4)), 1e-4);
  EXPECT_NEAR(max_ms(run_with(behaviour, R"({"constant": {"rate": 10}})", "", events)),
              6 + 10 * (1 + 2 * std::exp(-5.4)), 1e-4);
}

// The last request, sent at 9.9 s, is served from 9.902 s on.
TEST(Backends, Drift) {
  const auto report = run_with(
      R"({"service_time": {"constant": "10ms"},
          "drift": [{"at": "0s", "factor": 1}, {"at": "10s", "factor": 3}]})");
  EXPECT_NEAR(max_ms(report), 4 + 10 * (1 + 2 * 0.9902), 1e-4);
}

TEST(Backends, TakeLongerForAFirstRequest) {
  const auto report =
      run_with(R"({"service_time": {"constant": "10ms"}, "connection_cost": "7ms"})");
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 17ms);
  EXPECT_NEAR(static_cast<double>(report.total.latency.quantile(0.5).count()), 14e6, 14e3);
}

TEST(Backends, HaveAServiceTimeForAClass) {
  const std::string behaviour =
      R"({"service_time": {"constant": "10ms"}, "classes": {"upload": {"constant": "30ms"}}})";
  const std::string rate = R"({"constant": {"rate": 10}})";
  EXPECT_EQ(run_with(behaviour).total.latency.max(), kOverNewConnection + 10ms);
  EXPECT_EQ(run_with(behaviour, rate, R"(, "class": "upload")").total.latency.max(),
            kOverNewConnection + 30ms);
}

// Two clients without a pause are always both there: each gets half of a core, or one of two.
TEST(Backends, AreSharedByWhoIsThere) {
  const std::string both = R"({"closed": {"clients": 2}})";
  const auto median = [&](const std::string& behaviour) {
    return static_cast<double>(run_with(behaviour, both).total.latency.quantile(0.5).count());
  };
  EXPECT_NEAR(median(R"({"service_time": {"constant": "10ms"},
                         "discipline": "processor_sharing"})"),
              24e6, 24e3);
  EXPECT_NEAR(median(R"({"service_time": {"constant": "10ms"},
                         "discipline": "processor_sharing", "cores": 2})"),
              14e6, 14e3);
  EXPECT_NEAR(median(R"({"service_time": {"constant": "10ms"},
                         "contention": {"knee": 1, "per_request": 0.2}})"),
              16e6, 16e3);
  EXPECT_NEAR(median(R"({"service_time": {"constant": "10ms"}})"), 14e6, 14e3);
}

// It stands from 1 s to 1.1 s, from 2.1 s to 2.2 s, and so on. The requests of these very moments
// wait for its end, 100 ms, their service and the way back.
TEST(Backends, PauseAgainAndAgain) {
  const auto report = run_with(
      R"({"service_time": {"constant": "10ms"},
          "disturbances": [{"every": {"constant": "1s"}, "for": {"constant": "100ms"}}]})");
  EXPECT_EQ(report.total.latency.max(), 100ms + 10ms + 2 * kOneWay);
}

// What was shared is gone with the process, and what comes later is served.
TEST(Backends, ForgetWhatTheySharedInACrash) {
  const auto report =
      run_with(R"({"service_time": {"constant": "10ms"}, "discipline": "processor_sharing"})",
               R"({"constant": {"rate": 50}})", "",
               R"({"at": "5005ms", "backend": "b1", "fault": "crash"},
         {"at": "6s", "backend": "b1", "fault": "recover"})");
  EXPECT_EQ(count(report, scenario::ClientResult::timed_out), 0u);
  EXPECT_NEAR(static_cast<double>(ok(report)), 499 - 50, 2);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms);
}

// The queue is full for an hour; the answer comes after 3 ms all the same.
TEST(Backends, FailFastAsBlackHoles) {
  const auto report =
      run_with(R"({"service_time": {"constant": "1h"}, "concurrency": 1, "queue": 0})",
               R"({"constant": {"rate": 10}})", R"(, "timeout": "20ms")",
               R"({"at": "0s", "backend": "b1", "fault": "black_hole", "in": "3ms"})");
  EXPECT_EQ(count(report, scenario::ClientResult::server_error), 99u);
}

TEST(Backends, AnswerLaterOverALongerPath) {
  const auto report =
      run_with(R"({"service_time": {"constant": "10ms"}})", R"({"constant": {"rate": 10}})", "",
               R"({"at": "0s", "backend": "b1", "fault": "slow", "add": "25ms"})");
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms + 25ms);
}

// Out by its probes, though it would serve; back when they pass. What was in flight is finished.
TEST(Backends, AreTakenOutByProbesThatFail) {
  Parts parts{.backends = 2,
              .cluster = R"(, "health_check": {"path": "/h", "interval": "100ms", "timeout": "50ms",
                             "healthy_threshold": 2, "unhealthy_threshold": 2})",
              .events = R"({"at": "0s", "backend": "b2", "fault": "fail_probes", "for": "5s"})"};
  const auto report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b2"), 0.25, 0.03) << "half of the time it has half of the requests";
}

// One client, so one message at a time: there and back, each lost with probability 1/5, waiting
// 200, 400, ... ms. After k losses that is 2^k - 1 times 200 ms, six losses at most: 0.3320 times
// on average, with a variance of 1.439. Some 6800 requests, so the standard error of their mean
// is 4.1 ms. Waits that stayed the same would make 114 ms of it.
TEST(Backends, LoseMessages) {
  const auto report =
      run({.behaviour = R"({"service_time": {"constant": "10ms"}})",
           .arrivals = R"({"closed": {"clients": 1}})",
           .load = R"(, "timeout": "60s")",
           .duration = "1000s",
           .events = R"({"at": "0s", "backend": "b1", "fault": "loss", "ratio": 0.2})"});
  EXPECT_EQ(ok(report), report.total.count());
  const double mean =
      std::chrono::duration<double, std::milli>(report.total.latency.mean()).count();
  EXPECT_NEAR(mean, 14 + 2 * 200 * 0.3320, 5 * 4.1);
}

// From 1 s to 3 s nothing passes; then what was on its way arrives, and nothing was lost. The
// request of 1 s has reached the daemon by then, and is served at 3 s.
TEST(Backends, ArePartitioned) {
  const auto report =
      run({.cluster = R"(, "timeouts": {"connect": "10s", "response": "10s"})",
           .behaviour = R"({"service_time": {"constant": "10ms"}})",
           .arrivals = R"({"constant": {"rate": 10}})",
           .events = R"({"at": "1s", "backend": "b1", "fault": "partition", "for": "2s"})"});
  EXPECT_EQ(ok(report), 99u);
  EXPECT_EQ(report.total.latency.max(), 2s + 10ms + 2 * kOneWay);
}

// A probe has no answer, so its timeout counts; an attempt that waits too long goes elsewhere.
TEST(Backends, BehindAPartitionAreTakenOut) {
  const auto report =
      run({.backends = 2,
           .cluster = R"(, "timeouts": {"response": "100ms"}, "retries": {"attempts": 2,
                       "on": ["timeout", "connect_failure"]},
                     "health_check": {"path": "/h", "interval": "100ms", "timeout": "50ms",
                       "healthy_threshold": 2, "unhealthy_threshold": 2})",
           .behaviour = R"({"service_time": {"constant": "10ms"}})",
           .events = R"({"at": "1s", "backend": "b2", "fault": "partition", "for": "4s"})"});
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b2"), 0.3, 0.03) << "six seconds of ten";
}

}  // namespace
}  // namespace lb::sim
