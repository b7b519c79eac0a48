// Goal: a position is open or it is not, and the next open one is found from anywhere.
// Method: sizes around the 64 bits of a word, and many random steps against a vector of bools.
#include "lbcore/open_set.h"

#include <gtest/gtest.h>

#include <vector>

#include "lbcore/prng.h"

namespace lb {
namespace {

TEST(OpenSet, IsAllOpenAtFirst) {
  for (const std::size_t size : {1u, 63u, 64u, 65u, 128u, 130u}) {
    OpenSet set;
    set.reset(size);
    EXPECT_TRUE(set.all()) << size;
    EXPECT_FALSE(set.none());
    EXPECT_EQ(set.count(), size);
    EXPECT_EQ(set.size(), size);
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(set.next(i), i);
  }
}

TEST(OpenSet, OfNobodyIsBothAllAndNone) {
  OpenSet set;
  EXPECT_TRUE(set.none());
  set.reset(3);
  set.reset(0);
  EXPECT_TRUE(set.none());
  EXPECT_TRUE(set.all());
}

TEST(OpenSet, CountsAPositionOnce) {
  OpenSet set;
  set.reset(3);
  set.close(1);
  set.close(1);
  EXPECT_EQ(set.count(), 2u);
  set.open(1);
  set.open(1);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_TRUE(set.all());
}

TEST(OpenSet, ResetOpensWhatWasClosed) {
  OpenSet set;
  set.reset(70);
  for (std::size_t i = 0; i < 70; ++i) set.close(i);
  EXPECT_TRUE(set.none());
  set.reset(66);
  EXPECT_TRUE(set.all());
  EXPECT_EQ(set.next(65), 65u);
}

TEST(OpenSet, GoesRoundToTheNext) {
  OpenSet set;
  set.reset(130);
  for (std::size_t i = 0; i < 130; ++i) {
    if (i != 5 && i != 128) set.close(i);
  }
  EXPECT_EQ(set.next(0), 5u);
  EXPECT_EQ(set.next(5), 5u);
  EXPECT_EQ(set.next(6), 128u) << "over a word without any";
  EXPECT_EQ(set.next(129), 5u) << "and around";
  set.close(128);
  EXPECT_EQ(set.next(6), 5u) << "back into the word it began in";
}

TEST(OpenSetDeath, ThereIsNoNextOfNone) {
  OpenSet set;
  set.reset(2);
  set.close(0);
  set.close(1);
  EXPECT_DEATH(static_cast<void>(set.next(0)), "count_");
}

TEST(OpenSet, BehavesLikeAVectorOfBools) {
  Prng prng{5};
  for (const std::size_t size : {1u, 7u, 64u, 65u, 200u}) {
    OpenSet set;
    set.reset(size);
    std::vector<bool> model(size, true);
    for (int step = 0; step < 5000; ++step) {
      const std::size_t index = prng.below(size);
      const bool open = prng.below(3) == 0;
      open ? set.open(index) : set.close(index);
      model[index] = open;
      ASSERT_EQ(set.contains(index), open);
      const auto count = static_cast<std::size_t>(std::count(model.begin(), model.end(), true));
      ASSERT_EQ(set.count(), count);
      ASSERT_EQ(set.all(), count == size);
      if (count == 0) continue;
      const std::size_t from = prng.below(size);
      std::size_t expected = from;
      while (!model[expected]) expected = (expected + 1) % size;
      ASSERT_EQ(set.next(from), expected);
    }
  }
}

}  // namespace
}  // namespace lb
