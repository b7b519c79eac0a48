// Goal: the picks of the well-known smooth rule, although its credits are never stored.
// Method: the textbook sequence by hand, then a naive implementation as nginx has it, over every
// small weight vector and many large ones.
#include "lbcore/strategy/weighted_round_robin.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_weights;

// Every pick gives each backend its weight in credit, picks the greatest, and takes the total
// from it. Ties go to the earlier one.
class NaiveSmooth {
 public:
  explicit NaiveSmooth(std::vector<std::uint32_t> weights)
      : weights_(weights.begin(), weights.end()), credit_(weights.size()) {}

  std::size_t pick() {
    std::size_t best = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      credit_[i] += weights_[i];
      if (credit_[i] > credit_[best]) best = i;
    }
    credit_[best] -= std::accumulate(weights_.begin(), weights_.end(), std::int64_t{0});
    return best;
  }

 private:
  std::vector<std::int64_t> weights_;
  std::vector<std::int64_t> credit_;
};

void expect_same_as_naive(const std::vector<std::uint32_t>& weights, std::uint64_t picks) {
  NaiveSmooth naive{weights};
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights(weights)};
  for (std::uint64_t n = 0; n < picks; ++n) {
    ASSERT_EQ(smooth.pick().index, naive.pick())
        << "pick " << n << " of weights " << ::testing::PrintToString(weights);
  }
}

TEST(SmoothWeightedRoundRobin, FiveOneOneGivesAABACAA) {
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights({5, 1, 1})};
  EXPECT_EQ(smooth.picks(7), "AABACAA");
  EXPECT_EQ(smooth.picks(7), "AABACAA");
}

TEST(SmoothWeightedRoundRobin, EqualWeightsTakeTurns) {
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights({7, 7, 7})};
  EXPECT_EQ(smooth.picks(7), "ABCABCA");
}

TEST(SmoothWeightedRoundRobin, PicksWhatTheNaiveRulePicksForEverySmallWeightVector) {
  for (std::uint32_t a = 1; a <= 5; ++a) {
    for (std::uint32_t b = 1; b <= 5; ++b) {
      expect_same_as_naive({a, b}, 2 * (a + b) + 1);
      for (std::uint32_t c = 1; c <= 5; ++c) {
        expect_same_as_naive({a, b, c}, 2 * (a + b + c) + 1);
        for (std::uint32_t d = 1; d <= 5; ++d) {
          expect_same_as_naive({a, b, c, d}, 2 * (a + b + c + d) + 1);
        }
      }
    }
  }
}

TEST(SmoothWeightedRoundRobin, PicksWhatTheNaiveRulePicksForLargeRandomVectors) {
  Prng prng{99};
  for (int round = 0; round < 100; ++round) {
    // Few different weights make large groups, many make small ones.
    const std::uint64_t weight_max = round % 2 == 0 ? 4 : 65535;
    std::vector<std::uint32_t> weights(2 + prng.below(30));
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(weight_max));
    expect_same_as_naive(weights, 500);
  }
}

// Groups of one backend, many of them: then the tournament is deep and its winners change all the
// time. Sizes on both sides of powers of two.
TEST(SmoothWeightedRoundRobin, PicksWhatTheNaiveRulePicksAmongManyDifferentWeights) {
  Prng prng{7};
  for (const std::size_t count : {31u, 32u, 33u, 63u, 64u, 65u, 200u}) {
    for (const std::uint64_t weight_max : {100u, 65535u, 0xffffffffU}) {
      std::vector<std::uint32_t> weights(count);
      for (auto& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(weight_max));
      expect_same_as_naive(weights, 5000);
    }
  }
  std::vector<std::uint32_t> ascending(64);
  std::iota(ascending.begin(), ascending.end(), 1U);
  expect_same_as_naive(ascending, 3 * 64 * 65 / 2);
}

TEST(SmoothWeightedRoundRobin, GivesExactlyItsWeightInEveryCycle) {
  const std::vector<std::uint32_t> weights{13, 1, 7, 7, 2};
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights(weights)};
  for (int cycle = 0; cycle < 5; ++cycle) {
    std::vector<std::uint32_t> counts(weights.size());
    for (int n = 0; n < 30; ++n) ++counts[smooth.pick().index];
    EXPECT_EQ(counts, weights) << "cycle " << cycle;
  }
}

// Without a memory of the last pick, a change before every pick would always give the first.
TEST(SmoothWeightedRoundRobin, AFlappingNeighbourDoesNotRestartTheTurn) {
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights({1, 1, 1, 1})};
  std::string letters;
  for (int n = 0; n < 8; ++n) {
    smooth.become(with_weights({1, 1, 1, 1}));
    letters += smooth.picks(1);
  }
  EXPECT_EQ(letters, "ABCDABCD");
}

TEST(SmoothWeightedRoundRobin, StartsANewCycleAfterAChange) {
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights({1, 1, 1})};
  EXPECT_EQ(smooth.picks(2), "AB");
  smooth.become(with_weights({3, 1, 1}));
  std::map<char, int> counts;
  for (const char letter : smooth.picks(5)) ++counts[letter];
  EXPECT_EQ(counts, (std::map<char, int>{{'A', 3}, {'B', 1}, {'C', 1}}));
}

// The cycle is AABACA; without A it is BC.
TEST(SmoothWeightedRoundRobin, WhoIsNotOpenLosesItsTurn) {
  StrategyAtWork smooth{WeightedRoundRobinConfig{}, with_weights({4, 1, 1})};
  smooth.close(0);
  EXPECT_EQ(smooth.picks(6), "BCBCBC");
  smooth.open(0);
  EXPECT_EQ(smooth.picks(6), "AAABAC") << "the last of its turns, and a new cycle";
}

}  // namespace
}  // namespace lb
