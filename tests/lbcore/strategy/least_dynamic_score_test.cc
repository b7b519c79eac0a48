// Goal: the least of average latency times load by weight, exactly; and no way to win by failing,
// hanging or being new.
// Method: short sequences worked out by hand; then everything that can happen, at random, beside a
// full scan with the C library's exponential.
#include "lbcore/strategy/least_dynamic_score.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/lbcore/strategy/latency_model.h"
#include "tests/testing/backends.h"

namespace lb {
namespace {

using namespace std::chrono_literals;
using testing::StrategyAtWork;
using testing::with_in_flight;
using testing::with_weights;

// Backends that have answered once, just now, and are idle.
StrategyAtWork after_answers(const std::vector<std::uint32_t>& weights,
                             const std::vector<Duration>& latencies) {
  StrategyAtWork strategy{LeastDynamicScoreConfig{}, with_weights(weights)};
  for (std::size_t i = 0; i < latencies.size(); ++i) strategy.start();
  for (std::size_t i = 0; i < latencies.size(); ++i) strategy.finish(i, latencies[i]);
  return strategy;
}

TEST(LeastDynamicScore, MultipliesLatencyAndLoad) {
  auto strategy = after_answers({1, 1}, {10ms, 35ms});
  std::string started;
  for (int n = 0; n < 9; ++n) started += static_cast<char>('A' + strategy.start());
  // A: 10, 20, 30, 40 … ; B: 35, 70, 105 …; a tie at 70 goes to B, picked longer ago.
  EXPECT_EQ(started, "AAABAAABA");
  EXPECT_NEAR(*strategy.score(0), 80, 1e-6);
  EXPECT_NEAR(*strategy.score(1), 105, 1e-6);
}

TEST(LeastDynamicScore, DividesByWeight) {
  auto strategy = after_answers({1, 4}, {10ms, 20ms});
  EXPECT_TRUE(strategy.strategy().uses_weights());
  std::string started;
  for (int n = 0; n < 6; ++n) started += static_cast<char>('A' + strategy.start());
  // A: 10, 20 …; B: 5, 10, 15, 20, 25 …
  EXPECT_EQ(started, "BABBAB");
}

TEST(LeastDynamicScore, ExploresInTurnAndOneRequestAtATime) {
  StrategyAtWork strategy{LeastDynamicScoreConfig{}, with_weights({9, 1, 4})};
  EXPECT_EQ(strategy.picks(7), "ABCABCA") << "nothing is under way";
  EXPECT_EQ(strategy.pick().reason, PickReason::unexplored);
  strategy.finish(strategy.start(), 1s);  // C: its turn.
  EXPECT_EQ(strategy.start(), 0u);
  EXPECT_EQ(strategy.start(), 1u);
  for (int n = 0; n < 50; ++n) EXPECT_EQ(strategy.start(), 2u) << "A and B are being tried";
}

TEST(LeastDynamicScore, WhileAllAreBeingTriedLoadByWeightDecides) {
  StrategyAtWork strategy{LeastDynamicScoreConfig{}, with_weights({1, 3})};
  std::string started;
  for (int n = 0; n < 8; ++n) started += static_cast<char>('A' + strategy.start());
  // One each; then (in flight + 1) / weight. A: 2, 3; B: 2/3, 3/3, 4/3, 5/3, 6/3 …
  EXPECT_EQ(started, "ABBBBBAB");
}

TEST(LeastDynamicScore, AnIdleAverageShrinksAndOneThatWasSlowIsTriedAgain) {
  auto strategy = after_answers({1, 1}, {1s, 50ms});
  strategy.set_load(1, 1);  // B is never idle and scores 50 * 2.
  strategy.advance(23s);    // 10 s * ln 10 = 23.026 s.
  EXPECT_EQ(strategy.picks(1), "B");
  strategy.advance(27ms);
  EXPECT_EQ(strategy.picks(1), "A");
}

// It gets what it takes to find out, now and then.
TEST(LeastDynamicScore, FailingFastIsNotRewarded) {
  const int on_a = testing::picks_of_one_that_fails_fast(LeastDynamicScoreConfig{});
  EXPECT_GE(on_a, 1);
  EXPECT_LE(on_a, 5) << "in 100 s: every 10 s * ln(1 s / 50 ms) = 30 s";
}

TEST(LeastDynamicScore, AHungBackendDoesNotAttractEverybody) {
  auto strategy = after_answers({1, 1}, {1ms, 20ms});
  const int on_a = testing::picks_of_one_that_hangs(strategy);
  EXPECT_LE(on_a, 20) << "at 20 in flight it scores what B does";
  EXPECT_GE(on_a, 18);
}

// A was slow, has rested and is next to nothing; B is at work all the time. A gets one request, not
// all of them, until it has answered.
TEST(LeastDynamicScore, OneThatRestedForLongDoesNotAttractEverybody) {
  auto strategy = after_answers({1, 1}, {1s, 10ms});
  strategy.set_load(1, 1);
  strategy.advance(1min);
  EXPECT_EQ(strategy.start(), 0u);
  EXPECT_EQ(strategy.score(0), std::nullopt) << "as good as new";
  for (int n = 0; n < 100; ++n) EXPECT_EQ(strategy.start(), 1u);
  strategy.finish(0, 5ms);
  EXPECT_EQ(strategy.pick().index, 0u);
}

TEST(LeastDynamicScore, TakesTheLeastThatIsOpen) {
  auto strategy = after_answers({1, 1, 1}, {30ms, 10ms, 20ms});
  strategy.close(1);
  EXPECT_EQ(strategy.picks(1), "C");
  strategy.set_load(2, 1);
  EXPECT_EQ(strategy.picks(1), "A");
  strategy.close(0);
  EXPECT_EQ(strategy.picks(1), "C");
}

TEST(LeastDynamicScore, AWeightChangesTheScoreAtOnce) {
  auto strategy = after_answers({1, 1}, {20ms, 15ms});
  EXPECT_EQ(strategy.picks(1), "B");
  strategy.become(with_weights({2, 1}));
  EXPECT_EQ(strategy.picks(1), "A");
  EXPECT_NEAR(*strategy.score(0), 10, 1e-6);
}

TEST(LeastDynamicScore, ACloneGoesItsOwnWay) {
  auto strategy = after_answers({1, 1}, {10ms, 10ms});
  EXPECT_EQ(strategy.picks(1), "A");
  const auto copy = strategy.strategy().clone();
  auto views = strategy.eligible();
  OpenSet open;
  open.reset(2);
  Prng prng{1};
  const PickContext context{views, open, 0, 0, Instant{}, prng};
  views[1].in_flight = 5;
  copy->load_changed(views, 1, Instant{});
  EXPECT_EQ(copy->pick(context).index, 0u);
  EXPECT_EQ(strategy.picks(3), "BAB");
}

// 40,000 in flight are past every table of logarithms.
TEST(LeastDynamicScore, CountsLargeLoads) {
  auto strategy = after_answers({1, 1}, {1ms, 1ms});
  strategy.set_load(0, 39'999);
  strategy.set_load(1, 39'998);
  EXPECT_EQ(strategy.picks(2), "BB");
  EXPECT_NEAR(*strategy.score(0), 40'000, 1e-3);
}

TEST(LeastDynamicScore, FindsTheLeastThatAFullScanFinds) {
  testing::play_latency_game(LeastDynamicScoreConfig{}, {.by_load = true}, true);
}

TEST(LeastDynamicScore, FindsItWithOtherTimesToo) {
  const LatencyAverageConfig average{.decay_time = 100ms, .failure_penalty = 50ms};
  testing::play_latency_game(LeastDynamicScoreConfig{average},
                             {.average = average, .by_load = true}, true);
}

}  // namespace
}  // namespace lb
