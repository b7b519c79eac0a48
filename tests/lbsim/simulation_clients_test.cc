// Goal: clients that try again do so as often, as late and at whose cost the scenario says.
// Method: times worked out by hand from the delays of scenarios.h.
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;

// Every answer is a 500: each request is tried three times, and is one request in the figures.
TEST(ClientRetries, EveryTryIsARequestForTheBalancer) {
  const auto report = run({.arrivals = R"({"constant": {"rate": 10}})",
                           .load = R"(, "retries": {"attempts": 3, "backoff": "5ms"})",
                           .events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio",
                                         "ratio": 1})"});
  EXPECT_EQ(report.total.count(), 99u);
  EXPECT_EQ(count(report, ClientResult::server_error), 99u);
  EXPECT_EQ(report.balancer.requests, 3 * 99u);
  EXPECT_EQ(report.client_retries, 2 * 99u);
}

// The first try, sent at 1 s, ends as a 500 at 1 s + 16 ms; the second one leaves 50 ms later and
// takes 14 ms over the open connection.
TEST(ClientRetries, LatencyCountsFromTheFirstTry) {
  const auto report = run({.arrivals = R"({"constant": {"rate": 1}})",
                           .load = R"(, "retries": {"attempts": 2, "backoff": "50ms"})",
                           .duration = "1500ms",
                           .events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio",
                                         "ratio": 1},
                                        {"at": "1020ms", "backend": "b1", "fault": "recover"})"});
  EXPECT_EQ(ok(report), 1u);
  EXPECT_EQ(report.total.latency.max(), 16ms + 50ms + 14ms);
}

// What was begun before the end is tried to its end: nothing is lost from the figures.
TEST(ClientRetries, GoOnAfterTheLastArrival) {
  const auto report = run({.arrivals = R"({"constant": {"rate": 1}})",
                           .load = R"(, "retries": {"attempts": 5, "backoff": "3s"})",
                           .duration = "1500ms",
                           .events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio",
                                         "ratio": 1})"});
  EXPECT_EQ(count(report, ClientResult::server_error), 1u);
  EXPECT_EQ(report.balancer.requests, 5u);
}

TEST(ClientRetries, AreNotMadeOfGoodAnswers) {
  const auto report = run({.load = R"(, "retries": {"attempts": 5})"});
  EXPECT_EQ(report.balancer.requests, report.total.count());
  EXPECT_EQ(report.client_retries, 0u);
}

bool all_to_one(const scenario::Report& report) {
  const std::uint64_t first = report.backends.at("b1").count();
  return first == 0 || first == report.total.count();
}

// One client has one address, so it is hashed to one backend; as one whose session is a single
// request it is somebody else each time.
TEST(ClientSessions, BringOtherClients) {
  Parts parts{.backends = 2, .strategy = R"("ip_hash")", .load = R"(, "clients": {"count": 1})"};
  EXPECT_TRUE(all_to_one(run(parts)));
  parts.load = R"(, "clients": {"count": 1, "session": 1})";
  // 499 fair coins: five standard deviations are 56.
  const auto report = run(parts);
  EXPECT_NEAR(static_cast<double>(report.backends.at("b1").count()), 499 / 2.0, 56);
}

// A cookie is the client's: it goes when the client does.
TEST(ClientSessions, TakeTheirCookiesAlong) {
  Parts parts{.backends = 2,
              .strategy = R"("random")",
              .cluster = R"(, "affinity": {"cookie": {"name": "sid", "ttl": "1h"}})",
              .load = R"(, "clients": {"count": 1})"};
  EXPECT_TRUE(all_to_one(run(parts)));
  parts.load = R"(, "clients": {"count": 1, "session": 1})";
  EXPECT_NEAR(share(run(parts), "b1"), 0.5, 56 / 499.0);
}

}  // namespace
}  // namespace lb::sim
