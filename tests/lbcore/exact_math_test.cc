// Goal: logarithm, exponential and decay are right to the last few bits, and the same everywhere.
// Method: the C library as the judge over wide grids; pinned bits.
#include "lbcore/exact_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb {
namespace {

using namespace std::chrono_literals;

TEST(ExactLn, AgreesWithTheLibraryOverAWideGrid) {
  EXPECT_EQ(exact_ln(1.0), 0.0);
  for (double x = 1e-300; x < 1e300; x *= 1.0123) {
    ASSERT_NEAR(exact_ln(x) / std::log(x), 1.0, 1e-13) << x;
  }
}

TEST(ExactLn, IsExactNearOneWhereItIsNearZero) {
  for (double step = 1e-15; step < 0.5; step *= 1.7) {
    ASSERT_NEAR(exact_ln(1 + step) / std::log(1 + step), 1.0, 1e-13) << step;
    ASSERT_NEAR(exact_ln(1 - step) / std::log(1 - step), 1.0, 1e-13) << step;
  }
}

TEST(QuickLn, IsNearEnough) {
  for (double x = 1e-300; x < 1e300; x *= 1.0123) {
    ASSERT_NEAR(quick_ln(x), std::log(x), 1e-13 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  for (double x = 0.5; x < 2; x += 0.000123) ASSERT_NEAR(quick_ln(x), std::log(x), 1e-13) << x;
  EXPECT_NEAR(quick_ln(std::nextafter(1.0, 0.0)), 0, 1e-13);
}

TEST(ExactExp, AgreesWithTheLibraryOverAWideGrid) {
  EXPECT_EQ(exact_exp(0.0), 1.0);
  for (double x = -699; x < 699; x += 0.0917) {
    ASSERT_NEAR(exact_exp(x) / std::exp(x), 1.0, 1e-13) << x;
  }
}

// Pinned bits: the reason these functions exist.
TEST(ExactLnAndExp, HaveTheSameBitsEverywhere) {
  EXPECT_EQ(exact_ln(2.0), 0x1.62e42fefa39efp-1);
  EXPECT_EQ(exact_ln(10.0), 0x1.26bb1bbb55516p+1);
  EXPECT_EQ(exact_exp(1.0), 0x1.5bf0a8b14576ap+1);
}

TEST(Decay, IsTheExponentialOfTheShareOfTheConstantThatHasPassed) {
  const Decay decay(10s);
  EXPECT_EQ(decay.left_after(0s), 1.0);
  EXPECT_NEAR(decay.left_after(10s), std::exp(-1.0), 1e-15);
  EXPECT_NEAR(decay.left_after(35s), std::exp(-3.5), 1e-15);
  EXPECT_EQ(decay.left_after(1h), 0.0);
  for (Duration elapsed{1}; elapsed < 390s; elapsed += elapsed / 997 + Duration{1}) {
    const double expected = std::exp(-std::chrono::duration<double>(elapsed).count() / 10);
    ASSERT_NEAR(decay.left_after(elapsed) / expected, 1, 1e-14) << elapsed.count();
  }
}

}  // namespace
}  // namespace lb
