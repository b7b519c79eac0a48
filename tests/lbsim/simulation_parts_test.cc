// Goal: answers that break off or drip cost what the scenario format says, and the real brain hears
// of them in the order in which a socket would tell it.
// Method: times and counts worked out by hand from the delays of scenarios.h. The head of an answer
// is with the daemon after the service; each of the 8 parts of its body comes an eighth of `over`
// after the one before.
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;
using scenario::Report;

// At b1, from the start of the run.
std::string fault(const std::string& kind, const std::string& more = "",
                  const std::string& at = "0s") {
  return R"({"at": ")" + at + R"(", "backend": "b1", "fault": ")" + kind + '"' + more + "}";
}

std::string drip(const std::string& over) { return fault("drip", R"(, "over": ")" + over + '"'); }

// One backend, 10 ms for each request, ten requests a second: 99 of them, the first after 100 ms.
Parts calm(const std::string& events) {
  return {.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 100})",
          .arrivals = R"({"constant": {"rate": 10}})",
          .events = events};
}

std::uint64_t outcome(const Report& report, const std::string& name) {
  return report.balancer.outcomes.at(name);
}

TEST(Truncate, CutsTheAnswerAndIsNotTriedAgain) {
  for (const char* how : {"", R"(, "reset": true)"}) {
    Parts parts = calm(fault("truncate", how));
    parts.backends = 2;
    const Report report = run(parts);
    EXPECT_EQ(count(report, ClientResult::failed), 50u) << "every other one";
    EXPECT_EQ(ok(report), 49u);
    EXPECT_EQ(outcome(report, "cut"), 50u);
    EXPECT_EQ(report.balancer.retries, 0u) << "its head has gone to the client";
    EXPECT_EQ(report.balancer.connections_opened, 51u) << "a cut one is not used again";
  }
}

TEST(Truncate, StrikesAShareOfTheAnswers) {
  Parts parts = calm(fault("truncate", R"(, "ratio": 0.3)"));
  parts.arrivals = R"({"constant": {"rate": 1000}})";
  const Report report = run(parts);
  EXPECT_NEAR(static_cast<double>(outcome(report, "cut")), 3000, 220);
}

TEST(Truncate, EjectsAsOtherFailuresDo) {
  Parts parts = calm(fault("truncate"));
  parts.backends = 2;
  parts.cluster = R"(, "outlier_ejection": {"consecutive_failures": 3})";
  EXPECT_EQ(outcome(run(parts), "cut"), 3u);
}

// 500 is known with the head: another try is still possible then, and the rest is for nobody. Two
// turns for each request, so each begins at b1.
TEST(Truncate, LeavesARetryOfAStatusAsItIs) {
  Parts parts =
      calm(fault("truncate") + "," + fault("error_ratio", R"(, "ratio": 1)") + "," + drip("1s"));
  parts.backends = 2;
  parts.cluster = R"(, "retries": {"on": ["500"]})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 99u);
  EXPECT_EQ(report.balancer.retries, 99u);
}

// Whoever only carries bytes takes FIN for their end. Their client knows better.
TEST(Truncate, IsSeenByTcpWhenItIsAReset) {
  for (const bool reset : {false, true}) {
    Parts parts = calm(fault("truncate", reset ? R"(, "reset": true)" : ""));
    scenario::Scenario scenario = scenario_of(parts);
    scenario.config.listeners[0].protocol = config::Protocol::tcp;
    const Report report = simulate(scenario);
    EXPECT_EQ(count(report, ClientResult::failed), 99u);
    EXPECT_EQ(outcome(report, reset ? "cut" : "success"), 99u);
  }
}

TEST(Parts, AnswersToHeadHaveNone) {
  Parts parts = calm(fault("truncate") + "," + drip("1h"));
  parts.load = R"(, "request": {"method": "HEAD"})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 99u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms);
}

TEST(Drip, TakesItsTimeBehindTheHead) {
  const Report report = run(calm(drip("400ms")));
  EXPECT_EQ(ok(report), 99u);
  EXPECT_EQ(outcome(report, "success"), 99u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms + 400ms);
  EXPECT_GE(report.total.latency.quantile(0.01), kOverOpenConnection + 10ms + 399ms);
  EXPECT_EQ(report.balancer.connections_opened, 5u) << "five are under way, and used again";
}

// One at a time: the head after 16 ms, half of the body after 86 more, and 2 of them for the way
// to the client: 102 ms each, over a new connection every time.
TEST(Drip, BreaksOffHalfWay) {
  Parts parts = calm(drip("172ms") + "," + fault("truncate"));
  parts.arrivals = R"({"closed": {"clients": 1}})";
  const Report report = run(parts);
  EXPECT_EQ(count(report, ClientResult::failed), 99u);
  EXPECT_EQ(outcome(report, "cut"), 99u);
}

TEST(Drip, IsProgressSoThatOnlyItsGapsAreIdle) {
  for (const bool patient : {false, true}) {
    Parts parts = calm(drip("800ms"));
    parts.cluster = patient ? R"(, "timeouts": {"idle": "101ms", "response": "50ms"})"
                            : R"(, "timeouts": {"idle": "99ms", "response": "50ms"})";
    const Report report = run(parts);
    EXPECT_EQ(outcome(report, patient ? "success" : "cut"), 99u);
    EXPECT_EQ(count(report, patient ? ClientResult::ok : ClientResult::failed), 99u);
  }
}

// Served and dripping for 160 ms, and one request every 100: the one in between finds no place.
TEST(Drip, KeepsItsPlace) {
  Parts parts = calm(drip("150ms"));
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1, "queue": 0})";
  Report report = run(parts);
  EXPECT_EQ(ok(report), 50u);
  EXPECT_EQ(count(report, ClientResult::server_error), 49u);
  parts.load = R"(, "timeout": "20ms")";
  report = run(parts);
  EXPECT_EQ(count(report, ClientResult::timed_out), 50u);
  EXPECT_EQ(count(report, ClientResult::server_error), 49u) << "though its client has left";
}

// Two clients without a pause, and one place: each waits for the other's 50 ms.
TEST(Drip, LetsTheNextOneInAtItsEnd) {
  Parts parts = calm(drip("40ms"));
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1})";
  parts.arrivals = R"({"closed": {"clients": 2}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), report.total.count());
  EXPECT_NEAR(static_cast<double>(report.total.latency.quantile(0.5).count()), 100e6, 100e3);
}

// What it says when it is asked: the body counts.
TEST(Drip, IsPartOfTheLatencyThatABackendTells) {
  Parts parts = calm(drip("50ms"));
  parts.backends = 2;
  parts.strategy = R"("prequal")";
  EXPECT_LT(share(run(parts), "b1"), 0.3);
}

// The cookie is in the head, and the first request goes to b1.
TEST(Parts, ASessionBeginsWithTheHead) {
  Parts parts = calm(drip("50ms"));
  parts.backends = 2;
  parts.cluster = R"(, "affinity": {"cookie": {}})";
  parts.load = R"(, "clients": 1)";
  EXPECT_EQ(share(run(parts), "b1"), 1);
}

// Requests of 5.1 and 5.2 s had their heads by 5.212 s, before the recovery.
TEST(Drip, GoesOnWhereItHadBegunAndNowhereElseAfterARecovery) {
  const Report report = run(
      calm(fault("drip", R"(, "over": "1s")", "5050ms") + "," + fault("recover", "", "5250ms")));
  EXPECT_EQ(ok(report), 99u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms + 1s);
  EXPECT_LE(report.total.latency.quantile(0.975), kOverNewConnection + 10ms);
  EXPECT_GT(report.total.latency.quantile(0.985), 1s) << "two of 99";
}

// The request of 5 s is served at 5.012 s. Of its parts, 25 ms from each other, the first has left
// when the process stands still at 5.05 s; the second does at 6.05 s, and the rest 150 ms after it.
TEST(Drip, StandsStillInAHang) {
  Parts parts = calm(drip("200ms") + "," + fault("hang", "", "5050ms") + "," +
                     fault("recover", "", "6050ms"));
  parts.arrivals = R"({"constant": {"rate": 1}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 9u);
  EXPECT_EQ(report.total.latency.max(), 1050ms + 150ms + 2 * kOneWay);
}

// It is in the middle of its body then.
TEST(Drip, BreaksInACrash) {
  Parts parts = calm(drip("200ms") + "," + fault("crash", "", "5050ms") + "," +
                     fault("recover", "", "5500ms"));
  parts.arrivals = R"({"constant": {"rate": 1}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 8u);
  EXPECT_EQ(outcome(report, "cut"), 1u);
  EXPECT_EQ(outcome(report, "success"), 8u);
}

// Its answers are 300 ms longer under way until 1.055 s. What was sent before arrives at 1.354 s
// last, and so does what was sent after.
TEST(Drip, KeepsItsPartsInOrderOnAPathThatBecomesShorter) {
  Parts parts = calm(drip("80ms") + "," + fault("slow", R"(, "add": "300ms")") + "," +
                     fault("recover", "", "1055ms"));
  parts.arrivals = R"({"constant": {"rate": 1}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 9u);
  EXPECT_EQ(report.total.latency.max(), 355ms + kOneWay);
}

// A daemon that is gone leaves its backends at work.
TEST(Drip, OutlivesItsDaemon) {
  Parts parts = calm(drip("200ms") + R"(, {"at": "5050ms", "daemon": 0, "fault": "crash",
                                           "for": "100ms"})");
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1, "queue": 0})";
  parts.arrivals = R"({"constant": {"rate": 1}})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 8u);
  EXPECT_EQ(outcome(report, "daemon_gone"), 1u);
}

}  // namespace
}  // namespace lb::sim
