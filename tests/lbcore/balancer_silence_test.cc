// Goal: what waits for a backend that stands still goes elsewhere, if it may be sent again, if
// there is somebody to go to, and if the retry budget allows it; everything else stays. Method: the
// spoken fixture, a request in each phase, and probes that fall silent.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;
using Kind = NextStep::Kind;

constexpr RequestInput kGet{.repeatable = true};

class SilenceTest : public BalancerFixture {
 protected:
  SilenceTest() {
    config.health_check.emplace();
    have_backends({"b1", "b2"});
    make_healthy("b1");
    make_healthy("b2");
  }
  // The next GET that b1 gets, sent in full.
  Assignment waiting_get() {
    Assignment a = request(kGet);
    while (who(a) != "b1") leave(a), a = request(kGet);
    send(a);
    return a;
  }
};

TEST_F(SilenceTest, WhatWaitsGoesElsewhere) {
  const Assignment a = waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions(), (Names{"abort r1 silence"}));
  EXPECT_EQ(fail(a, AttemptFailure::silence).kind, Kind::retry);
  const Assignment again = retry(a);
  EXPECT_EQ(who(again), "b2");
  send(again), answer(again), finish(again);
  expect_books_balance();
}

TEST_F(SilenceTest, ABadAnswerToAProbeIsNoSilence) {
  waiting_get();
  make_unhealthy("b1");
  EXPECT_EQ(actions(), Names{}) << "it may answer, and a backend that is to leave says so by 503";
}

TEST_F(SilenceTest, APostStaysAndSoDoesWhatAnswers) {
  send(request_to("b1"));
  const Assignment answering = waiting_get();
  answer(answering);
  fall_silent("b1");
  EXPECT_EQ(actions(), Names{});
}

TEST_F(SilenceTest, WhatConnectsOrSendsGoesAsWell) {
  Assignment a = request(kGet);
  if (who(a) != "b1") a = request(kGet);
  Assignment b = request(kGet);
  while (who(b) != "b1") b = request(kGet);
  connect(b);
  fall_silent("b1");
  EXPECT_EQ(actions().size(), 2u);
  const AttemptFacts unsent{.idempotent = true, .body_replayable = true};
  EXPECT_EQ(fail(a, AttemptFailure::silence, unsent).kind, Kind::retry);
  EXPECT_EQ(fail(b, AttemptFailure::silence).kind, Kind::retry);
}

TEST_F(SilenceTest, WithNobodyElseEverythingStays) {
  make_unhealthy("b2");
  waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions(), Names{}) << "its answer is the best hope there is";
}

TEST_F(SilenceTest, UnderPanicEverythingStays) {
  config.panic_threshold = 60;
  reload();
  waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions(), Names{}) << "the backend is believed to be well";
}

TEST_F(SilenceTest, WhatHasHadItsAttemptsStays) {
  config.retries.attempts = 1;
  reload();
  waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions(), Names{});
}

TEST_F(SilenceTest, StaysWhereABrokenConnectionIsNotRetried) {
  config.retries.on.reset = false;
  reload();
  waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions(), Names{});
}

TEST_F(SilenceTest, TheBudgetIsCharged) {
  config.retries.budget_floor = 2;
  config.retries.budget_percent = 0;
  reload();
  std::vector<Assignment> all;
  for (int n = 0; n < 3; ++n) all.push_back(waiting_get());
  fall_silent("b1");
  EXPECT_EQ(actions().size(), 2u) << "a backend that is slow, and not dead, may have done the work";
  EXPECT_EQ(fail(all[0], AttemptFailure::silence).kind, Kind::retry);
  EXPECT_EQ(fail(all[1], AttemptFailure::silence).kind, Kind::retry);
  for (const Assignment& a : {all[0], all[1]}) leave(retry(a));
  answer(all[2]), finish(all[2]);
  expect_books_balance();
}

TEST_F(SilenceTest, ItsDeadlineDoesNotAbortItAgain) {
  waiting_get();
  fall_silent("b1");
  EXPECT_EQ(actions().size(), 1u);
  advance(1h);
  EXPECT_EQ(actions(), Names{});
}

}  // namespace
}  // namespace lb
