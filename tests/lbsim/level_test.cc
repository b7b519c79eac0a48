// Goal: the integral of a count is exact at every time, and its peak that of each stretch.
#include "lbsim/level.h"

#include <gtest/gtest.h>

namespace lb::sim {
namespace {

using namespace std::chrono_literals;

TEST(Level, AddsUpWhatItWasOverTime) {
  Level level;
  level.rise(10ns);
  level.rise(20ns);
  level.fall(50ns);
  EXPECT_EQ(level.value(), 1u);
  EXPECT_EQ(level.integral(50ns), 10u + 2 * 30u);
  EXPECT_EQ(level.integral(60ns), 80u);
  level.set(60ns, 5);
  level.set(70ns, 5);
  EXPECT_EQ(level.integral(70ns), 130u);
}

TEST(Level, HasAPeakForEachStretch) {
  Level level;
  level.set(1ns, 7);
  level.set(2ns, 3);
  EXPECT_EQ(level.read(3ns).peak, 7u);
  EXPECT_EQ(level.read(4ns).peak, 3u) << "what it was all along";
  level.fall(5ns);
  level.rise(6ns);
  EXPECT_EQ(level.read(7ns).peak, 3u);
  EXPECT_EQ(level.read(7ns).integral, 7u + 3 * 3 + 2 + 3);
}

}  // namespace
}  // namespace lb::sim
