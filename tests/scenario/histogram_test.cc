// Goal: quantiles within 0.1 % of the true ones, exact where that is promised.
// Method: sorted samples as the judge, over values from one nanosecond to hours.
#include "lbsim/scenario/histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lbcore/prng.h"

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

Duration true_quantile(std::vector<Duration> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, IsZeroWhenEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.quantile(0.99), 0ns);
}

TEST(Histogram, ReportsASingleValueAsItIs) {
  for (const Duration value : {0ns, 1ns, 2047ns, 2048ns, 2049ns, 123'456'789ns}) {
    Histogram histogram;
    histogram.add(value);
    EXPECT_EQ(histogram.max(), value);
    EXPECT_EQ(histogram.mean(), value);
    EXPECT_LE(histogram.quantile(1), value);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5).count()),
                static_cast<double>(value.count()), static_cast<double>(value.count()) / 1000);
  }
}

TEST(Histogram, IsExactBelow1024Nanoseconds) {
  Histogram histogram;
  for (int value = 0; value < 1024; ++value) histogram.add(Duration{value});
  for (int rank = 1; rank <= 1024; ++rank) {
    EXPECT_EQ(histogram.quantile(rank / 1024.0), Duration{rank - 1});
  }
}

// The middle of a bucket is at most half a bucket away.
TEST(Histogram, KnowsEveryBucketToATenthOfAPercent) {
  for (double exact = 1; exact < 9e18; exact *= 1.0043) {
    const Duration value{static_cast<std::int64_t>(exact)};
    Histogram histogram;
    histogram.add(value);
    histogram.add(Duration::max());  // So that the maximum does not cap the answer.
    const double reported = static_cast<double>(histogram.quantile(0.5).count());
    ASSERT_NEAR(reported / static_cast<double>(value.count()), 1, 1.0 / 1024) << value.count();
  }
}

TEST(Histogram, RoundsTheRankUp) {
  Histogram histogram;
  for (const int value : {1, 2, 3}) histogram.add(Duration{value});
  EXPECT_EQ(histogram.quantile(0), 1ns);
  EXPECT_EQ(histogram.quantile(0.33), 1ns);
  EXPECT_EQ(histogram.quantile(0.34), 2ns) << "one of three is less than 34 %";
  EXPECT_EQ(histogram.quantile(0.5), 2ns);
  EXPECT_EQ(histogram.quantile(0.99), 3ns);
}

TEST(Histogram, AgreesWithSortedSamples) {
  Prng prng{31};
  Histogram histogram;
  std::vector<Duration> values;
  for (int n = 0; n < 20'000; ++n) {
    // Uniform in the exponent: as many nanoseconds as hours.
    const auto value = Duration{static_cast<std::int64_t>(prng.next() >> (20 + prng.below(43)))};
    values.push_back(value);
    histogram.add(value);
  }
  for (const double q : {0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto expected = static_cast<double>(true_quantile(values, q).count());
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q).count()), expected, expected / 1000) << q;
  }
}

TEST(Histogram, KnowsMaximumAndMeanExactly) {
  Prng prng{32};
  Histogram histogram;
  std::int64_t sum = 0;
  std::int64_t max = 0;
  for (std::int64_t n = 1; n <= 5000; ++n) {
    const auto value = static_cast<std::int64_t>(prng.below(10'000'000'000));
    sum += value;
    max = std::max(max, value);
    histogram.add(Duration{value});
    ASSERT_EQ(histogram.max(), Duration{max});
    ASSERT_EQ(histogram.mean(), Duration{sum / n});
    ASSERT_EQ(histogram.count(), static_cast<std::uint64_t>(n));
  }
}

TEST(Histogram, NeverReportsMoreThanTheMaximum) {
  Histogram histogram;
  for (int n = 0; n < 10; ++n) histogram.add(1'000'000'001ns);
  for (const double q : {0.5, 0.99, 1.0}) EXPECT_LE(histogram.quantile(q), 1'000'000'001ns);
}

TEST(HistogramDeathTest, ANegativeDurationIsABug) {
  Histogram histogram;
  EXPECT_DEATH(histogram.add(Duration{-1}), "value.count");
}

}  // namespace
}  // namespace lb::scenario
