// Goal: a backend that fails in a row gets a pause, then a few trials, and a close that is earned;
// and no change of configuration or membership leaves a breaker stuck.
// Method: the spoken fixture with a breaker of two failures, ten seconds and two successes; no
// retries, so that a failure is a failure.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class BreakerTest : public BalancerFixture {
 protected:
  BreakerTest() {
    config.circuit_breaker = kBreaker;
    config.retries.attempts = 1;
    config.timeouts = {.connect = 10h, .response = 10h, .idle = 10h};
    config.connection_pool.max_idle_per_backend = 0;  // No deadlines but those of the breakers.
    have_backends({"b1", "b2"});
  }
  static constexpr CircuitBreakerConfig kBreaker{
      .consecutive_failures = 2, .open_time = 10s, .trials = 1, .successes = 2};

  void end(const Assignment& a, int status) {
    send(a);
    answer(a, status);
    finish(a);
    actions();
  }
  void fail_in_a_row(const std::string& name, int count = 2) {
    for (int n = 0; n < count; ++n) fail(request_to(name), AttemptFailure::reset);
  }
  BreakerState breaker(const std::string& name) { return status(name).breaker; }
};

TEST_F(BreakerTest, OpensAfterFailuresInARow) {
  fail_in_a_row("b1", 1);
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  EXPECT_EQ(next_timeout(), std::nullopt);
  fail_in_a_row("b1", 1);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
  EXPECT_EQ(status("b1").exclusion, Exclusion::breaker_open);
  EXPECT_EQ(balancer().counters().breakers_opened, 1u);
  EXPECT_EQ(next_timeout(), 10s);
  EXPECT_EQ(eligible(), Names{"b2"});
  EXPECT_EQ(next_picks(3), (Names{"b2", "b2", "b2"}));
}

TEST_F(BreakerTest, ASuccessStartsTheCountAgain) {
  for (int n = 0; n < 5; ++n) {
    fail_in_a_row("b1", 1);
    end(request_to("b1"), 200);
  }
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
}

TEST_F(BreakerTest, AnswersOf500AndAboveAreFailures) {
  end(request_to("b1"), 404);
  end(request_to("b1"), 499);
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  end(request_to("b1"), 500);
  end(request_to("b1"), 503);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
}

TEST_F(BreakerTest, AClientThatLeavesSaysNothing) {
  fail_in_a_row("b1", 1);
  leave(request_to("b1"));
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  fail_in_a_row("b1", 1);
  EXPECT_EQ(breaker("b1"), BreakerState::open) << "two failures in a row, the other was neither";
}

// The head of an answer that breaks off does not start the count again.
TEST_F(BreakerTest, AnswersThatBreakOffAreFailures) {
  for (int n = 0; n < 2; ++n) {
    const Assignment a = request_to("b1");
    send(a);
    answer(a);
    EXPECT_EQ(breaker("b1"), BreakerState::closed);
    fail(a, AttemptFailure::reset, kAnswerBegun);
  }
  EXPECT_EQ(breaker("b1"), BreakerState::open);
}

TEST_F(BreakerTest, ASuccessIsOneWhenItIsWhole) {
  fail_in_a_row("b1", 1);
  const Assignment a = request_to("b1");
  send(a);
  answer(a);
  fail_in_a_row("b1", 1);
  EXPECT_EQ(breaker("b1"), BreakerState::open) << "nothing else had ended between the two";
}

TEST_F(BreakerTest, AnAttemptSpeaksOnce) {
  const Assignment a = request_to("b1");
  send(a);
  answer(a, 500);
  fail(a, AttemptFailure::reset, kAnswerBegun);
  EXPECT_EQ(breaker("b1"), BreakerState::closed) << "one failure, whatever became of the answer";
}

TEST_F(BreakerTest, TriesAfterItsTimeAndNotBefore) {
  fail_in_a_row("b1");
  advance(10s - 1ns);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
  advance(1ns);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
  EXPECT_EQ(next_timeout(), std::nullopt);
  const Assignment trial = request_to("b1");
  EXPECT_EQ(eligible(), Names{"b2"}) << "one trial at a time";
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"}));
  end(trial, 200);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  end(request_to("b1"), 200);
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
}

TEST_F(BreakerTest, ATrialIsOverWithItsAnswer) {
  fail_in_a_row("b1");
  advance(10s);
  const Assignment trial = request_to("b1");
  send(trial);
  answer(trial);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"})) << "its body may take hours";
  request_to("b1");
}

TEST_F(BreakerTest, ATrialWhoseAnswerBreaksOffOpensItAgain) {
  fail_in_a_row("b1");
  advance(10s);
  const Assignment trial = request_to("b1");
  send(trial);
  answer(trial);
  fail(trial, AttemptFailure::reset, kAnswerBegun);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
}

TEST_F(BreakerTest, ATrialOfTcpIsOverOnceItIsConnected) {
  fail_in_a_row("b1");
  advance(10s);
  Assignment trial = request({.pooled = false});
  if (who(trial) != "b1") trial = request({.pooled = false});
  EXPECT_EQ(eligible(), Names{"b2"});
  connect(trial);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
}

TEST_F(BreakerTest, AFailedTrialOpensItAgain) {
  fail_in_a_row("b1");
  advance(10s);
  end(request_to("b1"), 200);
  fail(request_to("b1"), AttemptFailure::connect_timeout);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
  EXPECT_EQ(balancer().counters().breakers_opened, 2u);
  EXPECT_EQ(next_timeout(), 10s);
  advance(10s);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
}

TEST_F(BreakerTest, AnAbandonedTrialMakesRoomForAnother) {
  fail_in_a_row("b1");
  advance(10s);
  for (int n = 0; n < 5; ++n) leave(request_to("b1"));
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
}

TEST_F(BreakerTest, NoMoreTrialsThanConfigured) {
  config.circuit_breaker->trials = 3;
  have_backends({"b1"});
  fail_in_a_row("b1");
  advance(10s);
  next_picks(3);
  EXPECT_EQ(refused(), Outcome::no_backend);
}

TEST_F(BreakerTest, ResultsFromBeforeItOpenedSayNothingAfter) {
  const Assignment slow = request_to("b1");
  const Assignment slower = request_to("b1");
  fail_in_a_row("b1");
  fail(slow, AttemptFailure::response_timeout);
  EXPECT_EQ(balancer().counters().breakers_opened, 1u);
  advance(10s);
  send(slower);
  answer(slower, 500);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  EXPECT_EQ(balancer().counters().breakers_opened, 1u);
  request_to("b1");
  EXPECT_EQ(eligible(), Names{"b2"}) << "it was no trial that ended";
}

TEST_F(BreakerTest, NobodyIsLeftWhenAllAreOpen) {
  config.limits.queue = 10;
  fail_in_a_row("b1");
  fail_in_a_row("b2");
  EXPECT_EQ(refused(), Outcome::no_backend) << "waiting in the queue would be for nobody";
  advance(10s);
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"}));
  EXPECT_EQ(refused(), Outcome::no_backend);
}

TEST_F(BreakerTest, ARetryDoesNotGoToAnOpenOne) {
  config.retries.attempts = 3;
  have_backends({"b1", "b2", "b3"});
  fail(request_to("b2"), AttemptFailure::reset, kPostSent);
  fail(request_to("b2"), AttemptFailure::reset, kPostSent);
  const Assignment a = request_to("b1");
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(who(retry(a)), "b3");
}

// -- With a queue

class BreakerQueueTest : public BreakerTest {
 protected:
  BreakerQueueTest() {
    config.limits = {.max_in_flight_per_backend = 1, .queue = 10, .queue_timeout = 1h};
  }
};

TEST_F(BreakerQueueTest, HalfOpenCallsWhoWaits) {
  fail_in_a_row("b1");
  request();
  const RequestId waiting = queue();
  advance(10s);
  EXPECT_EQ(actions().size(), 1u);
  EXPECT_EQ(who(start_due(waiting)), "b1");
}

// The trial's body goes on, but there is room for another: with a second place.
TEST_F(BreakerQueueTest, TheAnswerOfATrialCallsWhoWaits) {
  config.limits.max_in_flight_per_backend = 2;
  fail_in_a_row("b1");
  request(), request();  // b2 is full.
  const RequestId waiting = queue();
  const RequestId next = queue();
  advance(10s);
  EXPECT_EQ(actions().size(), 1u);
  const Assignment trial = start_due(waiting);
  EXPECT_EQ(actions(), Names{}) << "one trial at a time";
  send(trial);
  answer(trial);
  EXPECT_EQ(actions().size(), 1u);
  EXPECT_EQ(who(start_due(next)), "b1");
}

TEST_F(BreakerQueueTest, ATcpTrialThatIsConnectedCallsWhoWaits) {
  config.limits.max_in_flight_per_backend = 2;
  fail_in_a_row("b1");
  request(), request();
  const RequestId waiting = queue({.pooled = false});
  const RequestId next = queue();
  advance(10s);
  actions();
  connect(start_due(waiting));
  EXPECT_EQ(actions().size(), 1u) << "the session may last for hours";
  EXPECT_EQ(who(start_due(next)), "b1");
}

TEST_F(BreakerQueueTest, TheLastToOpenFlushesTheQueue) {
  have_backends({"b1"});
  config.limits.max_in_flight_per_backend = 2;
  const Assignment a = request();
  const Assignment b = request();
  const RequestId waiting = queue();
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(actions().size(), 1u);
  const Assignment c = start_due(waiting);
  const RequestId last = queue();
  send(b);
  answer(b, 500);
  EXPECT_EQ(breaker("b1"), BreakerState::open);
  EXPECT_EQ(actions(), Names{}) << "it is full, too";
  leave(c);
  EXPECT_EQ(actions().size(), 1u);
  EXPECT_EQ(refused_when_due(last), Outcome::no_backend);
}

// -- Reloads

TEST_F(BreakerTest, AReloadKeepsItsState) {
  fail_in_a_row("b1");
  advance(4s);
  reload();
  EXPECT_EQ(breaker("b1"), BreakerState::open);
  EXPECT_EQ(next_timeout(), 6s);
  advance(6s);
  request_to("b1");
  reload();
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  EXPECT_EQ(eligible(), Names{"b2"}) << "the trial is still under way";
}

TEST_F(BreakerTest, AReloadWithoutOneClosesIt) {
  fail_in_a_row("b1");
  config.circuit_breaker.reset();
  reload();
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  EXPECT_EQ(next_timeout(), std::nullopt);
  fail_in_a_row("b1", 5);
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  config.circuit_breaker = kBreaker;
  reload();
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
  fail_in_a_row("b1");
  EXPECT_EQ(breaker("b1"), BreakerState::open);
}

// A trial that outlives two reloads and ends while its backend is tried anew: it must not be taken
// for one of the new trials, whose number would fall below zero.
TEST_F(BreakerTest, ATrialThatOutlivesTheBreakerSaysNothing) {
  fail_in_a_row("b1");
  advance(10s);
  const Assignment old_trial = request_to("b1");
  config.circuit_breaker.reset();
  reload();
  config.circuit_breaker = kBreaker;
  reload();
  fail_in_a_row("b1");
  advance(10s);
  ASSERT_EQ(breaker("b1"), BreakerState::half_open);
  end(old_trial, 200);
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
  const Assignment trial = request_to("b1");
  EXPECT_EQ(eligible(), Names{"b2"});
  end(trial, 200);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open) << "one success of two";
  end(request_to("b1"), 200);
  EXPECT_EQ(breaker("b1"), BreakerState::closed);
}

// What began without a breaker has nothing to say to the one that came with a reload.
TEST_F(BreakerTest, WhatBeganWithoutABreakerDoesNoHarm) {
  config.circuit_breaker.reset();
  std::vector<Assignment> before;
  for (int n = 0; n < 4; ++n) before.push_back(request_to("b1"));
  config.circuit_breaker = kBreaker;
  reload();
  fail_in_a_row("b1");
  advance(10s);
  for (const Assignment& a : before) end(a, 500);
  EXPECT_EQ(breaker("b1"), BreakerState::half_open);
  request_to("b1");
  EXPECT_EQ(eligible(), Names{"b2"});
}

// -- Removal

TEST_F(BreakerTest, ARemovedBackendLeavesNoDeadline) {
  fail_in_a_row("b1");
  have_backends({"b2"});
  reload();
  EXPECT_EQ(next_timeout(), std::nullopt);
  have_backends({"b2", "b3"});  // In the place that b1 had.
  reload();
  EXPECT_EQ(breaker("b3"), BreakerState::closed);
  advance(1h);
  EXPECT_EQ(breaker("b3"), BreakerState::closed);
}

TEST_F(BreakerTest, ItMayOpenWithTheLastBreathOfARemovedBackend) {
  const Assignment a = request_to("b1");
  const Assignment b = request_to("b1");
  have_backends({"b2"});
  reload();
  fail(a, AttemptFailure::reset);
  fail(b, AttemptFailure::reset);
  EXPECT_EQ(next_timeout(), std::nullopt);
  advance(1h);
  EXPECT_EQ(balancer().backends().size(), 1u);
}

TEST_F(BreakerTest, ARemovedBackendThatStillFinishesGoesOnWithItsBreaker) {
  const Assignment slow = request_to("b1");
  fail_in_a_row("b1");
  have_backends({"b2"});
  reload();
  advance(10s);
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"}));
  leave(slow);
  EXPECT_EQ(balancer().backends().size(), 1u);
}

}  // namespace
}  // namespace lb
