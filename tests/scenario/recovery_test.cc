// Goal: the recovery time is where the first stretch begins from which on all of them hold.
// Method: a request every 10 ms, of which those in a stated time are bad; stretches of 100 ms.
#include "lbsim/scenario/recovery.h"

#include <gtest/gtest.h>

#include <functional>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

using IsBad = std::function<bool(Duration)>;

Recovery played(Expectation expectation, const IsBad& is_bad, Duration bad_latency = 500ms) {
  expectation.metric = Metric::recovery_time;
  expectation.after = 1s;
  expectation.over = 100ms;
  Recovery recovery(expectation, 3s);
  for (Duration at{}; at < 4s; at += 10ms) {
    const bool bad = is_bad(at);
    const bool fails = bad && expectation.of == Metric::error_ratio;
    recovery.add({.sent = at,
                  .latency = bad ? bad_latency : 10ms,
                  .result = fails ? ClientResult::failed : ClientResult::ok});
  }
  return recovery;
}

IsBad between(Duration from, Duration to) {
  return [=](Duration at) { return at >= from && at < to; };
}

TEST(Recovery, IsCountedFromTheEvent) {
  const Recovery recovery = played({}, between(1s, 1500ms));
  EXPECT_EQ(recovery.count(), 200u) << "from 1 s up to 3 s";
  EXPECT_EQ(recovery.time(), 500ms);
}

TEST(Recovery, IsZeroWhenNothingWasWrong) {
  EXPECT_EQ(played({}, between(0s, 1s)).time(), 0ms) << "before the event does not count";
}

TEST(Recovery, CountsToTheLastRelapse) {
  const IsBad relapses = [](Duration at) { return at < 1200ms || (at >= 2s && at < 2010ms); };
  EXPECT_EQ(played({}, relapses).time(), 1010ms);
}

TEST(Recovery, NeverComesWhenTheLastStretchIsBad) {
  EXPECT_EQ(played({}, between(2950ms, 3s)).time(), std::nullopt);
  EXPECT_EQ(played({}, between(3s, 4s)).time(), 0ms) << "after `to` does not count";
}

TEST(Recovery, AllowsWhatTheLimitAllows) {
  // One in ten fails until 2 s.
  const IsBad sometimes = [](Duration at) { return at < 2s && at / 10ms % 10 == 0; };
  EXPECT_EQ(played({.below = 0.1}, sometimes).time(), 0ms);
  EXPECT_EQ(played({.below = 0.09}, sometimes).time(), 910ms) << "the last fails at 1.9 s";
}

TEST(Recovery, JudgesLatencies) {
  const IsBad until_2s = between(0s, 2s);
  EXPECT_EQ(played({.of = Metric::latency_max, .below = 0.1}, until_2s).time(), 1s);
  EXPECT_EQ(played({.of = Metric::latency_max, .below = 0.5}, until_2s).time(), 0s);
  // Half of a stretch's ten may be slow for its median.
  EXPECT_EQ(played({.of = Metric::latency_p50, .below = 0.1}, until_2s).time(), 950ms);
  EXPECT_EQ(played({.of = Metric::latency_p99, .below = 0.1}, until_2s).time(), 1s);
  // A mean of 59 ms: one slow one and nine quick ones.
  EXPECT_EQ(played({.of = Metric::latency_mean, .below = 0.059}, until_2s).time(), 990ms);
}

TEST(Recovery, IsNotJudgedByWhoWasNotThere) {
  Expectation expectation{.metric = Metric::recovery_time, .after = 1s, .over = 100ms};
  Recovery recovery(expectation, 3s);
  EXPECT_EQ(recovery.count(), 0u);
  recovery.add({.sent = 1s, .latency = 1ms, .result = ClientResult::failed});
  recovery.add({.sent = 2s, .latency = 1ms});
  EXPECT_EQ(recovery.time(), 910ms) << "until somebody has an answer again";
}

}  // namespace
}  // namespace lb::scenario
