// Goal: timeouts.request ends a request in every phase until its answer begins, once, and never
// after.
// Method: the spoken fixture; every phase is brought about and its end watched at the nanosecond.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;
using Kind = NextStep::Kind;

class RequestDeadlineTest : public BalancerFixture {
 protected:
  RequestDeadlineTest() {
    config.timeouts = {.connect = 10h, .response = 10h, .idle = 10h, .drain = 10h, .request = 5s};
    config.connection_pool.max_idle_per_backend = 0;
  }
  void expect_next(Duration after, const Names& expected) {
    EXPECT_EQ(next_timeout(), after);
    advance(after - 1ns);
    EXPECT_EQ(actions(), Names{});
    advance(1ns);
    EXPECT_EQ(actions(), expected);
  }
  void expect_nothing_is_left() {
    expect_at_rest();
    EXPECT_EQ(next_timeout(), std::nullopt);
  }
};

TEST_F(RequestDeadlineTest, EndsAnAttemptInAnyPhase) {
  enum Phase { connecting, sending, waiting, kPhases };
  for (int phase = 0; phase < kPhases; ++phase) {
    SCOPED_TRACE(phase);
    const Assignment a = request();
    advance(2s);
    if (phase >= sending) connect(a);
    if (phase == waiting) sent(a);
    const std::string abort = "abort r" + std::to_string(phase + 1) + " request_timeout";
    expect_next(3s, {abort});
    EXPECT_EQ(balancer().in_progress(), 1u) << "until the world says that it has stopped";
    EXPECT_EQ(next_timeout(), std::nullopt) << "it is asked once";
    const NextStep step = fail(a, AttemptFailure::request_timeout);
    EXPECT_EQ(step.kind, Kind::give_up) << "another attempt would not help";
    EXPECT_EQ(step.outcome, Outcome::timeout);
    expect_nothing_is_left();
  }
}

TEST_F(RequestDeadlineTest, EndsTheWaitForARetry) {
  config.retries.backoff = {.base = 1h, .max = 1h};
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  expect_next(5s, {"due r1"});
  EXPECT_EQ(refused_when_due(a.request), Outcome::timeout);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, EndsARetryThatWasCalledAndHasNotCome) {
  config.retries.backoff = {.base = 1ns, .max = 1ns};
  const Assignment a = request();
  advance(4s);
  fail(a, AttemptFailure::reset);
  advance(1ns);
  EXPECT_EQ(actions(), Names{"due r1"});
  advance(1s);
  EXPECT_EQ(actions(), Names{}) << "it has been called already";
  EXPECT_EQ(refused_when_due(a.request), Outcome::timeout);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, HoldsForAllAttemptsTogether) {
  Assignment a = request();
  advance(2s);
  fail(a, AttemptFailure::reset);
  a = retry(a);
  actions();
  advance(2s);
  fail(a, AttemptFailure::reset);
  a = retry(a);
  actions();
  expect_next(1s, {"abort r1 request_timeout"});
  fail(a, AttemptFailure::request_timeout);
  expect_nothing_is_left();
}

// An attempt that was aborted for its own timeout must not take the request's deadline with it.
TEST_F(RequestDeadlineTest, HoldsAfterAnAttemptThatTimedOut) {
  config.timeouts.connect = 2s;
  Assignment a = request();
  expect_next(2s, {"abort r1 connect_timeout"});
  EXPECT_EQ(fail(a, AttemptFailure::connect_timeout).kind, Kind::retry);
  a = retry(a);
  actions();
  connect(a);
  expect_next(3s, {"abort r1 request_timeout"});
  fail(a, AttemptFailure::request_timeout);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, HoldsAfterAnAnswerThatWasNotWanted) {
  config.retries.on.statuses = {503};
  Assignment a = request();
  send(a);
  advance(1s);
  EXPECT_EQ(answer(a, 503).kind, Kind::retry);
  a = retry(a);
  actions();
  expect_next(4s, {"abort r1 request_timeout"});
  fail(a, AttemptFailure::request_timeout);
  expect_nothing_is_left();
}

// Both at the same instant: aborted once, and there is no time for another attempt.
TEST_F(RequestDeadlineTest, AtTheSameInstantAsTheAttemptsItIsTheEnd) {
  config.timeouts.connect = 5s;
  for (const Duration late : {Duration{0s}, Duration{1h}}) {
    const Assignment a = request();
    advance(5s + late);
    const Names asked = actions();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked[0].starts_with("abort")) << asked[0];
    const bool of_attempt = asked[0].ends_with("connect_timeout");
    EXPECT_EQ(
        fail(a, of_attempt ? AttemptFailure::connect_timeout : AttemptFailure::request_timeout)
            .kind,
        Kind::give_up);
    expect_nothing_is_left();
  }
}

TEST_F(RequestDeadlineTest, ALateWakeupAfterAnAttemptsTimeoutIsTheEndToo) {
  config.timeouts.connect = 2s;
  const Assignment a = request();
  advance(6s);  // Both have passed.
  EXPECT_EQ(actions(), Names{"abort r1 connect_timeout"});
  EXPECT_EQ(fail(a, AttemptFailure::connect_timeout).kind, Kind::give_up);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, TogetherWithADrainItAbortsOnce) {
  config.timeouts.drain = 5s;
  have_backends({"b1", "b2"});
  const Assignment a = request();
  have_backends({"b2"});
  reload();
  advance(6s);
  EXPECT_EQ(actions().size(), 1u);
  EXPECT_EQ(fail(a, AttemptFailure::request_timeout).kind, Kind::give_up);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, IsOverOnceTheAnswerBegins) {
  const Assignment a = request();
  send(a);
  advance(4s);
  answer(a);
  EXPECT_EQ(next_timeout(), 10h);
  advance(1h);
  EXPECT_EQ(actions(), Names{}) << "a long body is no fault";
  finish(a);
  actions();
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, AnEarlyAnswerEndsItToo) {
  const Assignment a = request();
  connect(a);
  answer(a);  // Before the request was sent in full.
  sent(a);
  advance(1h);
  EXPECT_EQ(actions(), Names{});
}

TEST_F(RequestDeadlineTest, DoesNotHoldForTcpOnceConnected) {
  const Assignment a = request({.pooled = false});
  const Assignment b = request({.pooled = false});
  connect(a);
  expect_next(5s, {"abort r2 request_timeout"});
  fail(b, AttemptFailure::request_timeout);
  progress(a);
  advance(1h);
  EXPECT_EQ(actions(), Names{});
  finish(a);
  actions();
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, IsGoneWithTheClient) {
  const Assignment a = request();
  leave(a);
  const Assignment b = request();
  fail(b, AttemptFailure::reset);
  leave(b);
  fail(request(), AttemptFailure::invalid_answer);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, IsGoneWithARefusal) {
  have_backends({});
  EXPECT_EQ(refused(), Outcome::no_backend);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, ZeroIsNoDeadline) {
  config.timeouts.request = {};
  const Assignment a = request();
  EXPECT_EQ(next_timeout(), 10h);
  leave(a);
  expect_nothing_is_left();
}

TEST_F(RequestDeadlineTest, AReloadHoldsForNewRequestsOnly) {
  request();
  config.timeouts.request = 1s;
  reload();
  EXPECT_EQ(next_timeout(), 5s);
  request();
  EXPECT_EQ(next_timeout(), 1s);
}

}  // namespace
}  // namespace lb
