// Goal: the least average latency of all, exactly, though averages of idle backends shrink; and no
// way to win by failing, hanging or being new.
// Method: short sequences worked out by hand; then everything that can happen, at random, beside a
// full scan with the C library's exponential.
#include "lbcore/strategy/least_ewma_latency.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/lbcore/strategy/latency_model.h"
#include "tests/testing/backends.h"

namespace lb {
namespace {

using namespace std::chrono_literals;
using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_in_flight;
using testing::with_weights;

// Backends that have answered once, just now, and are idle.
StrategyAtWork after_answers(const std::vector<Duration>& latencies,
                             const LeastEwmaLatencyConfig& config = {}) {
  StrategyAtWork strategy{config, with_in_flight(std::vector<std::uint32_t>(latencies.size(), 0))};
  for (std::size_t i = 0; i < latencies.size(); ++i) strategy.start();
  for (std::size_t i = 0; i < latencies.size(); ++i) strategy.finish(i, latencies[i]);
  return strategy;
}

TEST(LeastEwmaLatency, TakesTheFastest) {
  auto strategy = after_answers({30ms, 10ms, 20ms});
  const Pick pick = strategy.pick();
  EXPECT_EQ(pick.index, 1u);
  EXPECT_EQ(pick.reason, PickReason::fastest);
  EXPECT_EQ(strategy.picks(3), "BBB");
}

TEST(LeastEwmaLatency, LoadAndWeightMeanNothing) {
  StrategyAtWork strategy{LeastEwmaLatencyConfig{}, with_weights({100, 1})};
  EXPECT_FALSE(strategy.strategy().uses_weights());
  for (int n = 0; n < 2; ++n) strategy.start();
  strategy.finish(0, 20ms);
  strategy.finish(1, 10ms);
  strategy.set_load(1, 50);
  EXPECT_EQ(strategy.picks(2), "BB");
}

TEST(LeastEwmaLatency, ExploresInTurnAndOneRequestAtATime) {
  StrategyAtWork strategy{LeastEwmaLatencyConfig{}, with_ids({0, 1, 2})};
  EXPECT_EQ(strategy.picks(7), "ABCABCA") << "nothing is under way";
  EXPECT_EQ(strategy.pick().reason, PickReason::unexplored);
  strategy.finish(strategy.start(), 5ms);  // C: its turn.
  EXPECT_EQ(strategy.start(), 0u);
  EXPECT_EQ(strategy.start(), 1u);
  EXPECT_EQ(strategy.picks(3), "CCC") << "known now, while A and B are being tried";
}

TEST(LeastEwmaLatency, WhileAllAreBeingTriedTheLeastLoadedIsNext) {
  StrategyAtWork strategy{LeastEwmaLatencyConfig{}, with_ids({0, 1, 2})};
  std::string started;
  for (int n = 0; n < 7; ++n) started += static_cast<char>('A' + strategy.start());
  EXPECT_EQ(started, "ABCABCA");
}

TEST(LeastEwmaLatency, ANewBackendIsTriedFirstAndDoesNotAttractEverybody) {
  auto strategy = after_answers({10ms, 20ms});
  auto views = with_ids({0, 1, 2});
  strategy.become(views);
  const Pick pick = strategy.pick();
  EXPECT_EQ(pick.index, 2u);
  EXPECT_EQ(pick.reason, PickReason::unexplored);
  strategy.set_load(2, 1);
  for (int n = 0; n < 100; ++n) EXPECT_NE(strategy.start(), 2u) << "one request is trying it";
}

// The client left before the answer: somebody else has to try.
TEST(LeastEwmaLatency, ATryThatEndsWithoutASampleIsRepeated) {
  auto strategy = after_answers({10ms, 20ms});
  strategy.become(with_ids({0, 1, 2}));
  EXPECT_EQ(strategy.start(), 2u);
  EXPECT_EQ(strategy.picks(1), "A");
  strategy.set_load(2, 0);
  EXPECT_EQ(strategy.picks(1), "C");
}

// What other workers have there says nothing to this one.
TEST(LeastEwmaLatency, OneThatOthersUseIsExploredToo) {
  auto strategy = after_answers({10ms, 20ms});
  auto views = with_ids({0, 1, 2});
  views[2].in_flight = 7;
  strategy.become(views);
  EXPECT_EQ(strategy.start(), 2u);
  EXPECT_EQ(strategy.picks(2), "AA");
}

TEST(LeastEwmaLatency, AveragesByTime) {
  StrategyAtWork strategy{LeastEwmaLatencyConfig{}, with_in_flight({5, 0})};
  EXPECT_EQ(strategy.score(0), std::nullopt);
  strategy.sample(0, 100ms);
  EXPECT_NEAR(*strategy.score(0), 100, 1e-7) << "the first sample is the average";
  strategy.advance(10s);
  strategy.sample(0, 200ms);
  EXPECT_NEAR(*strategy.score(0), 100 / std::exp(1) + 200 * (1 - 1 / std::exp(1)), 1e-6);
  strategy.advance(1h);
  EXPECT_NEAR(*strategy.score(0), 163.2120559, 1e-6) << "busy: it stands still";
  strategy.sample(0, 7ms);
  EXPECT_NEAR(*strategy.score(0), 7, 1e-7) << "an hour ago is forgotten";
}

TEST(LeastEwmaLatency, RestBeginsAnewWithASample) {
  StrategyAtWork strategy{LeastEwmaLatencyConfig{}, with_in_flight({0, 0})};
  strategy.advance(7s);
  strategy.sample(0, 100ms);
  EXPECT_NEAR(*strategy.score(0), 100, 1e-6);
  strategy.advance(10s);
  EXPECT_NEAR(*strategy.score(0), 100 / std::exp(1), 1e-6);
}

TEST(LeastEwmaLatency, AnIdleAverageShrinksAndOneThatWasSlowIsTriedAgain) {
  auto strategy = after_answers({1s, 100ms});
  strategy.set_load(1, 1);  // B keeps answering in 100 ms and is never idle.
  EXPECT_EQ(strategy.picks(1), "B");
  strategy.advance(10s);
  EXPECT_NEAR(*strategy.score(0), 1000 / std::exp(1), 1e-5);
  strategy.advance(13s);  // 10 s * ln 10 = 23.026 s.
  EXPECT_EQ(strategy.picks(1), "B");
  strategy.advance(27ms);
  EXPECT_EQ(strategy.picks(1), "A");
}

TEST(LeastEwmaLatency, WhileBusyItDoesNotShrink) {
  auto strategy = after_answers({1s, 100ms});
  strategy.set_load(0, 1);
  strategy.set_load(1, 1);
  strategy.advance(1h);
  EXPECT_EQ(strategy.picks(1), "B");
  strategy.set_load(0, 0);
  strategy.advance(10s);
  strategy.set_load(0, 1);
  strategy.advance(1h);
  EXPECT_NEAR(*strategy.score(0), 1000 / std::exp(1), 1e-5) << "ten seconds of rest";
}

// After any rest, backends that rested alike are in the order they were in.
TEST(LeastEwmaLatency, RestKeepsTheOrder) {
  auto strategy = after_answers({3ms, 2ms, 1ms, 4ms});
  for (int n = 0; n < 50; ++n) {
    strategy.advance(1min);
    EXPECT_EQ(strategy.picks(1), "C") << n;
  }
}

// It gets what it takes to find out, now and then.
TEST(LeastEwmaLatency, FailingFastIsNotRewarded) {
  const int on_a = testing::picks_of_one_that_fails_fast(LeastEwmaLatencyConfig{});
  EXPECT_GE(on_a, 1);
  EXPECT_LE(on_a, 5) << "in 100 s: every 10 s * ln(1 s / 50 ms) = 30 s";
}

TEST(LeastEwmaLatency, AFailureCountsForThePenaltyOrItsLatencyIfThatIsMore) {
  LeastEwmaLatencyConfig config;
  config.average.failure_penalty = 300ms;
  StrategyAtWork strategy{config, with_in_flight({1, 1})};
  strategy.sample(0, 1ms, true);
  strategy.sample(1, 900ms, true);
  EXPECT_NEAR(*strategy.score(0), 300, 1e-6);
  EXPECT_NEAR(*strategy.score(1), 900, 1e-6);
}

// A was the fastest and answers no more. Until it has kept us waiting for as long as B takes it
// looks good; then it does not.
TEST(LeastEwmaLatency, AHungBackendDoesNotAttractEverybody) {
  auto strategy = after_answers({1ms, 20ms});
  int on_a = 0;
  for (int n = 0; n < 1000; ++n) {
    const std::size_t index = strategy.start();
    strategy.advance(1ms);
    if (index == 0) ++on_a;
    if (index == 1) strategy.finish(1, 20ms);
  }
  EXPECT_GE(on_a, 19);
  EXPECT_LE(on_a, 21);
  EXPECT_NEAR(*strategy.score(0), 1000, 1e-6) << "the first has waited for a second";
  strategy.finish(0, 1ms);
  EXPECT_EQ(strategy.picks(1), "A") << "it answers again";
}

// When they all hang, the one that was asked last has kept us waiting least.
TEST(LeastEwmaLatency, AmongBackendsThatHangTheOneAskedLastIsLeast) {
  auto strategy = after_answers({1ms, 2ms, 3ms});
  std::string started;
  for (int n = 0; n < 14; ++n) {
    started += static_cast<char>('A' + strategy.start());
    strategy.advance(1ms);
  }
  // A until it has waited 2 ms, a tie that B wins by its turn; B from there until it has waited
  // 3 ms; then C, and C is always the one asked last.
  EXPECT_EQ(started.substr(0, 2), "AA");
  EXPECT_EQ(started.substr(2, 3), "BBB");
  EXPECT_EQ(started.substr(5), "CCCCCCCCC");
  EXPECT_LT(*strategy.score(2), *strategy.score(1));
  EXPECT_LT(*strategy.score(1), *strategy.score(0));
}

TEST(LeastEwmaLatency, OthersRequestsDoNotMakeUsWait) {
  auto strategy = after_answers({1ms, 20ms});
  strategy.set_load(0, 3);  // Of other workers.
  strategy.advance(1s);
  EXPECT_EQ(strategy.picks(1), "A");
}

TEST(LeastEwmaLatency, TakesTheFastestThatIsOpen) {
  auto strategy = after_answers({30ms, 10ms, 20ms, 40ms});
  strategy.close(1);
  EXPECT_EQ(strategy.picks(1), "C");
  strategy.close(2);
  strategy.set_load(3, 1);
  EXPECT_EQ(strategy.picks(1), "A");
  strategy.close(0);
  EXPECT_EQ(strategy.picks(1), "D");
}

TEST(LeastEwmaLatency, TiesGoToTheOnePickedLongestAgo) {
  auto strategy = after_answers({10ms, 10ms, 10ms});
  EXPECT_EQ(strategy.picks(7), "ABCABCA");
}

TEST(LeastEwmaLatency, ARebuildKeepsWhatIsKnownById) {
  auto strategy = after_answers({30ms, 10ms, 20ms});
  strategy.become(with_ids({0, 2}));
  EXPECT_EQ(strategy.picks(1), "C");
  EXPECT_NEAR(*strategy.score(1), 20, 1e-6);
  strategy.become(with_ids({0, 1, 2}));
  EXPECT_EQ(strategy.score(1), std::nullopt) << "who was away is new";
  EXPECT_NEAR(*strategy.score(2), 20, 1e-6);
}

TEST(LeastEwmaLatency, ACloneGoesItsOwnWay) {
  auto strategy = after_answers({10ms, 10ms});
  EXPECT_EQ(strategy.picks(1), "A");
  const auto copy = strategy.strategy().clone();
  OpenSet open;
  open.reset(2);
  Prng prng{1};
  const Instant later = Instant{} + 1s;
  const PickContext context{strategy.eligible(), open, 0, 0, later, prng};
  EXPECT_EQ(copy->pick(context).index, 1u);
  copy->latency_sampled(strategy.eligible(), 1, {later, 1s});
  for (int n = 0; n < 3; ++n) EXPECT_EQ(copy->pick(context).index, 0u);
  EXPECT_EQ(strategy.picks(3), "BAB");
}

TEST(LeastEwmaLatency, DrawsNothing) {
  auto strategy = after_answers({10ms, 20ms});
  strategy.picks(10);
  Prng untouched{1};
  EXPECT_EQ(strategy.prng().next(), untouched.next());
}

TEST(LeastEwmaLatency, FindsTheLeastThatAFullScanFinds) {
  testing::play_latency_game(LeastEwmaLatencyConfig{}, {.waiting_counts = true}, true);
}

TEST(LeastEwmaLatency, FindsItWithOtherTimesToo) {
  const LatencyAverageConfig average{.decay_time = 100ms, .failure_penalty = 50ms};
  testing::play_latency_game(LeastEwmaLatencyConfig{average},
                             {.average = average, .waiting_counts = true}, true);
}

}  // namespace
}  // namespace lb
