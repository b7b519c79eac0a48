// Goal: who is eligible, and what a change of health, configuration or a sibling's load does.
// Method: the spoken fixture; round robin shows the eligible set, least_connections the loads.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

using MembershipTest = BalancerFixture;

// -- Health

TEST_F(MembershipTest, UnknownHealthIsEligibleWithoutAHealthCheck) {
  EXPECT_EQ(eligible(), (Names{"b1", "b2", "b3"}));
}

TEST_F(MembershipTest, UnknownHealthIsNotEligibleWithAHealthCheck) {
  have_health_check();
  EXPECT_EQ(eligible(), Names{});
  make_healthy("b2");
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"}));
}

TEST_F(MembershipTest, UnhealthyTakesNothingNewAndFinishesWhatItHas) {
  have_health_check();
  for (const char* name : {"b1", "b2", "b3"}) make_healthy(name);
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  make_unhealthy("b1");
  EXPECT_EQ(next_picks(4), (Names{"b2", "b3", "b2", "b3"}));
  EXPECT_EQ(status("b1").in_flight, 1u);
  send(a);
  answer(a);
  finish(a);
  EXPECT_EQ(actions(), Names{"close c1"}) << "not kept for a backend that is unhealthy";
  EXPECT_EQ(ended(Outcome::success), 1u);
}

TEST_F(MembershipTest, UnhealthyClosesIdleConnections) {
  have_health_check();
  make_healthy("b1");
  serve();
  make_unhealthy("b1");
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(status("b1").idle_connections, 0u);
  make_healthy("b1");
  EXPECT_FALSE(request().reused);
}

TEST_F(MembershipTest, HealthOfAnUnknownBackendIsIgnored) {
  balancer().handle_health(Instant{1h}, BackendId{99}, HealthState::unhealthy);
  EXPECT_EQ(eligible().size(), 3u);
}

// -- Operator's orders

TEST_F(MembershipTest, DrainingAndDisabledTakeNothingNew) {
  backend("b1").state = AdminState::draining;
  backend("b3").state = AdminState::disabled;
  EXPECT_EQ(next_picks(3), (Names{"b2", "b2", "b2"}));
}

TEST_F(MembershipTest, DrainingFinishesWhatItHasForAsLongAsItTakes) {
  config.timeouts.idle = 10h;
  const Assignment a = request();
  send(a);
  answer(a);
  backend("b1").state = AdminState::draining;
  reload();
  advance(5h);
  EXPECT_EQ(actions(), Names{}) << "only a removed backend has a deadline";
  finish(a);
  EXPECT_EQ(ended(Outcome::success), 1u);
}

TEST_F(MembershipTest, DrainingClosesIdleConnections) {
  serve();
  backend("b1").state = AdminState::draining;
  reload();
  EXPECT_EQ(actions(), Names{"close c1"});
}

// -- Reload

TEST_F(MembershipTest, AReloadKeepsCountsAndConnections) {
  serve();                            // b1
  serve();                            // b2
  const Assignment open = request();  // b3
  reload();
  EXPECT_EQ(status("b1").picked, 1u);
  EXPECT_EQ(status("b1").outcomes[Outcome::success], 1u);
  EXPECT_EQ(status("b1").idle_connections, 1u);
  EXPECT_EQ(status("b3").in_flight, 1u);
  EXPECT_EQ(balancer().counters().requests, 3u);
  EXPECT_EQ(actions(), Names{});
  EXPECT_TRUE(request().reused);
  send(open);
  answer(open);
  finish(open);
  EXPECT_EQ(status("b3").in_flight, 0u);
}

TEST_F(MembershipTest, AReloadKeepsTheTurn) {
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"}));
  have_backends({"b3", "b1", "b4", "b2"});
  reload();
  EXPECT_EQ(next_picks(5), (Names{"b3", "b4", "b1", "b2", "b3"})) << "by id, not by place";
}

TEST_F(MembershipTest, AReloadChangesTheStrategy) {
  EXPECT_EQ(next_picks(1), Names{"b1"});
  config.strategy = LeastConnectionsConfig{};
  report_load(0, {{"b2", 2}});
  reload();
  EXPECT_EQ(next_picks(2), (Names{"b3", "b1"})) << "it knows the loads there are";
}

TEST_F(MembershipTest, AReloadChangesWeights) {
  config.strategy = WeightedRoundRobinConfig{};
  have_backends({"b1", "b2"});
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"}));
  backend("b1").weight = 3;
  reload();
  EXPECT_EQ(next_picks(4), (Names{"b1", "b1", "b2", "b1"}));
}

TEST_F(MembershipTest, ABackendThatComesBackIsAnotherOne) {
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  const BackendId before = id_of("b1");
  have_backends({"b2"});
  reload();
  have_backends({"b1", "b2"});
  reload();
  EXPECT_NE(id_of("b1"), before);
  EXPECT_EQ(status("b1").in_flight, 0u);
  EXPECT_EQ(status("b1").picked, 0u);
  EXPECT_TRUE(known(before)) << "it still finishes what it has";
  leave(a);
  EXPECT_FALSE(known(before));
  EXPECT_EQ(status("b1").outcomes.total(), 0u);
}

TEST_F(MembershipTest, RemovalClosesIdleConnectionsAtOnce) {
  serve();
  have_backends({"b2", "b3"});
  reload();
  EXPECT_EQ(actions(), Names{"close c1"});
}

TEST_F(MembershipTest, ALowerCapClosesTheOldestConnections) {
  have_backends({"b1"});
  std::vector<Assignment> all;
  for (int n = 0; n < 4; ++n) all.push_back(request());
  for (const Assignment& a : all) send(a), answer(a), finish(a);
  config.connection_pool.max_idle_per_backend = 1;
  reload();
  EXPECT_EQ(actions(), (Names{"close c1", "close c2", "close c3"}));
  EXPECT_EQ(status("b1").idle_connections, 1u);
}

TEST_F(MembershipTest, ARetryGoesToABackendThatJoinedMeanwhile) {
  have_backends({"b1"});
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  have_backends({"b1", "b9"});
  reload();
  EXPECT_EQ(who(retry(a)), "b9");
}

TEST_F(MembershipTest, AReloadThatAllowsFewerAttemptsHoldsForWhatIsUnderWay) {
  const Assignment a = request();
  config.retries.attempts = 1;
  reload();
  EXPECT_EQ(fail(a, AttemptFailure::reset).kind, NextStep::Kind::give_up);
}

// Control assumes that they are healthy; a Balancer that kept `unknown` would stop serving, and no
// later probe would report a change.
TEST_F(MembershipTest, AHealthCheckThatIsAddedKeepsTheClusterServing) {
  balancer();
  have_health_check();
  ClusterPlan plan{ClusterId{0}, config, {id_of("b1"), id_of("b2"), id_of("b3")}, {}};
  plan.health.assign(3, HealthState::healthy);
  balancer().handle_config(Instant{1h}, plan);
  EXPECT_EQ(eligible(), (Names{"b1", "b2", "b3"}));
}

// -- Siblings

TEST_F(MembershipTest, SiblingLoadCountsLikeOwn) {
  config.strategy = LeastConnectionsConfig{};
  report_load(0, {{"b1", 2}, {"b2", 1}});
  EXPECT_EQ(next_picks(2), (Names{"b3", "b2"})) << "0 in flight, then a tie picked longest ago";
  EXPECT_EQ(status("b1").in_flight, 0u) << "the status is this worker's alone";
}

TEST_F(MembershipTest, ASiblingReportTakesTheEarlierOneBack) {
  config.strategy = LeastConnectionsConfig{};
  have_backends({"b1", "b2"});
  report_load(0, {{"b1", 5}});
  report_load(0, {{"b2", 3}});
  EXPECT_EQ(next_picks(3), (Names{"b1", "b1", "b1"}));
  report_load(0, {});
  EXPECT_EQ(next_picks(3), (Names{"b2", "b2", "b2"})) << "3 to 0: the empty report took all back";
}

TEST_F(MembershipTest, SiblingsAddUp) {
  config.strategy = LeastConnectionsConfig{};
  have_backends({"b1", "b2"});
  report_load(0, {{"b1", 2}});
  report_load(7, {{"b1", 2}, {"b2", 3}});
  EXPECT_EQ(next_picks(2), (Names{"b2", "b1"})) << "4 to 3, then a tie picked longest ago";
  report_load(7, {});
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"})) << "3 to 1";
}

TEST_F(MembershipTest, AReportAboutAnUnknownBackendIsNotTakenBackLater) {
  config.strategy = LeastConnectionsConfig{};
  have_backends({"b1", "b2"});
  balancer().handle_sibling_load(Instant{1h}, 0, {{id_of("b1"), 1}, {BackendId{3}, 9}});
  have_backends({"b1", "b2", "b3"});  // It gets the id 3.
  reload();
  ASSERT_EQ(id_of("b3"), BackendId{3});
  EXPECT_EQ(next_picks(1), Names{"b2"});
  report_load(0, {});  // Nothing of b3 was counted, so nothing of it may be taken back.
  EXPECT_EQ(next_picks(2), (Names{"b1", "b3"}));
}

TEST_F(MembershipTest, TheSameReportCountsOnceTheBackendIsKnown) {
  config.strategy = LeastConnectionsConfig{};
  have_backends({"b1"});
  balancer().handle_sibling_load(Instant{1h}, 0, {{BackendId{2}, 2}});
  have_backends({"b1", "b2"});
  reload();
  balancer().handle_sibling_load(Instant{1h}, 0, {{BackendId{2}, 2}});
  EXPECT_EQ(next_picks(2), (Names{"b1", "b1"}));
}

TEST_F(MembershipTest, AReportOutlivesItsBackend) {
  config.strategy = LeastConnectionsConfig{};
  have_backends({"b1", "b2", "b3"});
  report_load(0, {{"b1", 4}, {"b2", 1}});
  const std::vector<BackendLoad> about_b1{{id_of("b1"), 2}};
  have_backends({"b2", "b3", "b4"});  // b4 takes the place b1 had in the table.
  reload();
  EXPECT_EQ(next_picks(2), (Names{"b3", "b4"}));
  balancer().handle_sibling_load(Instant{1h}, 0, about_b1);
  report_load(0, {{"b4", 1}});
  EXPECT_EQ(next_picks(1), Names{"b2"}) << "0, after 1 was taken back";
}

TEST_F(MembershipTest, ASiblingMayReportARemovedBackendThatIsStillFinishing) {
  config.strategy = LeastConnectionsConfig{};
  const Assignment a = request();
  const std::vector<BackendLoad> about_b1{{id_of("b1"), 6}};
  have_backends({"b2", "b3"});
  reload();
  balancer().handle_sibling_load(Instant{1h}, 0, about_b1);
  leave(a);
  balancer().handle_sibling_load(Instant{1h}, 0, {});
  EXPECT_EQ(next_picks(2), (Names{"b2", "b3"}));
}

TEST_F(MembershipTest, OwnLoadIsWhatIsInFlightSortedById) {
  have_backends({"b3", "b1", "b2"});  // Ids 1, 2, 3 in this order.
  next_picks(5);
  EXPECT_EQ(balancer().own_load(),
            (std::vector<BackendLoad>{{BackendId{1}, 2}, {BackendId{2}, 2}, {BackendId{3}, 1}}));
}

}  // namespace
}  // namespace lb
