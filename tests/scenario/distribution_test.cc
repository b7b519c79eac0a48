// Goal: the normal quantile is right to the last few bits, and samples have the mean they say.
// Method: Python's statistics.NormalDist as the judge; sample means with a stated seed and a
// tolerance of five standard errors.
#include "lbsim/scenario/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

TEST(NormalQuantile, HasTheSameBitsEverywhere) {
  EXPECT_EQ(normal_quantile(0.975), 0x1.f5c0331eeff82p+0);
}

TEST(NormalQuantile, AgreesWithPython) {
  const std::map<double, double> known{
      {1e-300, -37.0470962993612},      {1e-12, -7.034483825301132},
      {1e-05, -4.2648907939228256},     {0.001, -3.090232306167813},
      {0.025, -1.9599639845400538},     {0.074, -1.4466320671589785},
      {0.0751, -1.4388253927525398},    {0.1, -1.2815515655446008},
      {0.25, -0.6744897501960817},      {0.4, -0.2533471031357998},
      {0.7, 0.5244005127080407},        {0.9249, 1.4388253927525403},
      {0.95, 1.6448536269514715},       {0.999, 3.090232306167813},
      {0.999999999, 5.997807019601638}, {1 - 0x1.0p-53, 8.209536151601386}};
  for (const auto& [p, quantile] : known) {
    EXPECT_NEAR(normal_quantile(p) / quantile, 1.0, 1e-12) << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0.0);
}

TEST(NormalQuantile, IsSymmetricAndRises) {
  double last = -100;
  for (int i = 1; i < 4096; ++i) {
    const double p = i / 4096.0;
    EXPECT_EQ(normal_quantile(p), -normal_quantile(1 - p)) << p;
    EXPECT_GT(normal_quantile(p), last);
    last = normal_quantile(p);
  }
}

double mean_of_samples(const Distribution& distribution, int count) {
  Prng prng{2026};
  double sum = 0;
  for (int n = 0; n < count; ++n) sum += static_cast<double>(sample(distribution, prng).count());
  return sum / count;
}

constexpr int kCount = 200'000;

TEST(Sample, OfAConstantIsItsValueAndDrawsNothing) {
  Prng prng{1};
  Prng untouched{1};
  EXPECT_EQ(sample(Constant{20ms}, prng), 20ms);
  EXPECT_EQ(prng.next(), untouched.next());
}

TEST(Sample, IsOneDrawOtherwise) {
  for (const Distribution& distribution : {Distribution{Exponential{1ms}}, {Lognormal{1ms, 1}}}) {
    Prng prng{1};
    Prng same{1};
    static_cast<void>(sample(distribution, prng));
    same.next();
    EXPECT_EQ(prng.next(), same.next());
  }
}

// The standard deviation of an exponential is its mean.
TEST(Sample, OfAnExponentialHasItsMean) {
  const double error = 5 / std::sqrt(kCount);
  EXPECT_NEAR(mean_of_samples(Exponential{1ms}, kCount) / 1e6, 1, error);
}

// Of a lognormal it is mean * sqrt(exp(sigma^2) - 1).
TEST(Sample, OfALognormalHasItsMean) {
  for (const double sigma : {0.0, 0.3, 0.8, 1.2}) {
    const double error = 5 * std::sqrt(std::expm1(sigma * sigma) / kCount) + 1e-6;
    EXPECT_NEAR(mean_of_samples(Lognormal{5ms, sigma}, kCount) / 5e6, 1, error) << sigma;
  }
}

TEST(Sample, OfALognormalHasItsMedian) {
  Prng prng{2026};
  int below = 0;
  const double median = 5e6 * std::exp(-0.8 * 0.8 / 2);
  for (int n = 0; n < kCount; ++n) {
    below += static_cast<double>(sample(Lognormal{5ms, 0.8}, prng).count()) < median ? 1 : 0;
  }
  EXPECT_NEAR(below / static_cast<double>(kCount), 0.5, 5 * 0.5 / std::sqrt(kCount));
}

TEST(Sample, IsNeverNegativeNorLongerThanTime) {
  Prng prng{5};
  for (int n = 0; n < 10'000; ++n) {
    const Duration wide = sample(Lognormal{Duration{8'000'000'000'000'000'000}, 5}, prng);
    ASSERT_GE(wide, 0ns);
    ASSERT_LE(wide.count(), 9'000'000'000'000'000'000);
    ASSERT_GE(sample(Exponential{Duration{8'000'000'000'000'000'000}}, prng), 0ns);
    ASSERT_EQ(sample(Exponential{0ns}, prng), 0ns);
  }
}

}  // namespace
}  // namespace lb::scenario
