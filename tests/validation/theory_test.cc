// Goal: the formulas that the simulator is held against are right themselves.
// Method: one against another where two lead to the same system, and values out of books.
#include "tests/validation/theory.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/validation/bursts.h"
#include "tests/validation/law.h"
#include "tests/validation/ordered_queues.h"
#include "tests/validation/statistics.h"

namespace lb::validation {
namespace {

TEST(Theory, OfOneServerIsTheSameByEveryWay) {
  for (const double rho : {0.1, 0.5, 0.8, 0.95}) {
    const double mean = mm1_mean(rho);
    EXPECT_NEAR(mmc_mean(1, rho), mean, 1e-12);
    EXPECT_NEAR(mg1_mean(rho, 1), mean, 1e-12);
    EXPECT_NEAR(erlang_arrivals_mean(1, rho), mean, 1e-9 * mean);
    EXPECT_NEAR(erlang_c(1, rho), rho, 1e-12);
    EXPECT_NEAR(mmc_longer(1, rho, 2), std::exp(-2 / mean), 1e-12);
    EXPECT_NEAR(mm1k_mean(rho, 2'000), mean, 1e-9 * mean);
    EXPECT_NEAR(mm1k_refused(rho, 1), erlang_b(1, rho), 1e-12);
  }
  EXPECT_NEAR(mva_mean(20, 15), finite_source_mean(20, 15, 1), 1e-12);
}

TEST(Theory, HasTheValuesOfTables) {
  EXPECT_NEAR(erlang_b(10, 8), 0.1217, 5e-5) << "Erlang B tables";
  EXPECT_NEAR(erlang_c(2, 1), 1.0 / 3, 1e-12);
  EXPECT_NEAR(two_choices_mean(0.9), 2.614, 5e-4) << "Mitzenmacher 2001, table 1";
  EXPECT_NEAR(two_choices_mean(0.5), 1.265, 1e-3) << "the same";
  // E2/M/1: sigma solves sigma^2 - (1 + 4 rho) sigma + 4 rho^2 = 0 after 1 is taken out.
  const double rho = 0.8;
  const double b = 1 + 4 * rho;
  const double sigma = (b - std::sqrt(b * b - 16 * rho * rho)) / 2;
  EXPECT_NEAR(erlang_arrivals_mean(2, rho), 1 / (1 - sigma), 1e-9);
}

TEST(Theory, OfManyStagesIsThatOfConstantGaps) {
  EXPECT_NEAR(erlang_arrivals_mean(100'000, 0.8), constant_arrivals_mean(0.8), 1e-4);
}

TEST(Theory, OfImpatienceIsThatOfLossAndOfPatienceAtItsEnds) {
  EXPECT_NEAR(impatient_leave(3, 3.3, 0), erlang_b(3, 3.3), 1e-12);
  EXPECT_NEAR(impatient_leave(3, 2.4, 1'000), 0, 1e-12);
  EXPECT_NEAR(impatient_leave(3, 3.3, 1'000), 1 - 3 / 3.3, 1e-12);
  EXPECT_NEAR(impatient_leave(3, 3, 2), impatient_leave(3, 3 + 1e-9, 2), 1e-8);
}

TEST(Theory, OfTailsHasTheMeanOfTheMeans) {
  const auto area = [](const auto& tail) {
    double sum = 0;
    for (double t = 0.005; t < 60; t += 0.01) sum += 0.01 * tail(t);
    return sum;
  };
  EXPECT_NEAR(area([](double t) { return mmc_longer(8, 6.8, t); }), mmc_mean(8, 6.8), 1e-4);
  EXPECT_NEAR(area([](double t) { return two_choices_longer(0.9, t); }), two_choices_mean(0.9),
              1e-4);
  // Only as far as the alternating sum is good.
  double sum = 1;
  for (double t = 0.005; t < 24; t += 0.01) sum += 0.01 * md1_waits_longer(0.8, t);
  EXPECT_NEAR(sum, mg1_mean(0.8, 0), 1e-3);
}

TEST(Bursts, AreWhatTheyTendTo) {
  EXPECT_NEAR(mmpp_mean({.rate = 0.8, .stay = 3}, {.rate = 0.8, .stay = 7}), mm1_mean(0.8), 1e-9);
  // Changing at once, all is one stream; hardly ever, two queues, by their requests.
  EXPECT_NEAR(mmpp_mean({.rate = 1.2, .stay = 1e-4}, {.rate = 0.4, .stay = 3e-4}), mm1_mean(0.6),
              1e-3);
  EXPECT_NEAR(mmpp_mean({.rate = 0.7, .stay = 1e7}, {.rate = 0.5, .stay = 1e7}),
              (0.7 * mm1_mean(0.7) + 0.5 * mm1_mean(0.5)) / 1.2, 1e-5);
}

TEST(OrderedQueues, AreSolvedExactly) {
  const double rho = 0.8;
  // Two queues that do not see each other are two M/M/1/K queues.
  const OrderedQueues blind(2, rho, join_any, 12);
  EXPECT_NEAR(blind.lost(), mm1k_refused(rho, 12), 1e-10);
  EXPECT_NEAR(blind.mean(), mm1k_mean(rho, 12), 1e-9);
  // The shorter of two is the shortest, when there are two.
  const OrderedQueues two(2, rho, join_shorter_of_two, 40);
  const OrderedQueues shortest(2, rho, join_shortest, 40);
  EXPECT_NEAR(two.mean(), shortest.mean(), 1e-12);
  EXPECT_GT(two.mean(), mmc_mean(2, 2 * rho)) << "no better than one shared queue";
  EXPECT_LT(two.mean(), erlang_arrivals_mean(2, rho)) << "better than turns";
}

TEST(OrderedQueues, LoseNothingThatCountsAtTheCut) {
  EXPECT_LT(OrderedQueues(3, 0.8, join_shorter_of_two, 40).lost(), 1e-9);
  EXPECT_LT(OrderedQueues(3, 0.8, join_shortest, 40).lost(), 1e-9);
}

TEST(Statistics, AreStudents) {
  EXPECT_NEAR(student_factor(20), 3.8834, 1e-4) << "t table, 19 degrees of freedom, 0.9995";
  const Interval interval = interval_of({1, 2, 3});
  EXPECT_DOUBLE_EQ(interval.mean, 2);
  EXPECT_NEAR(interval.half_width, 31.599 / std::sqrt(3.0), 1e-3) << "2 degrees of freedom";
}

// A row fails when theory is outside, and when the interval is too wide to say.
TEST(Law, CanFail) {
  Law law;
  law.theory = 100;
  law.precision = 0.05;
  law.bias = 0.001;
  EXPECT_TRUE(holds(law, {102, 2}));
  EXPECT_TRUE(holds(law, {97.95, 2}));
  EXPECT_FALSE(holds(law, {102.2, 2}));
  EXPECT_FALSE(holds(law, {97.8, 2}));
  EXPECT_FALSE(holds(law, {100, 6})) << "too wide";
  law.precision = law.bias = 0;
  EXPECT_TRUE(holds(law, {100, 0}));
  EXPECT_FALSE(holds(law, {99, 0}));
  EXPECT_TRUE(holds(Claim{.least = 1.5}, {2, 0.5}));
  EXPECT_FALSE(holds(Claim{.least = 1.5}, {2, 0.6}));
}

}  // namespace
}  // namespace lb::validation
