// Goal: of the backends drawn, the least loaded wins, and the draws are all different.
// Method: the draws are replayed from the same seed by a naive implementation; where every backend
// is compared there is nothing random left, so the answers are exact.
#include "lbcore/strategy/least_request.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "lbcore/strategy/weighted_draw.h"
#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_in_flight;
using testing::with_weights;

// The draws of one pick over backends of equal weight: a number among those not drawn yet.
std::vector<std::size_t> draws(Prng& prng, std::size_t count, std::size_t choices) {
  std::vector<std::size_t> left(count);
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::vector<std::size_t> drawn;
  while (drawn.size() < choices) {
    const auto taken = left.begin() + static_cast<std::ptrdiff_t>(prng.below(left.size()));
    drawn.push_back(*taken);
    left.erase(taken);
  }
  return drawn;
}

// The same over weights: drawn again up to eight times, then the next free one in order.
std::vector<std::size_t> draws(Prng& prng, const std::vector<BackendView>& views,
                               std::size_t choices) {
  WeightedDraw by_weight;
  by_weight.rebuild(views);
  std::vector<std::size_t> drawn;
  while (drawn.size() < choices) {
    const auto taken = [&](std::size_t i) { return std::count(drawn.begin(), drawn.end(), i) > 0; };
    std::size_t index = by_weight.draw(prng);
    for (int redraws = 0; redraws < 8 && taken(index); ++redraws) index = by_weight.draw(prng);
    while (taken(index)) index = (index + 1) % views.size();
    drawn.push_back(index);
  }
  return drawn;
}

TEST(LeastRequest, OfTwoBackendsTakesTheLessLoaded) {
  StrategyAtWork strategy{LeastRequestConfig{}, with_in_flight({3, 1})};
  for (int n = 0; n < 100; ++n) EXPECT_EQ(strategy.pick().index, 1u);
}

TEST(LeastRequest, WeighsTheLoad) {
  auto views = with_weights({4, 1});
  views[0].in_flight = 7;
  views[1].in_flight = 2;
  StrategyAtWork strategy{LeastRequestConfig{}, views};
  for (int n = 0; n < 100; ++n) EXPECT_EQ(strategy.pick().index, 0u) << "7/4 is less than 2/1";
}

TEST(LeastRequest, ComparesThemAllWhenThereAreNoMoreThanChoices) {
  for (std::uint32_t choices : {3u, 5u, 16u}) {
    StrategyAtWork strategy{LeastRequestConfig{choices}, with_in_flight({5, 9, 2})};
    for (int n = 0; n < 200; ++n) EXPECT_EQ(strategy.pick().index, 2u) << choices;
  }
}

// The first of the least, as the strategy promises.
std::size_t least_of(const std::vector<std::size_t>& drawn, const std::vector<BackendView>& views) {
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), drawn.size());
  return *std::min_element(drawn.begin(), drawn.end(), [&](std::size_t a, std::size_t b) {
    return views[a].in_flight * views[b].weight < views[b].in_flight * views[a].weight;
  });
}

TEST(LeastRequest, DrawsDifferentBackendsAndGivesTiesToTheEarlier) {
  for (std::size_t count : {2u, 3u, 5u, 20u}) {
    for (std::uint32_t choices : {1u, 2u, 3u, 4u, 16u}) {
      Prng loads{count * 10 + choices};
      std::vector<std::uint32_t> in_flight(count);
      for (auto& load : in_flight) load = static_cast<std::uint32_t>(loads.below(3));
      const auto views = with_in_flight(in_flight);
      StrategyAtWork strategy{LeastRequestConfig{choices}, views, 77};
      Prng same{77};
      for (int n = 0; n < 300; ++n) {
        const auto drawn = draws(same, count, std::min<std::size_t>(choices, count));
        ASSERT_EQ(strategy.pick().index, least_of(drawn, views)) << count << ", " << choices;
      }
    }
  }
}

TEST(LeastRequest, DrawsByWeightWhenWeightsDiffer) {
  for (std::size_t count : {2u, 3u, 5u, 20u}) {
    for (std::uint32_t choices : {1u, 2u, 3u, 4u}) {
      Prng some{count * 10 + choices};
      std::vector<std::uint32_t> weights{1};
      while (weights.size() < count)
        weights.push_back(static_cast<std::uint32_t>(2 + some.below(9)));
      auto views = with_weights(weights);
      for (auto& view : views) view.in_flight = static_cast<std::uint32_t>(some.below(3));
      StrategyAtWork strategy{LeastRequestConfig{choices}, views, 77};
      Prng same{77};
      for (int n = 0; n < 300; ++n) {
        const auto drawn = draws(same, views, std::min<std::size_t>(choices, count));
        ASSERT_EQ(strategy.pick().index, least_of(drawn, views)) << count << ", " << choices;
      }
    }
  }
}

// Of three in three pairs the least loaded of a pair wins: never the busiest, the middle one of the
// pair without the idlest, the idlest of the two others. 5 sigma of 30000 picks.
TEST(LeastRequest, EveryPairIsDrawnEquallyOften) {
  StrategyAtWork strategy{LeastRequestConfig{}, with_in_flight({0, 1, 2})};
  std::vector<int> seen(3);
  for (int n = 0; n < 30'000; ++n) ++seen[strategy.pick().index];
  EXPECT_EQ(seen[2], 0);
  EXPECT_NEAR(seen[1], 10'000, 5 * 82);
}

TEST(LeastRequest, ComparesNobodyThatIsNotOpen) {
  for (std::uint32_t choices : {1u, 2u, 3u}) {
    for (unsigned open = 1; open < 32; ++open) {
      for (const bool equal : {true, false}) {
        auto views = with_in_flight({0, 3, 1, 4, 2});
        if (!equal) views[3].weight = 50;
        StrategyAtWork strategy{LeastRequestConfig{choices}, views};
        for (std::size_t i = 0; i < 5; ++i) {
          if ((open >> i & 1U) == 0) strategy.close(i);
        }
        for (int n = 0; n < 20; ++n) {
          const std::size_t index = strategy.pick().index;
          ASSERT_TRUE((open >> index & 1U) != 0) << "open " << open << ", picked " << index;
        }
      }
    }
  }
}

TEST(LeastRequest, ScoresByLoadPerWeight) {
  auto views = with_weights({4, 1});
  views[0].in_flight = 7;
  StrategyAtWork strategy{LeastRequestConfig{}, views};
  EXPECT_EQ(strategy.score(0), 1.75);
  EXPECT_EQ(strategy.score(1), 0.0);
  StrategyAtWork draw{LeastRequestConfig{1}, views};
  EXPECT_EQ(draw.score(0), std::nullopt) << "one draw compares nothing";
}

// The busiest of three can only win against a busier one, and there is none.
TEST(LeastRequest, NeverPicksTheBusiestOfThree) {
  StrategyAtWork strategy{LeastRequestConfig{}, with_in_flight({9, 1, 1})};
  for (int n = 0; n < 1000; ++n) EXPECT_NE(strategy.pick().index, 0u);
}

TEST(LeastRequest, EndsThoughOneBackendHoldsNearlyAllTheWeight) {
  auto views = with_weights({65535, 1, 1, 1});
  views[0].in_flight = 1'000'000;
  StrategyAtWork strategy{LeastRequestConfig{4}, views};
  for (int n = 0; n < 100; ++n) EXPECT_NE(strategy.pick().index, 0u);
}

TEST(LeastRequest, OneChoiceIsADraw) {
  StrategyAtWork strategy{LeastRequestConfig{1}, with_in_flight({9, 0})};
  std::set<std::size_t> seen;
  for (int n = 0; n < 100; ++n) {
    const Pick pick = strategy.pick();
    EXPECT_EQ(pick.reason, PickReason::drawn);
    seen.insert(pick.index);
  }
  EXPECT_EQ(seen.size(), 2u);
}

TEST(LeastRequest, ComparesLoadsTooLargeForThirtyTwoBits) {
  auto views = with_weights({65535, 65534});
  views[0].in_flight = 0xffffffffU;
  views[1].in_flight = 0xffffffffU;
  StrategyAtWork strategy{LeastRequestConfig{}, views};
  for (int n = 0; n < 20; ++n) EXPECT_EQ(strategy.pick().index, 0u);
}

TEST(LeastRequestDeathTest, RefusesAChoiceCountOutOfBounds) {
  EXPECT_DEATH(static_cast<void>(make_strategy(LeastRequestConfig{0})), "choice_count");
  EXPECT_DEATH(static_cast<void>(make_strategy(LeastRequestConfig{17})), "choice_count");
}

}  // namespace
}  // namespace lb
