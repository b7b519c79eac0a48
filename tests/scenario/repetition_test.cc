// Goal: what is to come again comes again, at the times that were asked for.
// Method: lists of times; counts and gaps of random ones within five standard errors.
#include "lbsim/scenario/repetition.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;
using Times = std::vector<Duration>;

TEST(Occurrences, OfWhatIsNotRepeatedAreOne) {
  EXPECT_EQ(occurrences({}, 3s, 10s, Prng{1}), Times{3s});
  EXPECT_EQ(occurrences({}, 30s, 10s, Prng{1}), Times{30s}) << "as the file says";
}

TEST(Occurrences, EndBeforeTheEnd) {
  EXPECT_EQ(occurrences({.every = 2s}, 1s, 7s, Prng{1}), (Times{1s, 3s, 5s}));
  EXPECT_EQ(occurrences({.every = 2s, .until = 5s}, 1s, 7s, Prng{1}), (Times{1s, 3s}));
  EXPECT_EQ(occurrences({.every = 2s, .count = 2}, 1s, 7s, Prng{1}), (Times{1s, 3s}));
  EXPECT_EQ(occurrences({.every = 2s, .until = 9s}, 1s, 4s, Prng{1}), (Times{1s, 3s}));
}

TEST(Occurrences, JitterMovesEachAndNotTheNext) {
  const Times times = occurrences({.every = 1s, .jitter = 100ms}, 0s, 1000s, Prng{5});
  ASSERT_EQ(times.size(), 1000u);
  double sum = 0;
  for (std::size_t n = 0; n < times.size(); ++n) {
    const Duration late = times[n] - n * 1s;
    EXPECT_GE(late, 0ns);
    EXPECT_LE(late, 100ms);
    sum += static_cast<double>(late.count()) / 1e6;
  }
  // Uniform: its standard deviation is 100 / sqrt(12).
  EXPECT_NEAR(sum / 1000, 50, 5 * 100 / std::sqrt(12 * 1000));
}

TEST(Occurrences, AtRandomHaveTheirMean) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Times times = occurrences({.mean_every = 1s}, 0s, 10'000s, Prng{seed});
    EXPECT_EQ(times.front(), 0s);
    EXPECT_NEAR(static_cast<double>(times.size()), 10'001, 5 * std::sqrt(10'000)) << seed;
  }
}

TEST(Occurrences, AreBounded) {
  EXPECT_EQ(occurrences({.every = 1ns}, 0s, 10s, Prng{1}).size(), kOccurrencesMax + 1);
}

}  // namespace
}  // namespace lb::scenario
