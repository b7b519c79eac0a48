// Goal: what the control brain and the rate limiter decide holds in the simulated daemon: outliers
// get nothing while they are ejected, and one limit is kept by all workers together.
// Method: a calm cluster, so that what passes can be counted by hand.
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;
using scenario::Report;

// -- Outlier ejection

Parts failing_backend(const std::string& ejection) {
  Parts parts;
  parts.backends = 3;
  parts.cluster = R"(, "outlier_ejection": )" + ejection;
  parts.events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio", "ratio": 1})";
  return parts;
}

TEST(SimulatedEjection, ABackendThatFailsIsOutAfterFiveFailures) {
  const Report report = run(failing_backend("{}"));
  EXPECT_EQ(count(report, ClientResult::server_error), 5u);
  EXPECT_EQ(ok(report), report.total.count() - 5);
}

TEST(SimulatedEjection, ItComesBackAndIsOutTwiceAsLongEachTime) {
  // Out for 1 s, 2 s and 3 s of the 10 s: four times five failures, each as soon as it is back.
  const Report report = run(failing_backend(R"({"base_ejection_time": "1s", "interval": "1h"})"));
  EXPECT_EQ(count(report, ClientResult::server_error), 20u);
}

TEST(SimulatedEjection, SeveralWorkersFindItTogether) {
  Parts parts = failing_backend("{}");
  parts.config = R"(, "workers": 4)";
  parts.load = R"(, "clients": 100)";
  const Report report = run(parts);
  EXPECT_EQ(count(report, ClientResult::server_error), 5u)
      << "20 ms between requests: every worker's report is in before the next failure";
}

TEST(SimulatedEjection, DetectOnlyEjectsNobody) {
  const Report report = run(failing_backend(R"({"detect_only": true})"));
  EXPECT_NEAR(static_cast<double>(count(report, ClientResult::server_error)), 499 / 3.0, 1);
}

// -- Rate limit

// 499 requests, 20 ms apart. After a burst of 5 one passes every 100 ms: 99.6 of them in the
// 9.96 s between the first and the last.
TEST(SimulatedRateLimit, PassesTheBurstAndTheRate) {
  Parts parts;
  parts.load = R"(, "clients": 1)";
  parts.config = R"(, "rate_limit": {"rate": 10, "burst": 5})";
  const Report report = run(parts);
  EXPECT_EQ(report.total.count(), 499u);
  EXPECT_EQ(report.balancer.requests, 104u);
  EXPECT_EQ(ok(report), 499u) << "429 is an answer";
}

TEST(SimulatedRateLimit, IsOneForAllWorkers) {
  Parts parts;
  parts.load = R"(, "clients": 100)";
  parts.config = R"(, "workers": 4, "rate_limit": {"key": "path", "rate": 10, "burst": 5})";
  EXPECT_EQ(run(parts).balancer.requests, 104u);
}

TEST(SimulatedRateLimit, EveryClientHasItsOwn) {
  Parts parts;
  parts.arrivals = R"({"closed": {"clients": 10, "think_time": {"constant": "100ms"}}})";
  parts.config = R"(, "rate_limit": {"rate": 0.001, "burst": 3})";
  EXPECT_EQ(run(parts).balancer.requests, 30u);
}

TEST(SimulatedRateLimit, TheRunIsTheSameTwice) {
  Parts parts = failing_backend("{}");
  parts.load = R"(, "clients": 100)";
  parts.config = R"(, "workers": 4, "rate_limit": {"rate": 1, "burst": 5, "max_keys": 10})";
  EXPECT_EQ(run(parts).digest, run(parts).digest);
}

}  // namespace
}  // namespace lb::sim
