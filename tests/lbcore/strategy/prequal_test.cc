// Goal: the rules of the paper, and the ones beyond it, each by itself: who is hot, how long an
// answer lives, whom to ask; and no way to win by failing or hanging.
// Method: answers by hand and exact picks; a random game in which the score must name the pick.
#include "lbcore/strategy/prequal.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using namespace std::chrono_literals;
using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_in_flight;
using testing::with_weights;

constexpr double kHot = 1e9;
constexpr double kFailing = 2e9;

// No probes of its own, so that draws are those of picks.
PrequalConfig quiet() {
  PrequalConfig config;
  config.probe_rate = 0;
  return config;
}

std::vector<BackendView> idle(std::size_t count) {
  return with_in_flight(std::vector<std::uint32_t>(count, 0));
}

std::vector<std::size_t> probes(StrategyAtWork& strategy) {
  std::vector<std::size_t> asked;
  while (const auto index = strategy.poll_load_probe()) asked.push_back(*index);
  return asked;
}

// -- Hot and cold

TEST(Prequal, TheColdOneWithTheLeastLatencyThenTheFewestInFlight) {
  PrequalConfig config = quiet();
  config.rif_quantile = 0.5;
  StrategyAtWork strategy{config, idle(3)};
  strategy.report(0, {1, 30ms});
  strategy.report(1, {1, 10ms});
  strategy.report(2, {5, 1ms});
  // Of 1, 1, 5 half are 1 and below: C is hot.
  EXPECT_EQ(strategy.score(0), 30.0);
  EXPECT_EQ(strategy.score(1), 10.0);
  EXPECT_EQ(strategy.score(2), kHot + 5);
  const Pick first = strategy.pick();
  EXPECT_EQ(first.index, 1u);
  EXPECT_EQ(first.reason, PickReason::fastest);
  EXPECT_EQ(strategy.score(1), kHot + 2) << "one for the pick makes it hot";
  EXPECT_EQ(strategy.pick().index, 0u);
  const Pick third = strategy.pick();
  EXPECT_EQ(third.index, 1u) << "all are hot: 2, 2 and 5; the quicker of those with 2";
  EXPECT_EQ(third.reason, PickReason::least_loaded);
  EXPECT_EQ(strategy.picks(5), "ABABA") << "2 and 3, 3 3, 3 4, 4 4, 4 5, always beside 5";
}

TEST(Prequal, TheQuantileIsTheLeastThatItsShareDoesNotExceed) {
  for (const auto& [share, hot] : std::vector<std::pair<double, std::string>>{
           {0.0, "BCDE"}, {0.2, "BCDE"}, {0.21, "CDE"}, {0.5, "DE"}, {0.8, "E"}, {1.0, ""}}) {
    PrequalConfig config = quiet();
    config.rif_quantile = share;
    StrategyAtWork strategy{config, idle(5)};
    for (const std::size_t i : {3U, 0U, 4U, 1U, 2U}) {
      strategy.report(i, {static_cast<std::uint32_t>(10 + i), 1ms});
    }
    std::string found;
    for (std::size_t i = 0; i < 5; ++i) {
      if (*strategy.score(i) >= kHot) found += static_cast<char>('A' + i);
    }
    EXPECT_EQ(found, hot) << share;
  }
}

TEST(Prequal, TheQuantileIsOfTheLast64Answers) {
  PrequalConfig config = quiet();
  config.rif_quantile = 1;
  StrategyAtWork strategy{config, idle(2)};
  strategy.report(0, {100, 1ms});
  strategy.report(1, {7, 1ms});
  for (int n = 0; n < 62; ++n) strategy.report(1, {static_cast<std::uint32_t>(n % 9), 1ms});
  EXPECT_EQ(strategy.score(0), 1.0) << "its own 100 is among them";
  strategy.report(1, {3, 1ms});
  EXPECT_EQ(strategy.score(0), kHot + 100) << "the most they told of is 8";
}

TEST(Prequal, WhatWeHaveInFlightOurselvesCountsWhenItIsMore) {
  StrategyAtWork strategy{quiet(), idle(2)};
  strategy.report(0, {2, 1ms});
  strategy.report(1, {2, 5ms});
  strategy.set_load(0, 2);
  EXPECT_EQ(strategy.score(0), 1.0);
  strategy.set_load(0, 3);
  EXPECT_EQ(strategy.score(0), kHot + 3);
}

TEST(Prequal, WeightsMeanNothing) {
  StrategyAtWork strategy{quiet(), with_weights({1000, 1})};
  EXPECT_FALSE(strategy.strategy().uses_weights());
  strategy.report(0, {1, 2ms});
  strategy.report(1, {1, 1ms});
  EXPECT_EQ(strategy.pick().index, 1u);
}

// -- The pool

TEST(Prequal, WithFewerThanTwoAnswersItDraws) {
  StrategyAtWork strategy{quiet(), idle(5), 9};
  strategy.report(3, {0, 1ms});
  Prng same{9};
  for (int n = 0; n < 50; ++n) {
    const Pick pick = strategy.pick();
    ASSERT_EQ(pick.index, same.below(5));
    ASSERT_EQ(pick.reason, PickReason::drawn);
  }
  strategy.report(4, {0, 2ms});
  EXPECT_EQ(strategy.pick().index, 3u);
}

TEST(Prequal, AnAnswerIsNotBelievedForever) {
  StrategyAtWork strategy{quiet(), idle(4)};
  strategy.report(2, {0, 1ms});
  strategy.advance(600ms);
  strategy.report(3, {0, 2ms});
  strategy.advance(400ms);
  EXPECT_EQ(strategy.pick().index, 2u) << "one second old is not too old";
  strategy.advance(1ns);
  EXPECT_EQ(strategy.score(2), std::nullopt);
  EXPECT_EQ(strategy.score(3), 2.0);
  EXPECT_EQ(strategy.pick().reason, PickReason::drawn);
}

TEST(Prequal, ANewerAnswerTakesThePlaceOfTheOlder) {
  StrategyAtWork strategy{quiet(), idle(2)};
  for (int n = 0; n < 40; ++n) strategy.report(0, {9, 9ms});
  strategy.report(1, {9, 5ms});
  strategy.report(0, {9, 1ms});
  EXPECT_EQ(strategy.score(0), 1.0);
  EXPECT_EQ(strategy.score(1), 5.0);
}

TEST(Prequal, AFullPoolForgetsTheOldest) {
  StrategyAtWork strategy{quiet(), idle(40)};
  for (std::size_t i = 0; i < 18; ++i) strategy.report(i, {1, 1ms});
  for (std::size_t i = 0; i < 18; ++i) EXPECT_EQ(strategy.score(i).has_value(), i >= 2) << i;
}

// Two answers, of which the first is better and stays cold: how often is it used?
int uses_of_the_first(StrategyAtWork& strategy) {
  strategy.report(0, {1, 1ms});
  strategy.report(1, {100, 2ms});
  int uses = 0;
  while (strategy.score(0)) uses += strategy.pick().index == 0 ? 1 : 0;
  return uses;
}

TEST(Prequal, AnAnswerIsUsedAsOftenAsTheFormulaSays) {
  PrequalConfig config;
  config.rif_quantile = 1;
  config.remove_rate = 0;
  config.reuse_max = 5;
  for (const auto& [rate, backends, uses] : std::vector<std::tuple<double, std::size_t, int>>{
           {1, 32, 4},    // 2 / (1/2 * 1)
           {4, 32, 1},    // 2 / (1/2 * 4)
           {16, 160, 1},  // 2 / (9/10 * 16), but one at least
           {1, 16, 5},    // The pool does not fill: reuse_max.
           {1, 2, 5}}) {
    config.probe_rate = rate;
    StrategyAtWork strategy{config, idle(backends)};
    EXPECT_EQ(uses_of_the_first(strategy), uses) << rate << ' ' << backends;
  }
}

TEST(Prequal, WhatIsRemovedAddsToTheUses) {
  PrequalConfig config;
  config.rif_quantile = 1;
  config.probe_rate = 3;
  config.remove_rate = 1;
  StrategyAtWork strategy{config, idle(32)};
  EXPECT_EQ(uses_of_the_first(strategy), 4) << "2 / (1/2 * 3 - 1)";
}

TEST(Prequal, FractionsOfAUseCarryOver) {
  PrequalConfig config;
  config.rif_quantile = 1;
  config.remove_rate = 0;
  config.probe_rate = 1.6;  // 2 / (1/2 * 1.6) = 2.5
  StrategyAtWork strategy{config, idle(32)};
  for (int n = 0; n < 3; ++n) EXPECT_EQ(uses_of_the_first(strategy), 2) << "the other has three";
  StrategyAtWork other{config, idle(32)};
  other.report(2, {1, 1ms});
  other.report(3, {1, 2ms});
  other.report(4, {100, 9ms});
  EXPECT_EQ(other.picks(5), "CCDDD");
}

TEST(Prequal, TheWorstAndTheOldestLeaveByTurns) {
  PrequalConfig config = quiet();
  config.remove_rate = 1;
  StrategyAtWork strategy{config, idle(17)};
  for (std::size_t i = 0; i < 6; ++i) {
    strategy.report(i, {1, std::chrono::milliseconds{i == 2 ? 99 : 50 - static_cast<int>(i)}});
  }
  const auto left = [&] {
    std::string letters;
    for (std::size_t i = 0; i < 17; ++i) {
      if (strategy.score(i)) letters += static_cast<char>('A' + i);
    }
    return letters;
  };
  EXPECT_EQ(left(), "ABCDEF");
  EXPECT_EQ(strategy.pick().index, 5u);
  // One for the pick makes F hot, and hot is worse than slow.
  EXPECT_EQ(left(), "ABCDE");
  strategy.pick();
  EXPECT_EQ(left(), "BCDE") << "A was the oldest";
  strategy.pick();
  EXPECT_EQ(left(), "BCE") << "D is as hot as E now, and slower";
  strategy.pick();
  EXPECT_EQ(left(), "CE") << "B was the oldest";
  strategy.pick();
  EXPECT_EQ(left(), "CE") << "two stay";
}

TEST(Prequal, InAClusterThatFitsIntoThePoolNothingIsRemoved) {
  PrequalConfig config = quiet();
  config.remove_rate = 3;
  StrategyAtWork strategy{config, idle(16)};
  for (std::size_t i = 0; i < 16; ++i) strategy.report(i, {1, 1ms});
  for (int n = 0; n < 10; ++n) strategy.pick();
  for (std::size_t i = 0; i < 16; ++i) EXPECT_TRUE(strategy.score(i));
}

TEST(Prequal, ARebuildKeepsAnswersById) {
  StrategyAtWork strategy{quiet(), with_ids({0, 1, 2, 3})};
  for (std::size_t i = 0; i < 4; ++i) {
    strategy.report(i, {1, std::chrono::milliseconds{10 - static_cast<int>(i)}});
  }
  strategy.become(with_ids({1, 2, 5}));
  EXPECT_EQ(strategy.score(0), 9.0);
  EXPECT_EQ(strategy.score(1), 8.0);
  EXPECT_EQ(strategy.score(2), std::nullopt);
  EXPECT_EQ(strategy.pick().index, 1u);
}

// -- Open and closed

TEST(Prequal, NeverPicksAClosedOneWhileAnOpenOneIsInThePool) {
  StrategyAtWork strategy{quiet(), idle(4)};
  strategy.report(0, {1, 1ms});
  strategy.report(1, {9, 99ms});
  strategy.close(0);
  const Pick pick = strategy.pick();
  EXPECT_EQ(pick.index, 1u);
  EXPECT_NE(pick.reason, PickReason::drawn);
}

TEST(Prequal, DrawsAnOpenOneWhenThePoolHasNone) {
  StrategyAtWork strategy{quiet(), idle(40)};
  for (std::size_t i = 0; i < 39; ++i) strategy.close(i);
  strategy.report(0, {1, 1ms});
  strategy.report(1, {1, 1ms});
  for (int n = 0; n < 50; ++n) {
    const Pick pick = strategy.pick();
    EXPECT_EQ(pick.index, 39u);
    EXPECT_EQ(pick.reason, PickReason::drawn);
  }
}

// -- Probes

TEST(Prequal, AsksAtItsRateAndNeverTheSameTwiceInARow) {
  StrategyAtWork strategy{PrequalConfig{}, idle(5)};
  EXPECT_EQ(probes(strategy).size(), 0u) << "before the first pick";
  std::map<std::size_t, int> asked;
  std::size_t last = 99;
  for (int n = 0; n < 1000; ++n) {
    strategy.pick();
    const auto indices = probes(strategy);
    ASSERT_EQ(indices.size(), 3u);
    for (const std::size_t index : indices) {
      ASSERT_NE(index, last);
      ++asked[index];
      last = index;
    }
  }
  ASSERT_EQ(asked.size(), 5u);
  for (const auto& [index, count] : asked) {
    EXPECT_NEAR(count, 600, 75) << index;  // Three standard deviations.
  }
}

TEST(Prequal, TwoBackendsAreAskedByTurns) {
  PrequalConfig config;
  config.probe_rate = 1;
  StrategyAtWork strategy{config, idle(2)};
  std::size_t last = 99;
  for (int n = 0; n < 20; ++n) {
    strategy.pick();
    const auto indices = probes(strategy);
    ASSERT_EQ(indices.size(), 1u);
    ASSERT_NE(indices[0], last);
    last = indices[0];
  }
}

TEST(Prequal, ARateMayBeAFraction) {
  PrequalConfig config;
  config.probe_rate = 0.375;  // Exact in binary.
  StrategyAtWork strategy{config, idle(3)};
  std::string counts;
  for (int n = 0; n < 16; ++n) {
    strategy.pick();
    counts += static_cast<char>('0' + probes(strategy).size());
  }
  EXPECT_EQ(counts, "0010010100100101");
}

TEST(Prequal, ARebuildForgetsWhomItWantedToAsk) {
  StrategyAtWork strategy{PrequalConfig{}, idle(30)};
  strategy.pick();
  strategy.become(with_ids({0, 1}));
  EXPECT_EQ(strategy.poll_load_probe(), std::nullopt);
}

// -- Failing and hanging

TEST(Prequal, OneThatFailsThreeTimesInARowComesLast) {
  StrategyAtWork strategy{quiet(), idle(3)};
  strategy.report(0, {0, 1ms});
  strategy.report(1, {7, 500ms});
  strategy.sample(0, 1ms, true);
  strategy.sample(0, 1ms, true);
  strategy.sample(0, 1ms, false);
  strategy.sample(0, 1ms, true);
  strategy.sample(0, 1ms, true);
  EXPECT_EQ(strategy.score(0), 1.0) << "twice in a row";
  strategy.sample(0, 1ms, true);
  EXPECT_EQ(strategy.score(0), kFailing);
  EXPECT_EQ(strategy.pick().index, 1u);
  strategy.close(1);
  EXPECT_EQ(strategy.pick().index, 0u) << "there is no other";
  strategy.open(1);
  strategy.sample(0, 1ms, false);
  EXPECT_EQ(strategy.pick().index, 0u) << "it answers again";
}

TEST(Prequal, OneThatFailedIsTriedAgainAfterAWhile) {
  StrategyAtWork strategy{quiet(), idle(2)};
  for (int n = 0; n < 3; ++n) strategy.sample(0, 1ms, true);
  strategy.advance(10s - 1ns);
  strategy.report(0, {0, 1ms});
  strategy.report(1, {0, 5ms});
  EXPECT_EQ(strategy.pick().index, 1u);
  strategy.advance(1ns);
  EXPECT_EQ(strategy.pick().index, 0u);
}

TEST(Prequal, OneThatFailsIsNotDrawnWhileThereAreOthers) {
  StrategyAtWork strategy{quiet(), idle(10)};
  for (int n = 0; n < 3; ++n) strategy.sample(4, 1ms, true);
  strategy.become(idle(10));  // It is remembered.
  int drawn = 0;
  for (int n = 0; n < 1000; ++n) drawn += strategy.pick().index == 4 ? 1 : 0;
  EXPECT_EQ(drawn, 0);
}

// A says that it is quick and empty, and fails in 1 ms.
TEST(Prequal, FailingFastIsNotRewarded) {
  StrategyAtWork strategy{PrequalConfig{}, idle(3)};
  int on_a = 0;
  for (int n = 0; n < 2000; ++n) {
    const std::size_t index = strategy.start();
    for (const std::size_t asked : probes(strategy)) {
      strategy.report(asked, {strategy.eligible()[asked].in_flight, asked == 0 ? 1ms : 50ms});
    }
    strategy.advance(index == 0 ? 1ms : 50ms);
    strategy.finish(index, index == 0 ? 1ms : 50ms, index == 0);
    if (index == 0) ++on_a;
  }
  EXPECT_GE(on_a, 3);
  EXPECT_LE(on_a, 30) << "in 100 s: three at first, one every 10 s, and a few at the start";
}

// A says that it is quick and empty, and answers no more.
TEST(Prequal, AHungBackendDoesNotAttractEverybody) {
  StrategyAtWork strategy{PrequalConfig{}, idle(3)};
  int on_a = 0;
  for (int n = 0; n < 1000; ++n) {
    const std::size_t index = strategy.start();
    for (const std::size_t asked : probes(strategy)) {
      strategy.report(asked, {asked == 0 ? 0U : 2U, asked == 0 ? 1ms : 50ms});
    }
    strategy.advance(1ms);
    if (index == 0) ++on_a;
    if (index != 0) strategy.finish(index, 50ms);
  }
  EXPECT_LE(on_a, 5) << "two in flight are what the others tell of";
}

// -- Copies and scores

TEST(Prequal, ACloneGoesItsOwnWay) {
  StrategyAtWork strategy{PrequalConfig{}, idle(2)};
  strategy.report(0, {1, 1ms});
  strategy.report(1, {1, 2ms});
  const auto copy = strategy.strategy().clone();
  copy->load_reported(strategy.eligible(), 0, {1, 9ms}, Instant{});
  OpenSet open;
  open.reset(2);
  Prng prng{1};
  EXPECT_EQ(copy->pick({strategy.eligible(), open, 0, 0, Instant{}, prng}).index, 1u);
  EXPECT_EQ(strategy.poll_load_probe(), std::nullopt);
  EXPECT_EQ(strategy.pick().index, 0u);
}

// What has a score is in the pool; of those that are open the least is picked.
TEST(Prequal, ThePickIsTheLeastByScore) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Prng prng{seed};
    const std::size_t count = 2 + prng.below(30);
    StrategyAtWork strategy{PrequalConfig{}, idle(count), seed};
    OpenSet open;
    open.reset(count);
    int picked = 0;
    for (int step = 0; step < 3000; ++step) {
      const std::size_t index = prng.below(count);
      strategy.advance(Duration{static_cast<std::int64_t>(prng.below(30'000'000))});
      const std::uint64_t choice = prng.below(10);
      if (choice < 5) {
        const Duration latency{static_cast<std::int64_t>(prng.below(10)) * 1'000'000};
        strategy.report(index, {static_cast<std::uint32_t>(prng.below(8)), latency});
      } else if (choice == 5) {
        strategy.sample(index, 1ms, prng.below(2) == 0);
      } else if (choice == 6) {
        open.open(index), strategy.open(index);
      } else if (choice == 7 && open.count() > 1) {
        open.close(index), strategy.close(index);
      } else {
        std::optional<double> least;
        std::size_t answers = 0;
        std::vector<std::optional<double>> scores;
        for (std::size_t i = 0; i < count; ++i) {
          scores.push_back(strategy.score(i));
          if (scores[i]) ++answers;
          if (scores[i] && open.contains(i) && (!least || *scores[i] < *least)) least = scores[i];
        }
        const Pick pick = strategy.pick();
        ASSERT_TRUE(open.contains(pick.index));
        ASSERT_EQ(pick.reason == PickReason::drawn, answers < 2 || !least);
        if (pick.reason == PickReason::drawn) continue;
        ASSERT_EQ(scores[pick.index], least) << "seed " << seed << " step " << step;
        ++picked;
      }
    }
    EXPECT_GT(picked, 100);
  }
}

}  // namespace
}  // namespace lb
