// Goal: the ramp begins and ends where it should, follows its formula, and never falls.
// Method: exact figures of the formula, worked out by hand, and every step of a few ramps.
#include "lbcore/slow_start.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb {
namespace {

using namespace std::chrono_literals;

TEST(SlowStart, GrowsInAStraightLine) {
  const SlowStartConfig config{.duration = 20s, .aggression = 1, .min_percent = 10};
  EXPECT_EQ(ramp_percent(config, 0s), 10u);
  EXPECT_EQ(ramp_percent(config, 1s), 14u) << "10 + 90 / 20 = 14.5, rounded down";
  EXPECT_EQ(ramp_percent(config, 2s), 19u);
  EXPECT_EQ(ramp_percent(config, 6s), 37u);
  EXPECT_EQ(ramp_percent(config, 10s), 55u);
  EXPECT_EQ(ramp_percent(config, 14s), 73u) << "63 exactly, though 0.7 is not";
  EXPECT_EQ(ramp_percent(config, 18s), 91u);
  EXPECT_EQ(ramp_percent(config, 20s - 1ns), 99u);
  EXPECT_EQ(ramp_percent(config, 20s), 100u);
  EXPECT_EQ(ramp_percent(config, 1000h), 100u);
  EXPECT_EQ(ramp_percent(config, -1s), 10u);
}

TEST(SlowStart, GivesMoreEarlyWithMoreAggression) {
  SlowStartConfig config{.duration = 16s, .aggression = 2, .min_percent = 20};
  EXPECT_EQ(ramp_percent(config, 1s), 40u) << "20 + 80 * sqrt(1/16)";
  EXPECT_EQ(ramp_percent(config, 4s), 60u) << "20 + 80 * sqrt(1/4)";
  EXPECT_EQ(ramp_percent(config, 9s), 80u) << "20 + 80 * sqrt(9/16)";
  config.aggression = 4;
  EXPECT_EQ(ramp_percent(config, 1s), 60u) << "20 + 80 * (1/16)^(1/4)";
}

TEST(SlowStart, HasNothingToDoFromAllOfTheWeight) {
  const SlowStartConfig config{.duration = 10s, .min_percent = 100};
  EXPECT_EQ(ramp_percent(config, 0s), 100u);
  EXPECT_EQ(ramp_percent(config, 5s), 100u);
}

TEST(SlowStart, NeverFallsAndStaysNearItsFormula) {
  for (const double aggression : {1.0, 1.5, 3.0, 10.0}) {
    const SlowStartConfig config{.duration = 7s, .aggression = aggression, .min_percent = 3};
    std::uint32_t last = 0;
    for (Duration elapsed{}; elapsed < 7s; elapsed += 1ms) {
      const std::uint32_t percent = ramp_percent(config, elapsed);
      ASSERT_GE(percent, last) << elapsed.count();
      const double exact =
          3 + 97 * std::pow(static_cast<double>(elapsed.count()) / 7e9, 1 / aggression);
      ASSERT_NEAR(percent, exact, 1.001) << "rounded down to a whole percent";
      ASSERT_LE(percent, exact + 0.001);
      last = percent;
    }
    EXPECT_GE(last, 99u);
  }
}

}  // namespace
}  // namespace lb
