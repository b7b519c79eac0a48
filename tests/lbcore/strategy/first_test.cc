// Goal: the first with room gets it all.
// Method: every set of open positions among eight.
#include "lbcore/strategy/first.h"

#include <gtest/gtest.h>

#include <bit>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_weights;

TEST(First, TakesTheFirstThatIsOpen) {
  for (unsigned open = 1; open < 256; ++open) {
    StrategyAtWork first{FirstConfig{}, with_weights({1, 9, 1, 1, 5, 1, 1, 1})};
    for (std::size_t i = 0; i < 8; ++i) {
      if ((open >> i & 1U) == 0) first.close(i);
    }
    for (int n = 0; n < 3; ++n) {
      const Pick pick = first.pick(mix(static_cast<HashKey>(n)));
      EXPECT_EQ(pick.index, static_cast<std::size_t>(std::countr_zero(open)));
      EXPECT_EQ(pick.reason, PickReason::first_open);
    }
  }
}

// As the limit of a backend does it: three requests each.
TEST(First, FillsOneUpAfterTheOther) {
  StrategyAtWork first{FirstConfig{}, with_weights({1, 1, 1})};
  std::string letters;
  for (int n = 0; n < 8; ++n) {
    const std::size_t index = first.start();
    if (first.eligible()[index].in_flight == 3) first.close(index);
    letters += static_cast<char>('A' + index);
  }
  EXPECT_EQ(letters, "AAABBBCC");
  first.finish(1, Duration{1});
  first.open(1);
  EXPECT_EQ(first.start(), 1u) << "the first with room, not the last used";
}

TEST(First, IgnoresWeights) { EXPECT_FALSE(make_strategy(FirstConfig{})->uses_weights()); }

}  // namespace
}  // namespace lb
