// Goal: each in turn, and a change of the set does not restart the turn.
// Method: the picks written out as letters, then every set of up to five and every moment of
// change.
#include "lbcore/strategy/round_robin.h"

#include <gtest/gtest.h>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_ids;
using testing::with_weights;

TEST(RoundRobin, TakesEachInTurn) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2})};
  EXPECT_EQ(turn.picks(7), "ABCABCA");
}

TEST(RoundRobin, IgnoresWeightsAndLoad) {
  StrategyAtWork turn{RoundRobinConfig{}, with_weights({100, 1})};
  EXPECT_EQ(turn.picks(2), "AB");
  turn.set_load(0, 1000);
  EXPECT_EQ(turn.picks(2), "AB");
}

TEST(RoundRobin, GoesOnAfterTheLastPickedWhenOneLeaves) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2, 3})};
  EXPECT_EQ(turn.picks(2), "AB");
  turn.become(with_ids({0, 2, 3}));
  EXPECT_EQ(turn.picks(4), "CDAC");
}

TEST(RoundRobin, GoesOnWhenTheLastPickedItselfLeaves) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2})};
  EXPECT_EQ(turn.picks(2), "AB");
  turn.become(with_ids({0, 2}));
  EXPECT_EQ(turn.picks(3), "CAC");
}

TEST(RoundRobin, StartsAgainWhenTheLastOfTheOrderLeaves) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2})};
  EXPECT_EQ(turn.picks(3), "ABC");
  turn.become(with_ids({0, 1}));
  EXPECT_EQ(turn.picks(2), "AB");
}

TEST(RoundRobin, TakesANewcomerWhenItsTurnComes) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 2})};
  EXPECT_EQ(turn.picks(1), "A");
  turn.become(with_ids({0, 1, 2, 3}));
  EXPECT_EQ(turn.picks(4), "BCDA");
}

// A neighbour that flaps before every pick must not favour anybody.
TEST(RoundRobin, StaysFairBesideAFlappingNeighbour) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2})};
  std::map<char, int> counts;
  for (int n = 0; n < 60; ++n) {
    turn.become(n % 2 == 0 ? with_ids({0, 1, 2}) : with_ids({0, 1}));
    ++counts[turn.picks(1).front()];
  }
  EXPECT_LE(std::abs(counts['A'] - counts['B']), 1);
}

// From every subset of six to every other, after every number of picks: the next pick is the
// cyclic successor of the last.
TEST(RoundRobin, ContinuesOverEveryChangeOfTheSet) {
  const auto set_of = [](unsigned bits) {
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 0; id < 6; ++id) {
      if ((bits >> id & 1U) != 0) ids.push_back(id);
    }
    return ids;
  };
  for (unsigned before = 1; before < 64; ++before) {
    for (unsigned after = 1; after < 64; ++after) {
      for (int picked = 1; picked <= 6; ++picked) {
        StrategyAtWork turn{RoundRobinConfig{}, with_ids(set_of(before))};
        const auto last = static_cast<std::uint32_t>(turn.picks(picked).back() - 'A');
        const auto ids = set_of(after);
        turn.become(with_ids(ids));
        const auto next = std::find_if(ids.begin(), ids.end(), [&](auto id) { return id > last; });
        const std::uint32_t expected = next == ids.end() ? ids.front() : *next;
        ASSERT_EQ(turn.picks(1).front(), static_cast<char>('A' + expected))
            << before << " to " << after << " after " << picked;
      }
    }
  }
}

TEST(RoundRobin, PassesOverWhoIsNotOpen) {
  StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2, 3})};
  turn.close(1);
  EXPECT_EQ(turn.picks(4), "ACDA");
  turn.open(1);
  EXPECT_EQ(turn.picks(4), "BCDA") << "nobody else's turn has changed";
}

TEST(RoundRobin, GoesOnFromAnySetOfOpenOnes) {
  for (unsigned open = 1; open < 64; ++open) {
    for (unsigned start = 0; start < 6; ++start) {
      StrategyAtWork turn{RoundRobinConfig{}, with_ids({0, 1, 2, 3, 4, 5})};
      for (unsigned n = 0; n < start; ++n) turn.pick();
      for (std::size_t i = 0; i < 6; ++i) {
        if ((open >> i & 1U) == 0) turn.close(i);
      }
      unsigned expected = start;
      for (int n = 0; n < 8; ++n) {
        while ((open >> expected & 1U) == 0) expected = (expected + 1) % 6;
        ASSERT_EQ(turn.pick().index, expected) << open << " from " << start;
        expected = (expected + 1) % 6;
      }
    }
  }
}

TEST(RoundRobin, HasNoUseForWeights) {
  EXPECT_FALSE(make_strategy(RoundRobinConfig{})->uses_weights());
}

}  // namespace
}  // namespace lb
