// Goal: the figures a reader would look up in a table or work out by hand come out here too.
// Method: printed tables of Student's t (0.0005: they have three decimals), a paired example with
// round numbers, Holm's procedure on values small enough to follow, and the rate of false alarms.
#include "lbsim/experiment/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lbcore/prng.h"

namespace lb::experiment {
namespace {

using Values = std::vector<double>;

TEST(TQuantile, IsThatOfThePrintedTables) {
  constexpr double kLastDigit = 0.0005;
  EXPECT_NEAR(t_quantile(0.975, 1), 12.706, kLastDigit);
  EXPECT_NEAR(t_quantile(0.975, 2), 4.303, kLastDigit);
  EXPECT_NEAR(t_quantile(0.975, 4), 2.776, kLastDigit);
  EXPECT_NEAR(t_quantile(0.975, 9), 2.262, kLastDigit);
  EXPECT_NEAR(t_quantile(0.975, 30), 2.042, kLastDigit);
  EXPECT_NEAR(t_quantile(0.95, 10), 1.812, kLastDigit);
  EXPECT_NEAR(t_quantile(0.995, 5), 4.032, kLastDigit);
  EXPECT_NEAR(t_quantile(0.025, 9), -2.262, kLastDigit);
}

// 1, 2, 3, 4, 5: mean 3, variance 2.5, so 3 ± t(0.975, 4) * sqrt(2.5 / 5) = 2.776445 * 0.707107.
TEST(Estimate, IsTheMeanWithStudentsInterval) {
  const Estimate found = estimate(Values{1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(found.mean, 3);
  EXPECT_NEAR(found.half_width.value(), 1.963243, 1e-6);
}

TEST(Estimate, OfOneValueHasNoInterval) {
  const Estimate found = estimate(Values{7});
  EXPECT_EQ(found.mean, 7);
  EXPECT_FALSE(found.half_width);
}

// Differences 2, 4, 3, 5, 1: mean 3, standard error sqrt(2.5 / 5) = 0.707107, t = 4.242641 with
// 4 degrees of freedom, for which p = 0.013236: with x = t^2 / (t^2 + 4) = 9 / 11,
// p = 1 - sqrt(x) * (1 + (1 - x) / 2).
TEST(PairedDifferences, FollowAnExampleWorkedByHand) {
  const Values first{10, 20, 30, 40, 50};
  const std::vector<Values> others{{12, 24, 33, 45, 51}};
  const Difference found = paired_differences(first, others).front();
  const double x = 9.0 / 11.0;
  EXPECT_DOUBLE_EQ(found.mean, 3);
  EXPECT_NEAR(found.p.value(), 1 - std::sqrt(x) * (1 + (1 - x) / 2), 1e-12);
  EXPECT_NEAR(found.p.value(), 0.0132, 0.0001);
  EXPECT_EQ(found.p_holm, found.p) << "a single comparison needs no correction";
  EXPECT_NEAR(found.half_width.value(), 1.963243, 1e-6);
  EXPECT_TRUE(found.significant);
}

TEST(PairedDifferences, SeeWhatTwoMeansWithoutPairsWouldNot) {
  const Values first{100, 200, 300, 400};
  const std::vector<Values> others{{101, 201.5, 301, 401.5}};
  EXPECT_GT(estimate(first).half_width.value(), 100) << "the seeds differ by far more";
  EXPECT_TRUE(paired_differences(first, others).front().significant);
}

TEST(PairedDifferences, FromItselfAreExactlyNothing) {
  const Values first{0.1, 0.7, 12.3};
  const Difference found = paired_differences(first, std::vector<Values>{first}).front();
  EXPECT_EQ(found.mean, 0);
  EXPECT_EQ(found.half_width, 0);
  EXPECT_EQ(found.p, 1);
  EXPECT_FALSE(found.significant);
}

TEST(PairedDifferences, ThatAreAlwaysTheSameAreCertain) {
  const Difference found =
      paired_differences(Values{1, 2, 3}, std::vector<Values>{{3, 4, 5}}).front();
  EXPECT_EQ(found.mean, 2);
  EXPECT_EQ(found.half_width, 0);
  EXPECT_TRUE(found.significant);
}

TEST(PairedDifferences, OfOnePairSayNothing) {
  const Difference found = paired_differences(Values{1}, std::vector<Values>{{9}}).front();
  EXPECT_EQ(found.mean, 8);
  EXPECT_FALSE(found.half_width);
  EXPECT_FALSE(found.p);
  EXPECT_FALSE(found.significant);
}

// Sorted: 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1; none is below one before it.
TEST(Holm, CorrectsStepByStep) {
  const std::vector<Holm> found = holm(Values{0.01, 0.04, 0.03, 0.005});
  EXPECT_DOUBLE_EQ(found[3].p, 0.02);
  EXPECT_DOUBLE_EQ(found[0].p, 0.03);
  EXPECT_DOUBLE_EQ(found[2].p, 0.06);
  EXPECT_DOUBLE_EQ(found[1].p, 0.06);
  // Tested at 5 % over 4, over 3, over 2, where it stopped.
  EXPECT_NEAR(found[3].level, 0.05 / 4, 1e-12);
  EXPECT_NEAR(found[0].level, 0.05 / 3, 1e-12);
  EXPECT_NEAR(found[2].level, 0.05 / 2, 1e-12);
  EXPECT_NEAR(found[1].level, 0.05 / 2, 1e-12);
}

TEST(Holm, NeverGivesMoreThanCertainty) {
  for (const Holm& each : holm(Values{0.9, 0.8, 0.7})) EXPECT_EQ(each.p, 1);
}

double noise(Prng& prng) {  // Near enough to normal: the sum of twelve draws.
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(prng.below(1'000'000)) * 1e-6;
  return sum;
}

// Four variants that differ by chance alone, 2000 times: any of the four is called significant in
// at most 5 % of them. Holm is exact or better, so with 2000 trials at most 0.05 + 4 * sqrt(0.05 *
// 0.95 / 2000) = 0.07 unless something is wrong (four standard deviations: once in 30,000). Without
// the correction it would be near 0.15. And intervals agree with verdicts in every one.
TEST(PairedDifferences, RaiseAFalseAlarmAsSeldomAsPromised) {
  Prng prng{20};
  constexpr int kTrials = 2000;
  int alarms = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Values> samples(5, Values(8));
    for (Values& sample : samples) {
      for (double& value : sample) value = noise(prng);
    }
    const std::vector<Values> others(samples.begin() + 1, samples.end());
    bool alarm = false;
    for (const Difference& each : paired_differences(samples.front(), others)) {
      alarm = alarm || each.significant;
      EXPECT_EQ(each.significant, std::abs(each.mean) > each.half_width.value());
    }
    alarms += alarm ? 1 : 0;
  }
  EXPECT_LT(alarms, 0.07 * kTrials);
  EXPECT_GT(alarms, 0.02 * kTrials) << "so careful that it would see nothing";
}

}  // namespace
}  // namespace lb::experiment
