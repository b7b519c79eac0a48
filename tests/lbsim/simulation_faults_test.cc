// Goal: faults strike when and whom the timeline says; retries hide those that can be hidden and
// nothing hides the others; and every request ends once, whatever happens.
// Method: a calm cluster, one fault, and counts that follow from it. That nothing is lost or
// counted twice is asserted by the simulator itself at the end of each run; the last test here
// gives it reason to.
#include "lbcore/prng.h"
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;
using scenario::Report;

constexpr const char* kNoRetries = R"(, "retries": {"attempts": 1})";

std::string fault(const std::string& at, const std::string& kind, const std::string& more = "") {
  return R"({"at": ")" + at + R"(", "backend": "b1", "fault": ")" + kind + '"' + more + "}";
}

// Two backends with room for all; a request every 10 ms.
Parts calm() {
  Parts parts;
  parts.backends = 2;
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 100})";
  parts.arrivals = R"({"constant": {"rate": 100}})";
  return parts;
}

TEST(Fault, ACrashIsHiddenByRetriesAndNotWithoutThem) {
  Parts parts = calm();
  parts.events = fault("3s", "crash") + "," + fault("6s", "recover");
  const Report with = run(parts);
  EXPECT_EQ(ok(with), with.total.count());
  EXPECT_GT(with.balancer.retries, 100u) << "every other request for three seconds";
  EXPECT_EQ(with.balancer.outcomes.at("success"), with.total.count());

  parts.cluster = kNoRetries;
  const Report without = run(parts);
  EXPECT_EQ(without.balancer.retries, 0u);
  const std::uint64_t errors = without.total.count() - ok(without);
  EXPECT_NEAR(static_cast<double>(errors), 150, 3) << "half of the requests of three seconds";
  EXPECT_GT(without.balancer.outcomes.at("connect_failure"), 140u);
}

TEST(Fault, ACrashBreaksWhatWasUnderWay) {
  Parts parts = calm();
  parts.cluster = kNoRetries;
  parts.behaviour = R"({"service_time": {"constant": "1s"}, "concurrency": 100})";
  parts.events = fault("5s", "crash");
  const Report report = run(parts);
  // Half of a second's requests are at b1 then, and those on their way are reset when they arrive.
  EXPECT_NEAR(static_cast<double>(report.balancer.outcomes.at("reset")), 50, 2);
}

TEST(Fault, APostIsNotRepeatedOnceItWasSent) {
  Parts parts = calm();
  parts.behaviour = R"({"service_time": {"constant": "1s"}, "concurrency": 100})";
  parts.load = R"(, "request": {"method": "POST"})";
  parts.events = fault("5s", "crash");
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(count(report, ClientResult::server_error)), 50, 2);
  EXPECT_EQ(report.balancer.outcomes.at("connect_failure"), 0u) << "not sent, so it may";
}

TEST(Fault, AHangRunsIntoTimeouts) {
  Parts parts = calm();
  parts.cluster = R"(, "timeouts": {"response": "500ms"})";
  parts.events = fault("3s", "hang") + "," + fault("6s", "recover");
  const Report report = run(parts);
  const double errors = static_cast<double>(count(report, ClientResult::server_error));
  // Those of the last half second are answered after the recovery.
  EXPECT_NEAR(errors, 125, 3);
  EXPECT_EQ(report.balancer.outcomes.at("timeout"), count(report, ClientResult::server_error));
  EXPECT_GT(report.total.latency.max(), 480ms);
  EXPECT_LE(report.total.latency.max(), 500ms + kOverNewConnection + 10ms);
}

TEST(Fault, ProbesTakeABackendOutAndBack) {
  Parts parts = calm();
  parts.cluster =
      R"(, "retries": {"attempts": 1}, "timeouts": {"response": "200ms"}, "health_check": {)"
      R"("path": "/health", "interval": "100ms", "timeout": "50ms"})";
  for (const char* kind : {"crash", "hang", "reset", "refuse"}) {
    parts.events = fault("3s", kind) + "," + fault("6s", "recover");
    const Report report = run(parts);
    const std::uint64_t errors = report.total.count() - ok(report);
    // Three probes have to fail: within some 350 ms, in which every other request goes there.
    if (kind == std::string{"refuse"}) {
      EXPECT_EQ(errors, 0u) << "idle connections go on, and no new ones are needed";
    } else {
      EXPECT_GT(errors, 5u) << kind;
    }
    EXPECT_LT(errors, 25u) << kind;
    EXPECT_GT(share(report, "b1"), 0.25) << kind << ": it came back";
    EXPECT_LT(share(report, "b1"), 0.4) << kind << ": it was away";
  }
}

TEST(Fault, AResetBreaksEachRequest) {
  Parts parts = calm();
  parts.cluster = kNoRetries;
  parts.events = fault("5s", "reset");
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(report.balancer.outcomes.at("reset")), 250, 3);
}

TEST(Fault, ASlowBackendIsSlowFromThenOn) {
  Parts parts = calm();
  parts.events = fault("5s", "slow", R"(, "factor": 10)");
  const Report report = run(parts);
  EXPECT_EQ(report.backends.at("b1").latency.max(), kOverNewConnection + 100ms);
  EXPECT_LE(report.backends.at("b2").latency.max(), kOverNewConnection + 10ms);
}

TEST(Fault, AShareOfErrorsIsASharedOfTheAnswers) {
  Parts parts = calm();
  parts.events = fault("0s", "error_ratio", R"(, "ratio": 1)");
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(count(report, ClientResult::server_error)),
              static_cast<double>(report.total.count()) / 2, 1);
  EXPECT_EQ(report.backends.at("b1").count(ClientResult::ok), 0u);
  EXPECT_EQ(report.backends.at("b2").count(ClientResult::server_error), 0u);
}

TEST(Fault, WithEveryBackendDownEveryRequestIsAnswered503) {
  Parts parts = calm();
  parts.backends = 1;
  parts.events = fault("0s", "crash");
  const Report report = run(parts);
  EXPECT_EQ(count(report, ClientResult::server_error), report.total.count());
  EXPECT_EQ(report.balancer.outcomes.at("connect_failure"), report.total.count());
}

// -- The configuration changes

TEST(Timeline, ABackendThatJoinsGetsItsShare) {
  Parts parts = calm();
  parts.events = R"({"at": "5s", "add_backend": {"cluster": "web", "id": "b3",)"
                 R"( "address": "10.0.0.3:80"}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b3"), 1.0 / 6, 0.01) << "a third of the second half";
  EXPECT_NEAR(share(report, "b1"), 1.0 / 4 + 1.0 / 6, 0.01);
}

TEST(Timeline, ABackendThatLeavesFinishesWhatItHas) {
  Parts parts = calm();
  parts.behaviour = R"({"service_time": {"constant": "1s"}, "concurrency": 100})";
  parts.events = R"({"at": "5s", "remove_backend": {"cluster": "web", "id": "b1"}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b1"), 0.25, 0.01);
}

TEST(Timeline, ABackendThatLeavesHasOnlyItsGrace) {
  Parts parts = calm();
  parts.behaviour = R"({"service_time": {"constant": "1s"}, "concurrency": 100})";
  parts.cluster = R"(, "timeouts": {"drain": "500ms"})";
  parts.events = R"({"at": "5s", "remove_backend": {"cluster": "web", "id": "b1"}})";
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(count(report, ClientResult::server_error)), 25, 2);
}

TEST(Timeline, AReloadChangesEverythingAtOnce) {
  Parts parts = calm();
  Parts next = parts;
  next.strategy = R"("random")";
  parts.events = R"({"at": "5s", "reload": )" + config_json(next, 4) + "}";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b4"), 1.0 / 8, 0.04);
  EXPECT_NEAR(share(report, "b1"), 1.0 / 4 + 1.0 / 8, 0.04);
}

TEST(Timeline, ABackendMayLeaveAndComeBack) {
  Parts parts = calm();
  parts.events =
      R"({"at": "2s", "remove_backend": {"cluster": "web", "id": "b1"}},)"
      R"({"at": "6s", "add_backend": {"cluster": "web", "id": "b1", "address": "10.0.0.1:8001"}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(share(report, "b1"), 0.3, 0.01);
}

TEST(Timeline, AClusterMayLoseAllItsBackends) {
  Parts parts = calm();
  parts.backends = 1;
  parts.events = R"({"at": "5s", "remove_backend": {"cluster": "web", "id": "b1"}})";
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(report.balancer.outcomes.at("no_backend")), 500, 2);
}

// Whatever strikes whom and when: every request ends once (which the simulator asserts), and when
// the last fault is over, requests are served again.
TEST(Timeline, NothingIsLostInAStorm) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    const auto ms = [&](std::uint64_t below) { return std::to_string(prng.below(below)) + "ms"; };
    Parts parts;
    parts.seed = seed;
    parts.backends = 4;
    parts.strategy = R"("least_request")";
    parts.behaviour =
        R"({"service_time": {"exponential": {"mean": "20ms"}}, "concurrency": 3, "queue": 10})";
    parts.arrivals = R"({"poisson": {"rate": 300}})";
    parts.load = R"(, "timeout": ")" + std::to_string(150 + prng.below(300)) + R"(ms")";
    parts.config = R"(, "workers": )" + std::to_string(1 + prng.below(3));
    parts.cluster = R"(, "timeouts": {"response": "150ms", "drain": "100ms", "connect": "20ms"},)"
                    R"( "retries": {"on": ["connect_failure", "reset", "timeout", "500", "503"]},)"
                    R"( "connection_pool": {"max_idle_per_backend": 2, "idle_timeout": "200ms"})";
    if (prng.below(2) == 0) {
      parts.cluster += R"(, "health_check": {"interval": "100ms", "timeout": "30ms"})";
    }
    constexpr std::array<const char*, 9> kKinds{
        "crash", "hang", "refuse", "reset", "slow", "error_ratio", "truncate", "drip", "recover"};
    for (int n = 0; n < 30; ++n) {
      const std::string id = "b" + std::to_string(1 + prng.below(4));
      if (prng.below(6) == 0) {
        parts.events += R"({"at": ")" + ms(6000) +
                        R"(", "remove_backend": {"cluster": "web", "id": ")" + id + R"("}},)";
      } else {
        parts.events += R"({"at": ")" + ms(6000) + R"(", "backend": ")" + id + R"(", "fault": ")" +
                        kKinds[prng.below(kKinds.size())] +
                        R"(", "factor": 30, "ratio": 0.5, "over": "200ms"},)";
      }
    }
    for (int n = 1; n <= 4; ++n) {
      parts.events +=
          R"({"at": "6s", "backend": "b)" + std::to_string(n) + R"(", "fault": "recover"},)";
    }
    parts.events += R"({"at": "6s", "reload": )" + config_json(parts, 4) + "}";
    scenario::Scenario scenario = scenario_of(parts);
    scenario.expect = {{.metric = scenario::Metric::share, .backend = "b1", .min = 0.1, .from = 8s},
                       {.metric = scenario::Metric::error_ratio, .max = 0.2, .from = 8s}};
    const Report report = simulate(scenario);
    EXPECT_TRUE(report.passed()) << "share of b1 " << report.expectations[0].value << ", errors "
                                 << report.expectations[1].value;
    EXPECT_EQ(report.digest, simulate(scenario).digest);
  }
}

}  // namespace
}  // namespace lb::sim
