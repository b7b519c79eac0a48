// Goal: retries under way never exceed their budget, and a denied one still ends well.
// Method: the spoken fixture; every request fails at once, and the allowed retries are counted
// against the formula at each step.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;
using Kind = NextStep::Kind;

class BudgetTest : public BalancerFixture {
 protected:
  BudgetTest() {
    config.retries = {.attempts = 3, .on = {.timeout = true}, .backoff = {.base = 0ms}};
  }
  // Nothing excuses it, as may excuse a connection that breaks.
  static constexpr AttemptFailure kCharged = AttemptFailure::response_timeout;
  std::vector<Assignment> requests(int count) {
    std::vector<Assignment> all;
    for (int n = 0; n < count; ++n) all.push_back(request());
    return all;
  }
  std::uint64_t denied() { return balancer().counters().retries_denied; }
};

TEST_F(BudgetTest, AllowsItsFloorHoweverFewRequestsThereAre) {
  config.retries.budget_floor = 2;
  const auto all = requests(3);
  EXPECT_EQ(fail(all[0], kCharged).kind, Kind::retry);
  EXPECT_EQ(fail(all[1], kCharged).kind, Kind::retry);
  EXPECT_EQ(fail(all[2], kCharged).kind, Kind::give_up);
  EXPECT_EQ(denied(), 1u);
  EXPECT_EQ(balancer().counters().retries, 2u);
  expect_books_balance();
}

TEST_F(BudgetTest, AllowsItsShareOfWhatIsUnderWay) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 20;
  const auto all = requests(50);
  std::size_t active = 50;
  std::size_t retrying = 0;
  for (const Assignment& a : all) {
    const bool allowed = retrying < active * 20 / 100;
    ASSERT_EQ(fail(a, kCharged).kind, allowed ? Kind::retry : Kind::give_up) << active;
    allowed ? ++retrying : --active;
  }
  EXPECT_EQ(retrying, 10u) << "20 % of 50; by then fewer are under way, and it is no less";
  EXPECT_EQ(denied(), 40u);
}

TEST_F(BudgetTest, CountsARequestOnceAndUntilItsEnd) {
  config.retries.budget_floor = 1;
  config.retries.budget_percent = 0;
  Assignment a = request();
  fail(a, kCharged);
  a = retry(a);
  EXPECT_EQ(fail(a, kCharged).kind, Kind::retry) << "its second retry is free";
  a = retry(a);
  const Assignment b = request();
  EXPECT_EQ(fail(b, kCharged).kind, Kind::give_up) << "a still retries";
  send(a), answer(a);
  EXPECT_EQ(fail(request(), kCharged).kind, Kind::give_up) << "its answer comes";
  finish(a);
  EXPECT_EQ(fail(request(), kCharged).kind, Kind::retry);
  EXPECT_EQ(denied(), 2u);
}

TEST_F(BudgetTest, EveryEndGivesTheBudgetBack) {
  config.retries.budget_floor = 1;
  config.retries.budget_percent = 0;
  const auto starts_to_retry = [&] {
    const Assignment a = request();
    EXPECT_EQ(fail(a, kCharged).kind, Kind::retry);
    return a;
  };
  leave(starts_to_retry());  // While it waits.
  leave(retry(starts_to_retry()));
  Assignment a = retry(starts_to_retry());
  fail(a, AttemptFailure::invalid_answer);  // Gives up.
  config.limits.max_in_flight = 1;
  reload();
  a = starts_to_retry();
  const Assignment b = request();
  advance(0ms);
  EXPECT_EQ(refused_when_due(a.request), Outcome::over_limit);
  leave(b);
  starts_to_retry();
  expect_books_balance();
}

TEST_F(BudgetTest, ADeniedRetryDeliversTheAnswerThereIs) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  config.retries.on.statuses = {503};
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 503).kind, Kind::deliver);
  EXPECT_EQ(denied(), 1u);
  finish(a, Outcome::backend_error);
  expect_at_rest();
}

TEST_F(BudgetTest, OnlyTheBudgetCountsAsDenied) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  fail(request(), kCharged, kPostSent);
  fail(request(), AttemptFailure::invalid_answer);
  const Assignment a = request();
  send(a), answer(a, 500);
  config.retries.attempts = 1;
  reload();
  fail(request(), kCharged);
  EXPECT_EQ(denied(), 0u) << "none of them would have been retried anyway";
}

TEST_F(BudgetTest, AConnectionThatHadServedBreaksForFreeOnce) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  have_backends({"b1"});
  std::vector<Assignment> all = requests(3);
  for (const Assignment& a : all) send(a), answer(a), finish(a);
  for (Assignment& a : requests(3)) {
    ASSERT_TRUE(a.reused);
    ASSERT_EQ(fail(a, AttemptFailure::reset).kind, Kind::retry) << "a crash costs no request";
    advance(1ms);
    a = retry(a);
    EXPECT_FALSE(a.reused);
    EXPECT_EQ(fail(a, AttemptFailure::reset).kind, Kind::give_up) << "that is no accident";
  }
  EXPECT_EQ(denied(), 3u);
  expect_books_balance();
}

TEST_F(BudgetTest, WhatWasInFlightWhenABackendCrashedIsFree) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  have_backends({"b1", "b2"});
  std::vector<Assignment> all = requests(400);
  advance(1ms);
  const Assignment late = request_to("b1");
  for (Assignment& a : all) {
    if (who(a) != "b1") continue;
    ASSERT_FALSE(a.reused);
    ASSERT_EQ(fail(a, AttemptFailure::reset).kind, Kind::retry);
    advance(1us);  // They break one after the other.
  }
  EXPECT_EQ(fail(late, AttemptFailure::reset).kind, Kind::retry) << "nobody knew when it began";
  EXPECT_EQ(fail(request_to("b1"), AttemptFailure::reset).kind, Kind::give_up) << "now it is known";
  EXPECT_EQ(denied(), 1u);
}

TEST_F(BudgetTest, ABackendThatAnswersAgainMayCrashAgain) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  config.connection_pool.max_idle_per_backend = 0;
  have_backends({"b1"});
  EXPECT_EQ(fail(request(), AttemptFailure::reset).kind, Kind::retry);
  advance(1ms);
  EXPECT_EQ(fail(request(), AttemptFailure::reset).kind, Kind::give_up);
  const Assignment bad = request();
  send(bad), answer(bad, 500), finish(bad, Outcome::backend_error);
  const Assignment good = request();
  send(good), answer(good);
  EXPECT_EQ(fail(request(), AttemptFailure::reset).kind, Kind::give_up) << "not whole yet";
  finish(good);
  advance(1ms);
  EXPECT_EQ(fail(request(), AttemptFailure::reset).kind, Kind::retry);
}

TEST_F(BudgetTest, AConnectionThatHadServedIsNoExcuseForATimeout) {
  config.retries.budget_floor = 0;
  config.retries.budget_percent = 0;
  config.retries.on.timeout = true;
  have_backends({"b1"});
  const Assignment first = request();
  send(first), answer(first), finish(first);
  const Assignment a = request();
  ASSERT_TRUE(a.reused);
  EXPECT_EQ(fail(a, AttemptFailure::response_timeout).kind, Kind::give_up);
  EXPECT_EQ(denied(), 1u);
}

// The law, over many requests of which half fail: at no time do more retry than the budget allowed
// when the last of them began.
TEST_F(BudgetTest, NeverExceedsTheLargerOfFloorAndShare) {
  config.retries.budget_floor = 3;
  config.retries.budget_percent = 20;
  config.retries.attempts = 10;
  Prng chance{9};
  std::vector<std::pair<Assignment, bool>> under_way;  // And whether it retries.
  std::size_t most = 0;
  for (int step = 0; step < 5000; ++step) {
    if (under_way.size() < 40) under_way.emplace_back(request(), false);
    const std::size_t n = chance.below(under_way.size());
    auto& [a, retries] = under_way[n];
    const auto retrying = static_cast<std::size_t>(std::count_if(
        under_way.begin(), under_way.end(), [](const auto& each) { return each.second; }));
    if (chance.below(2) == 0) {
      leave(a);
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(n));
    } else {
      const bool allowed =
          a.attempt < 10 &&
          (retries || retrying < std::max<std::size_t>(3, under_way.size() * 20 / 100));
      ASSERT_EQ(fail(a, kCharged).kind, allowed ? Kind::retry : Kind::give_up);
      if (allowed) {
        retries = true;
        a = retry(a);
      } else {
        under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(n));
      }
    }
    most = std::max(most, retrying);
  }
  EXPECT_EQ(most, 8u) << "20 % of 40";
}

}  // namespace
}  // namespace lb
