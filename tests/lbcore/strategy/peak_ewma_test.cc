// Goal: of the backends drawn, the least peak-sensitive latency times load by weight wins; and no
// way to win by failing, hanging or being new.
// Method: the average by hand; the draws replayed from the same seed; where every backend is
// compared, everything that can happen at random beside a full scan.
#include "lbcore/strategy/peak_ewma.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "lbcore/strategy/weighted_draw.h"
#include "tests/lbcore/strategy/latency_model.h"
#include "tests/testing/backends.h"

namespace lb {
namespace {

using namespace std::chrono_literals;
using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_in_flight;
using testing::with_weights;

// Of `count` backends, each with this latency, all idle.
StrategyAtWork after_answers(const std::vector<Duration>& latencies, PeakEwmaConfig config = {},
                             std::uint64_t seed = 1) {
  StrategyAtWork strategy{config, with_in_flight(std::vector<std::uint32_t>(latencies.size(), 0)),
                          seed};
  for (std::size_t i = 0; i < latencies.size(); ++i) {
    strategy.set_load(i, 1);
    strategy.finish(i, latencies[i]);
  }
  return strategy;
}

TEST(PeakEwma, ASlowerSampleReplacesTheAverageAndAFasterDecaysIn) {
  StrategyAtWork strategy{PeakEwmaConfig{}, with_in_flight({1, 1})};
  EXPECT_EQ(strategy.score(0), std::nullopt);
  strategy.sample(0, 100ms);
  strategy.advance(10ms);
  strategy.sample(0, 500ms);
  EXPECT_NEAR(*strategy.score(0), 2 * 500, 1e-6) << "two: one in flight and one to come";
  strategy.advance(10s);
  strategy.sample(0, 100ms);
  EXPECT_NEAR(*strategy.score(0), 2 * (500 / std::exp(1) + 100 * (1 - 1 / std::exp(1))), 1e-6);
}

TEST(PeakEwma, OfTwoBackendsTakesTheBetter) {
  auto strategy = after_answers({30ms, 10ms});
  for (int n = 0; n < 50; ++n) EXPECT_EQ(strategy.pick().index, 1u);
  EXPECT_EQ(strategy.pick().reason, PickReason::fastest);
  strategy.set_load(1, 3);
  for (int n = 0; n < 50; ++n) EXPECT_EQ(strategy.pick().index, 0u) << "40 against 30";
}

TEST(PeakEwma, DividesByWeight) {
  StrategyAtWork strategy{PeakEwmaConfig{}, with_weights({4, 1})};
  strategy.sample(0, 30ms);
  strategy.sample(1, 10ms);
  for (int n = 0; n < 50; ++n) EXPECT_EQ(strategy.pick().index, 0u) << "7.5 against 10";
  EXPECT_NEAR(*strategy.score(0), 7.5, 1e-6);
}

// A naive P2C, from the same draws.
TEST(PeakEwma, TakesTheBetterOfItsDraws) {
  Prng latencies{3};
  std::vector<Duration> latency;
  std::vector<std::uint32_t> weights;
  for (int i = 0; i < 12; ++i) {
    latency.emplace_back(static_cast<std::int64_t>(1 + latencies.below(4)) * 1'000'000);
    weights.push_back(static_cast<std::uint32_t>(1 + latencies.below(3)));
  }
  StrategyAtWork strategy{PeakEwmaConfig{}, with_weights(weights), 77};
  for (std::size_t i = 0; i < latency.size(); ++i) strategy.sample(i, latency[i]);
  WeightedDraw draw;
  draw.rebuild(strategy.eligible());
  Prng same{77};
  for (int n = 0; n < 2000; ++n) {
    const std::size_t first = draw.draw(same);
    std::size_t second = draw.draw(same);
    for (int redraws = 0; redraws < WeightedDraw::kRedrawsMax && second == first; ++redraws) {
      second = draw.draw(same);
    }
    if (second == first) second = (first + 1) % latency.size();
    const bool better = latency[second] * weights[first] < latency[first] * weights[second];
    ASSERT_EQ(strategy.pick().index, better ? second : first) << n;
  }
}

// The slowest of three can only win against a slower one, and there is none.
TEST(PeakEwma, NeverPicksTheSlowestOfThree) {
  auto strategy = after_answers({90ms, 10ms, 10ms});
  for (int n = 0; n < 1000; ++n) EXPECT_NE(strategy.pick().index, 0u);
}

TEST(PeakEwma, OfThoseDrawnAnUnexploredOneIsTriedFirstAndByOneRequest) {
  auto strategy = after_answers({10ms, 20ms});
  strategy.become(with_ids({1, 2}));
  const Pick pick = strategy.pick();
  EXPECT_EQ(pick.index, 1u);
  EXPECT_EQ(pick.reason, PickReason::unexplored);
  strategy.set_load(1, 1);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(strategy.start(), 0u) << "one request is trying it";
}

TEST(PeakEwma, WhileAllAreBeingTriedTheLeastLoadedIsNext) {
  StrategyAtWork strategy{PeakEwmaConfig{}, with_ids({0, 1})};
  for (int n = 0; n < 20; ++n) strategy.start();
  EXPECT_EQ(strategy.eligible()[0].in_flight, 10u);
}

TEST(PeakEwma, AnIdleAverageShrinksAndOneThatWasSlowIsTriedAgain) {
  auto strategy = after_answers({1s, 50ms});
  strategy.set_load(1, 1);  // B is never idle and scores 50 * 2.
  strategy.advance(23s);    // 10 s * ln 10 = 23.026 s.
  EXPECT_EQ(strategy.pick().index, 1u);
  strategy.advance(27ms);
  EXPECT_EQ(strategy.pick().index, 0u);
}

// It gets what it takes to find out, now and then.
TEST(PeakEwma, FailingFastIsNotRewarded) {
  const int on_a = testing::picks_of_one_that_fails_fast(PeakEwmaConfig{});
  EXPECT_GE(on_a, 1);
  EXPECT_LE(on_a, 10) << "one in 200: by chance it would be one in three";
}

TEST(PeakEwma, AHungBackendDoesNotAttractEverybody) {
  auto strategy = after_answers({1ms, 20ms});
  const int on_a = testing::picks_of_one_that_hangs(strategy);
  EXPECT_LE(on_a, 20) << "at 20 in flight it scores what B does";
}

TEST(PeakEwma, PicksOpenOnesOnly) {
  for (const std::uint32_t choices : {1U, 2U, 3U, 16U}) {
    auto strategy = after_answers({10ms, 1ms, 20ms, 1ms, 30ms, 1ms}, {choices, {}});
    for (const std::size_t closed : {1U, 3U, 5U}) strategy.close(closed);
    std::set<std::size_t> seen;
    for (int n = 0; n < 200; ++n) seen.insert(strategy.pick().index);
    for (const std::size_t index : seen) EXPECT_EQ(index % 2, 0u);
    EXPECT_EQ(seen.size() == 1, choices >= 3) << "compared with all, the first wins";
    strategy.close(0);
    strategy.close(2);
    for (int n = 0; n < 20; ++n) EXPECT_EQ(strategy.pick().index, 4u);
  }
}

TEST(PeakEwma, EndsThoughOneBackendHoldsNearlyAllTheWeight) {
  StrategyAtWork strategy{PeakEwmaConfig{4, {}}, with_weights({65535, 1, 1, 1})};
  strategy.sample(0, 10h);
  for (std::size_t i = 1; i < 4; ++i) strategy.sample(i, 1ms);
  for (int n = 0; n < 100; ++n) EXPECT_NE(strategy.pick().index, 0u);
}

TEST(PeakEwma, OneChoiceIsADraw) {
  auto strategy = after_answers({90ms, 1ms}, {1, {}});
  std::set<std::size_t> seen;
  for (int n = 0; n < 100; ++n) {
    const Pick pick = strategy.pick();
    EXPECT_EQ(pick.reason, PickReason::drawn);
    seen.insert(pick.index);
  }
  EXPECT_EQ(seen.size(), 2u);
}

TEST(PeakEwma, ACloneGoesItsOwnWay) {
  auto strategy = after_answers({10ms, 20ms});
  const auto copy = strategy.strategy().clone();
  copy->latency_sampled(strategy.eligible(), 0, {Instant{}, 90ms});
  OpenSet open;
  open.reset(2);
  Prng prng{1};
  EXPECT_EQ(copy->pick({strategy.eligible(), open, 0, 0, Instant{}, prng}).index, 1u);
  EXPECT_EQ(strategy.pick().index, 0u);
}

TEST(PeakEwma, WithAllComparedItFindsTheLeastThatAFullScanFinds) {
  testing::play_latency_game(PeakEwmaConfig{16, {}},
                             {.by_load = true, .peak_sensitive = true, .in_turn = false}, true);
}

TEST(PeakEwma, ItsScoresAreThoseOfAPlainComputation) {
  testing::play_latency_game(PeakEwmaConfig{}, {.by_load = true, .peak_sensitive = true}, false);
}

TEST(PeakEwmaDeathTest, RefusesAChoiceCountOutOfBounds) {
  EXPECT_DEATH(static_cast<void>(make_strategy(PeakEwmaConfig{0, {}})), "choice_count");
  EXPECT_DEATH(static_cast<void>(make_strategy(PeakEwmaConfig{17, {}})), "choice_count");
}

}  // namespace
}  // namespace lb
