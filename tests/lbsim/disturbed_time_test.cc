// Goal: pauses and slowdowns cost exactly the time they take away.
// Method: times worked out by hand, and the law that what is begun is done when it is over.
#include "lbsim/disturbed_time.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb::sim {
namespace {

using namespace std::chrono_literals;
using scenario::Constant;
using scenario::Disturbance;

double ns(Duration duration) { return static_cast<double>(duration.count()); }

const Disturbance kPause{.every = Constant{10ms}, .length = Constant{5ms}};
const Disturbance kSlow{.every = Constant{10ms}, .length = Constant{10ms}, .factor = 4};

TEST(DisturbedTime, WithoutDisturbancesIsTime) {
  DisturbedTime time({}, 1);
  EXPECT_EQ(time.end_of(3ms, 2e6), 5ms);
  EXPECT_EQ(time.done(3ms, 7ms), 4e6);
}

// It runs from 0 to 10, from 15 to 25, and so on.
TEST(DisturbedTime, APauseStopsEverything) {
  DisturbedTime time({kPause}, 1);
  EXPECT_EQ(time.end_of(0ms, 9e6), 9ms);
  EXPECT_EQ(time.end_of(0ms, 12e6), 17ms);
  EXPECT_EQ(time.end_of(0ms, 31e6), 46ms);
  EXPECT_EQ(time.end_of(12ms, 1e6), 16ms);
  EXPECT_EQ(time.done(12ms, 40ms), 20e6);
}

// A quarter of the speed from 10 to 20.
TEST(DisturbedTime, ASlowdownStretches) {
  DisturbedTime time({kSlow}, 1);
  EXPECT_EQ(time.end_of(0ms, 11e6), 14ms);
  EXPECT_EQ(time.done(0ms, 20ms), 12.5e6);
  EXPECT_EQ(time.end_of(12ms, 3e6), 21ms);
}

TEST(DisturbedTime, FactorsAreMultiplied) {
  Disturbance half = kSlow;
  half.factor = 2;
  DisturbedTime time({kSlow, half}, 1);
  EXPECT_EQ(time.done(0ms, 20ms), 10e6 + 10e6 / 8);
}

TEST(DisturbedTime, WhatIsBegunIsDoneAtItsEnd) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::vector<Disturbance> both{
        {.every = scenario::Exponential{3ms}, .length = scenario::Exponential{1ms}},
        {.every = scenario::Uniform{1ms, 9ms}, .length = Constant{2ms}, .factor = 3}};
    DisturbedTime ends(both, seed);
    DisturbedTime doing(both, seed);
    Prng prng{seed};
    Duration now{};
    for (int n = 0; n < 1000; ++n) {
      const double work = prng.unit() * 5e6;
      // Within the rounding of the end.
      EXPECT_NEAR(doing.done(now, ends.end_of(now, work)), work, 1);
      now += Duration{static_cast<Duration::rep>(prng.below(2'000'000))};
    }
  }
}

// On for a quarter of the time at a third of the speed: renewal theory says 1 - 1/4 * 2/3. One
// cycle, 4 ms on average, has a standard deviation below 4 ms; five standard errors of 25,000.
TEST(DisturbedTime, TakesItsShareInTheLongRun) {
  DisturbedTime time(
      {{.every = scenario::Exponential{3ms}, .length = scenario::Exponential{1ms}, .factor = 3}},
      7);
  EXPECT_NEAR(time.done(0s, 100s) / ns(100s), 5 / 6.0, 5 / std::sqrt(25'000));
}

}  // namespace
}  // namespace lb::sim
