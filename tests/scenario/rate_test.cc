// Goal: arrivals follow a rate that changes, exactly.
// Method: times worked out by hand from the area under the lines; Poisson counts against their
// integral with a stated tolerance.
#include "lbsim/scenario/rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

Rate points(std::vector<RatePoint> list) {
  Rate rate;
  rate.points = std::move(list);
  return rate;
}

// From 0 to 100 per second within 10 s: n requests take sqrt(n / 5) seconds.
TEST(RateWalk, FollowsARampByTheAreaBelowIt) {
  RateWalk walk(points({{0s, 0}, {10s, 100}}));
  for (int n = 1; n <= 499; ++n) {
    const auto at = walk.advance(1);
    ASSERT_TRUE(at);
    EXPECT_NEAR(static_cast<double>(at->count()), std::sqrt(n / 5.0) * 1e9, 2) << n;
  }
  EXPECT_NEAR(static_cast<double>(walk.advance(1)->count()), 10e9, 100);
  EXPECT_NEAR(static_cast<double>(walk.advance(1)->count()), 10.01e9, 100) << "level from here";
}

TEST(RateWalk, TakesAStepAtItsTime) {
  RateWalk walk(points({{0s, 10}, {1s, 10}, {1s, 1000}, {2s, 1000}, {2s, 0}}));
  for (int n = 1; n <= 9; ++n) EXPECT_EQ(walk.advance(1), n * 100ms);
  static_cast<void>(walk.advance(1));  // On the step itself.
  EXPECT_NEAR(static_cast<double>(walk.advance(1)->count()), 1.001e9, 10);
  for (int n = 2; n <= 999; ++n) ASSERT_TRUE(walk.advance(1));
  static_cast<void>(walk.advance(1));
  EXPECT_EQ(walk.advance(1), std::nullopt) << "zero from 2 s on";
}

TEST(RateWalk, StartsWithTheFirstPointsRate) {
  RateWalk walk(points({{5s, 2}, {6s, 4}}));
  EXPECT_EQ(walk.advance(1), 500ms);
  EXPECT_EQ(walk.advance(1), 1s);
}

// One step or a thousand small ones lead to the same place.
TEST(RateWalk, DoesNotDependOnTheStepsTaken) {
  const Rate day = diurnal_rate(100, 90, 10s);
  RateWalk coarse(day);
  RateWalk fine(day);
  Duration last{};
  for (int n = 0; n < 5; ++n) {
    const auto at = coarse.advance(317);
    for (int k = 0; k < 3170; ++k) last = *fine.advance(0.1);
    EXPECT_NEAR(static_cast<double>((*at - last).count()), 0, 100);
  }
}

// The rate is as far above its mean in the first half of a period as it is below in the second.
TEST(DiurnalRate, HasItsMeanAndItsPeaks) {
  const Rate day = diurnal_rate(100, 60, 24h);
  ASSERT_EQ(day.points.size(), 97u);
  EXPECT_EQ(day.points[24].at, 6h);
  EXPECT_NEAR(day.points[24].rate, 160, 1e-9);
  EXPECT_NEAR(day.points[72].rate, 40, 1e-9);
  for (int n = 0; n <= 96; ++n) {
    EXPECT_NEAR(day.points[static_cast<std::size_t>(n)].rate,
                100 + 60 * std::sin(2 * 3.14159265358979 * n / 96), 1e-9);
  }
  RateWalk walk(day);
  EXPECT_NEAR(static_cast<double>(walk.advance(100.0 * 24 * 3600)->count()), 24 * 3600e9, 1e6);
  EXPECT_NEAR(static_cast<double>(walk.advance(100.0 * 24 * 3600)->count()), 48 * 3600e9, 1e6);
}

TEST(RateWalk, OfNothingEverEnds) {
  EXPECT_EQ(RateWalk(points({{0s, 0}, {1s, 0}})).advance(1), std::nullopt);
  EXPECT_EQ(RateWalk(diurnal_rate(0, 0, 1s)).advance(1), std::nullopt);
}

}  // namespace
}  // namespace lb::scenario
