// Goal: nobody gets more than it may have in flight, whoever sent it, and what ends is counted
// back. Method: the spoken fixture; round robin shows who is passed over. Without a queue, who
// finds no place is refused at once.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

using LimitsTest = BalancerFixture;

TEST_F(LimitsTest, ABackendTakesAsManyAsItMay) {
  config.limits.max_in_flight_per_backend = 2;
  EXPECT_EQ(next_picks(6), (Names{"b1", "b2", "b3", "b1", "b2", "b3"}));
  EXPECT_EQ(refused(), Outcome::over_limit);
  EXPECT_EQ(ended(Outcome::over_limit), 1u);
  expect_books_balance();
}

TEST_F(LimitsTest, AFullBackendLosesItsTurnAndNobodyElseDoes) {
  config.limits.max_in_flight_per_backend = 2;
  report_load(0, {{"b2", 2}});
  EXPECT_EQ(next_picks(4), (Names{"b1", "b3", "b1", "b3"}));
}

TEST_F(LimitsTest, TheEndOfARequestMakesRoom) {
  config.limits.max_in_flight_per_backend = 1;
  const Assignment a = request();
  const Assignment b = request();
  const Assignment c = request();
  EXPECT_EQ(refused(), Outcome::over_limit);
  send(b), answer(b), finish(b);
  EXPECT_EQ(next_picks(1), Names{"b2"});
  leave(c);
  EXPECT_EQ(next_picks(1), Names{"b3"});
  fail(a, AttemptFailure::reset, kPostSent);
  EXPECT_EQ(next_picks(1), Names{"b1"});
  EXPECT_EQ(refused(), Outcome::over_limit);
}

TEST_F(LimitsTest, SaysWhoIsFull) {
  config.limits.max_in_flight_per_backend = 1;
  request();
  EXPECT_EQ(eligible(), (Names{"b2", "b3"}));
  EXPECT_EQ(status("b1").exclusion, Exclusion::at_limit);
  EXPECT_EQ(status("b2").exclusion, Exclusion::none);
}

TEST_F(LimitsTest, TheClusterTakesAsManyAsItMay) {
  config.limits.max_in_flight = 2;
  const Assignment a = request();
  request();
  EXPECT_EQ(refused(), Outcome::over_limit);
  EXPECT_EQ(eligible().size(), 3u) << "each of them has room";
  leave(a);
  EXPECT_EQ(next_picks(1), Names{"b3"});
  EXPECT_EQ(refused(), Outcome::over_limit);
}

TEST_F(LimitsTest, ZeroIsNoLimit) {
  have_backends({"b1"});
  config.limits = {};
  EXPECT_EQ(next_picks(1000).size(), 1000u);
}

TEST_F(LimitsTest, WhatSiblingsHaveInFlightCounts) {
  config.limits.max_in_flight_per_backend = 3;
  report_load(0, {{"b1", 1}, {"b2", 3}});
  report_load(1, {{"b1", 1}});
  EXPECT_EQ(next_picks(4), (Names{"b1", "b3", "b3", "b3"}));
  EXPECT_EQ(refused(), Outcome::over_limit);
  report_load(0, {{"b2", 2}});
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"}));
  EXPECT_EQ(refused(), Outcome::over_limit);
}

TEST_F(LimitsTest, WhatSiblingsHaveInFlightCountsForTheCluster) {
  config.limits.max_in_flight = 10;
  report_load(0, {{"b1", 4}, {"b2", 4}});
  next_picks(2);
  EXPECT_EQ(refused(), Outcome::over_limit);
  report_load(0, {});
  EXPECT_EQ(next_picks(8).size(), 8u);
  EXPECT_EQ(refused(), Outcome::over_limit);
}

// Two workers that each filled the backend before they heard of each other.
TEST_F(LimitsTest, MoreThanTheLimitIsWaitedOut) {
  have_backends({"b1"});
  config.limits.max_in_flight_per_backend = 2;
  const Assignment a = request();
  const Assignment b = request();
  report_load(0, {{"b1", 2}});
  leave(a);
  EXPECT_EQ(refused(), Outcome::over_limit) << "3 in flight";
  leave(b);
  EXPECT_EQ(refused(), Outcome::over_limit) << "2 in flight";
  report_load(0, {{"b1", 1}});
  EXPECT_EQ(next_picks(1), Names{"b1"});
}

// -- Retries

TEST_F(LimitsTest, ARetryNeedsAPlaceLikeAnyOther) {
  config.limits.max_in_flight_per_backend = 1;
  const Assignment a = request();
  next_picks(2);
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(next_picks(1), Names{"b1"}) << "its old place is taken";
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  EXPECT_EQ(refused_when_due(a.request), Outcome::over_limit);
  expect_books_balance();
}

TEST_F(LimitsTest, ARetryGoesWhereItFailedWhenNobodyElseHasRoom) {
  config.limits.max_in_flight_per_backend = 1;
  const Assignment a = request();
  next_picks(2);
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(who(retry(a)), "b1");
}

TEST_F(LimitsTest, AWaitingRetryHoldsNoPlace) {
  config.limits.max_in_flight = 1;
  config.retries.backoff = {.base = 1s, .max = 1s};
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(next_picks(1).size(), 1u);
}

// -- Reload

TEST_F(LimitsTest, ALowerLimitHoldsForWhatIsUnderWay) {
  have_backends({"b1"});
  const Assignment a = request();
  const Assignment b = request();
  config.limits.max_in_flight_per_backend = 1;
  reload();
  EXPECT_EQ(refused(), Outcome::over_limit);
  leave(a);
  EXPECT_EQ(refused(), Outcome::over_limit);
  leave(b);
  EXPECT_EQ(next_picks(1), Names{"b1"});
}

TEST_F(LimitsTest, AHigherLimitHoldsAtOnce) {
  have_backends({"b1"});
  config.limits.max_in_flight_per_backend = 1;
  request();
  EXPECT_EQ(refused(), Outcome::over_limit);
  config.limits.max_in_flight_per_backend = 2;
  reload();
  next_picks(1);
  EXPECT_EQ(refused(), Outcome::over_limit);
  config.limits.max_in_flight_per_backend = 0;
  reload();
  EXPECT_EQ(next_picks(50).size(), 50u);
}

// What a removed backend still works on is the cluster's load until it is gone, siblings' part too.
TEST_F(LimitsTest, ARemovedBackendTakesItsLoadWithIt) {
  config.limits.max_in_flight = 5;
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  report_load(0, {{"b1", 4}});
  have_backends({"b2", "b3"});
  reload();
  EXPECT_EQ(refused(), Outcome::over_limit);
  leave(a);
  EXPECT_EQ(next_picks(5).size(), 5u) << "the four of the sibling went with it";
  EXPECT_EQ(refused(), Outcome::over_limit);
  balancer().handle_sibling_load(Instant{1h}, 0, {});
  EXPECT_EQ(refused(), Outcome::over_limit) << "and are not taken back a second time";
}

// With a limit of one the sum of all loads shows: one more goes if and only if it is zero.
TEST_F(LimitsTest, AllLoadIsGivenBackHoweverItEnds) {
  config.limits.max_in_flight = 1;
  config.retries.attempts = 2;
  config.retries.budget_floor = 100;
  const auto expect_no_load = [&] {
    const Assignment probe = request();
    EXPECT_EQ(refused(), Outcome::over_limit);
    leave(probe);
  };
  serve();
  expect_no_load();
  leave(request());
  expect_no_load();
  Assignment a = request();
  fail(a, AttemptFailure::reset);
  expect_no_load();
  a = retry(a);
  fail(a, AttemptFailure::reset);
  expect_no_load();
  a = request();
  fail(a, AttemptFailure::reset);
  leave(a);
  expect_no_load();
  a = request({.pooled = false});
  connect(a);
  finish(a);
  expect_no_load();
  report_load(3, {{"b1", 7}, {"b2", 1}});
  EXPECT_EQ(refused(), Outcome::over_limit);
  have_backends({"b2", "b3"});
  reload();
  report_load(3, {});
  expect_no_load();
  have_backends({"b1", "b2", "b3"});
  reload();
  expect_no_load();
}

}  // namespace
}  // namespace lb
