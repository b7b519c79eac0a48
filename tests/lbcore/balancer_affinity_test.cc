// Goal: a client stays with its backend for as long as that backend can take it, and moves once,
// with a new cookie, when it cannot.
// Method: the spoken fixture; a session is a request that names its backend. Round robin would send
// every request elsewhere.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class AffinityTest : public BalancerFixture {
 protected:
  AffinityTest() { config.affinity.emplace(); }
  RequestInput session(const std::string& name) { return {.session = id_of(name)}; }
  std::uint64_t moved() { return balancer().counters().sessions_moved; }
};

TEST_F(AffinityTest, AFirstRequestGetsASession) {
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  EXPECT_TRUE(a.new_session);
  EXPECT_EQ(a.reason, PickReason::in_turn);
  EXPECT_EQ(moved(), 0u);
}

TEST_F(AffinityTest, ASessionIsKept) {
  for (int n = 0; n < 4; ++n) {
    const Assignment a = request(session("b2"));
    EXPECT_EQ(who(a), "b2");
    EXPECT_FALSE(a.new_session);
    EXPECT_EQ(a.reason, PickReason::sticky);
  }
  EXPECT_EQ(moved(), 0u);
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"})) << "nobody lost a turn";
}

TEST_F(AffinityTest, WithoutItACookieMeansNothing) {
  config.affinity.reset();
  const Assignment a = request(session("b2"));
  EXPECT_EQ(who(a), "b1");
  EXPECT_FALSE(a.new_session);
  EXPECT_EQ(moved(), 0u);
}

TEST_F(AffinityTest, ABackendNobodyKnowsIsReplaced) {
  const Assignment a = request({.session = BackendId{77}});
  EXPECT_EQ(who(a), "b1");
  EXPECT_TRUE(a.new_session);
  EXPECT_EQ(moved(), 1u);
}

TEST_F(AffinityTest, AnUnhealthyOrEjectedOneIsReplaced) {
  have_health_check();
  for (const char* name : {"b1", "b2", "b3"}) make_healthy(name);
  make_unhealthy("b2");
  EXPECT_EQ(who(request(session("b2"))), "b1");
  eject("b1");
  const Assignment a = request(session("b1"));
  EXPECT_EQ(who(a), "b3");
  EXPECT_TRUE(a.new_session);
  EXPECT_EQ(moved(), 2u);
  make_healthy("b2");
  EXPECT_EQ(who(request(session("b2"))), "b2") << "its cookie was never changed";
}

TEST_F(AffinityTest, APanicKeepsItsSessions) {
  have_health_check();
  config.panic_threshold = 50;
  for (const char* name : {"b1", "b2", "b3"}) make_unhealthy(name);
  const Assignment a = request(session("b2"));
  EXPECT_EQ(who(a), "b2");
  EXPECT_FALSE(a.new_session);
}

TEST_F(AffinityTest, DrainingKeepsItsSessionsAndTakesNobodyElse) {
  backend("b2").state = AdminState::draining;
  const Assignment a = request(session("b2"));
  EXPECT_EQ(who(a), "b2");
  EXPECT_EQ(a.reason, PickReason::sticky);
  EXPECT_FALSE(a.new_session);
  EXPECT_EQ(next_picks(3), (Names{"b1", "b3", "b1"}));
  send(a), answer(a), finish(a);
  EXPECT_EQ(status("b2").in_flight, 0u);
  EXPECT_EQ(status("b2").idle_connections, 1u);
  EXPECT_TRUE(request(session("b2")).reused) << "its sessions will come again";
}

TEST_F(AffinityTest, AReloadKeepsTheConnectionsOfADrainingBackend) {
  backend("b2").state = AdminState::draining;
  const Assignment a = request(session("b2"));
  send(a), answer(a), finish(a);
  reload();
  EXPECT_EQ(actions(), Names{});
  EXPECT_EQ(status("b2").idle_connections, 1u);
}

TEST_F(AffinityTest, DrainingKeepsSessionsOnlyWhileItIsWell) {
  have_health_check();
  for (const char* name : {"b1", "b2", "b3"}) make_healthy(name);
  backend("b2").state = AdminState::draining;
  reload();
  EXPECT_EQ(who(request(session("b2"))), "b2");
  eject("b2");
  EXPECT_NE(who(request(session("b2"))), "b2");
  eject("b2", false);
  EXPECT_EQ(who(request(session("b2"))), "b2");
  make_unhealthy("b2");
  EXPECT_NE(who(request(session("b2"))), "b2");
}

TEST_F(AffinityTest, DisabledAndRemovedDoNot) {
  const RequestInput to_b2 = session("b2");
  const RequestInput to_b3 = session("b3");
  const Assignment held = request(to_b3);
  backend("b2").state = AdminState::disabled;
  reload();
  EXPECT_NE(who(request(to_b2)), "b2");
  have_backends({"b1", "b2"});
  reload();
  ASSERT_TRUE(known(to_b3.session.value())) << "it still finishes what it has";
  EXPECT_NE(who(request(to_b3)), "b3");
  leave(held);
  EXPECT_NE(who(request(to_b3)), "b3");
  EXPECT_EQ(moved(), 3u);
}

TEST_F(AffinityTest, ABackupOutOfUseDoesNotKeepASession) {
  backend("b3").priority = 1;
  const Assignment a = request(session("b3"));
  EXPECT_EQ(who(a), "b1");
  EXPECT_TRUE(a.new_session);
}

TEST_F(AffinityTest, AtItsLimitTheSessionMoves) {
  config.limits.max_in_flight_per_backend = 1;
  request(session("b2"));
  const Assignment a = request(session("b2"));
  EXPECT_EQ(who(a), "b1");
  EXPECT_TRUE(a.new_session);
  EXPECT_EQ(moved(), 1u);
}

TEST_F(AffinityTest, WithItsBreakerOpenTheSessionMoves) {
  config.circuit_breaker = {.consecutive_failures = 1};
  fail(request(session("b2")), AttemptFailure::reset, kPostSent);
  EXPECT_EQ(who(request(session("b2"))), "b1");
  advance(10s);
  const Assignment trial = request(session("b2"));
  EXPECT_EQ(who(trial), "b2") << "a session may be the trial";
  EXPECT_NE(who(request(session("b2"))), "b2") << "and the next may not";
}

TEST_F(AffinityTest, InAFullClusterASessionWaitsLikeAnyOther) {
  config.limits = {.max_in_flight = 1, .queue = 5};
  const Assignment a = request();
  const RequestId waiting = queue(session("b3"));
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  const Assignment b = start_due(waiting);
  EXPECT_EQ(who(b), "b3");
  EXPECT_EQ(b.reason, PickReason::sticky);
}

// -- Retries: the session is the client's, and the cookie names who answered.

TEST_F(AffinityTest, ARetryMovesTheSessionOnce) {
  const Assignment a = request(session("b2"));
  fail(a, AttemptFailure::reset);
  const Assignment second = retry(a);
  EXPECT_NE(who(second), "b2");
  EXPECT_TRUE(second.new_session);
  EXPECT_EQ(moved(), 1u);
  fail(second, AttemptFailure::reset);
  const Assignment third = retry(second);
  EXPECT_TRUE(third.new_session);
  EXPECT_EQ(moved(), 1u) << "one session, however many attempts it took";
}

TEST_F(AffinityTest, ARetryOfAFirstRequestMovesNoSession) {
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  EXPECT_TRUE(retry(a).new_session);
  EXPECT_EQ(moved(), 0u) << "there was none";
}

TEST_F(AffinityTest, ARetryOnTheSameBackendStillGetsItsSession) {
  have_backends({"b1"});
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  EXPECT_TRUE(retry(a).new_session) << "the client has no cookie yet";
}

TEST_F(AffinityTest, ARetryThatComesBackToTheSessionsBackendKeepsIt) {
  have_backends({"b1", "b2"});
  Assignment a = request(session("b2"));
  fail(a, AttemptFailure::reset);
  a = retry(a);
  EXPECT_EQ(who(a), "b1");
  fail(a, AttemptFailure::reset);
  report_load(0, {});
  make_unhealthy("b1");
  have_backends({"b2"});
  reload();
  a = retry(a);
  EXPECT_EQ(who(a), "b2");
  EXPECT_FALSE(a.new_session) << "its cookie names b2 already";
}

}  // namespace
}  // namespace lb
