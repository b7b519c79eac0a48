// Goal: every timeout does what it should at its very instant, and not a nanosecond before.
// Method: the spoken fixture, with all timeouts different so that none is taken for another.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class BalancerTimeTest : public BalancerFixture {
 protected:
  BalancerTimeTest() {
    config.timeouts = {.connect = 1s, .response = 7s, .idle = 20s, .drain = 50s};
    config.connection_pool.idle_timeout = 100s;
    have_backends({"b1"});
  }

  // The next deadline is exactly `after` away, and expiring gives exactly these actions.
  void expect_next(Duration after, const Names& expected) {
    EXPECT_EQ(next_timeout(), after);
    advance(after - 1ns);
    EXPECT_EQ(actions(), Names{});
    advance(1ns);
    EXPECT_EQ(actions(), expected);
  }
};

TEST_F(BalancerTimeTest, HasNothingToWaitForAtFirst) { EXPECT_EQ(next_timeout(), std::nullopt); }

TEST_F(BalancerTimeTest, AbortsAConnectThatTakesTooLong) {
  const Assignment a = request();
  expect_next(1s, {"abort r1 connect_timeout"});
  EXPECT_EQ(balancer().in_progress(), 1u) << "until the world says that it has stopped";
  const NextStep step = fail(a, AttemptFailure::connect_timeout, {.body_replayable = true});
  EXPECT_EQ(step.kind, NextStep::Kind::retry);
}

TEST_F(BalancerTimeTest, AbortsAnAttemptThatIsNotSentInTime) {
  connect(request());
  expect_next(20s, {"abort r1 idle_timeout"});
}

TEST_F(BalancerTimeTest, AbortsAnAttemptThatIsNotAnsweredInTime) {
  send(request());
  expect_next(7s, {"abort r1 response_timeout"});
}

TEST_F(BalancerTimeTest, AbortsAnAnswerThatStandsStill) {
  const Assignment a = request();
  send(a);
  answer(a);
  expect_next(20s, {"abort r1 idle_timeout"});
}

TEST_F(BalancerTimeTest, ProgressExtendsTheIdleTimeout) {
  const Assignment a = request();
  connect(a);
  advance(19s);
  progress(a);
  EXPECT_EQ(next_timeout(), 20s);
  advance(19s);
  sent(a);
  answer(a);
  advance(19s);
  EXPECT_EQ(actions(), Names{});
  progress(a);
  expect_next(20s, {"abort r1 idle_timeout"});
}

TEST_F(BalancerTimeTest, ProgressDoesNotExtendTheResponseTimeout) {
  const Assignment a = request();
  send(a);
  advance(6s);
  progress(a);
  expect_next(1s, {"abort r1 response_timeout"});
}

TEST_F(BalancerTimeTest, AnEarlyAnswerOutlivesTheEndOfSending) {
  const Assignment a = request();
  connect(a);
  EXPECT_EQ(answer(a, 200).kind, NextStep::Kind::deliver);
  sent(a);
  expect_next(20s, {"abort r1 idle_timeout"});
}

TEST_F(BalancerTimeTest, AReusedConnectionHasNoConnectTimeout) {
  serve();
  request();
  expect_next(20s, {"abort r2 idle_timeout"});
}

TEST_F(BalancerTimeTest, ClosesAConnectionThatWasIdleTooLong) {
  serve();
  expect_next(100s, {"close c1"});
  EXPECT_EQ(status("b1").idle_connections, 0u);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(BalancerTimeTest, UseOfAConnectionStartsItsIdleTimeAgain) {
  serve();
  advance(99s);
  EXPECT_TRUE(serve().reused);
  expect_next(100s, {"close c1"});
}

TEST_F(BalancerTimeTest, AsksForWhatIsDueInTheOrderOfItsTime) {
  have_backends({"b1", "b2"});
  const Assignment a = request();  // Connects until 1 s.
  advance(500ms);
  send(request());  // Answers until 7.5 s.
  advance(100ms);
  connect(a);  // Sends until 20.6 s.
  request();   // Connects until 1.6 s.
  advance(1h);
  EXPECT_EQ(actions(), (Names{"abort r3 connect_timeout", "abort r2 response_timeout",
                              "abort r1 idle_timeout"}));
}

TEST_F(BalancerTimeTest, TimeoutsCanBeRetriedWhenConfigured) {
  have_backends({"b1", "b2"});
  const Assignment a = request();
  send(a);
  EXPECT_EQ(fail(a, AttemptFailure::response_timeout).outcome, Outcome::timeout);
  EXPECT_EQ(ended(Outcome::timeout), 1u) << "not by default";
  config.retries.on.timeout = true;
  reload();
  const Assignment b = request();
  send(b);
  EXPECT_EQ(fail(b, AttemptFailure::response_timeout).kind, NextStep::Kind::retry);
}

// -- Drain of a removed backend

TEST_F(BalancerTimeTest, ARemovedBackendFinishesWhatItHas) {
  have_backends({"b1", "b2"});
  const Assignment a = request();
  const BackendId b1 = id_of("b1");
  have_backends({"b2"});
  reload();
  EXPECT_EQ(next_picks(3), (Names{"b2", "b2", "b2"}));
  EXPECT_TRUE(known(b1));
  send(a);
  answer(a);
  finish(a);
  EXPECT_FALSE(known(b1));
  EXPECT_EQ(actions(), Names{"close c1"}) << "nobody will use it again";
  EXPECT_EQ(ended(Outcome::success), 1u);
}

TEST_F(BalancerTimeTest, AbortsWhatIsLeftWhenTheDrainIsOver) {
  have_backends({"b1", "b2"});
  config.timeouts.idle = 1h;
  const Assignment a = request();
  send(a);
  answer(a);
  const BackendId b1 = id_of("b1");
  have_backends({"b2"});
  reload();
  expect_next(50s, {"abort r1 drain_timeout"});
  EXPECT_EQ(fail(a, AttemptFailure::drain_timeout).outcome, Outcome::timeout);
  EXPECT_FALSE(known(b1));
  EXPECT_EQ(next_timeout(), std::nullopt);
  expect_books_balance();
}

// With the defaults both are 30 s, so a reload at the moment of a request is enough. A second
// abort would be about a request that is over by then.
TEST_F(BalancerTimeTest, AbortsOnceWhenDrainAndResponseTimeoutFallTogether) {
  have_backends({"b1", "b2"});
  for (const Duration drain : {7s, 8s}) {  // Set after the other deadline: later, and long after.
    SCOPED_TRACE(drain.count());
    config.timeouts.drain = drain;
    have_backends({"b1", "b2"});
    reload();
    Assignment a = request();
    if (who(a) != "b1") leave(a), a = request();
    send(a);
    have_backends({"b2"});
    reload();
    advance(10s);
    const Names asked = actions();
    ASSERT_EQ(asked.size(), 1u) << asked.back();
    EXPECT_TRUE(asked[0].ends_with("response_timeout")) << "the earlier one";
    fail(a, AttemptFailure::response_timeout);
  }
}

TEST_F(BalancerTimeTest, AbortsOnceWhenTheDrainIsOverFirst) {
  have_backends({"b1", "b2"});
  config.timeouts.drain = 5s;
  const Assignment a = request();
  send(a);
  have_backends({"b2"});
  reload();
  advance(10s);  // A late wakeup: both deadlines have passed.
  EXPECT_EQ(actions(), Names{"abort r1 drain_timeout"});
  fail(a, AttemptFailure::drain_timeout);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

}  // namespace
}  // namespace lb
