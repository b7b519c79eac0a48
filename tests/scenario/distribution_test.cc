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
  for (const Distribution& distribution :
       {Distribution{Exponential{1ms}}, Distribution{Lognormal{1ms, 1}},
        Distribution{Uniform{1ms, 2ms}}, Distribution{Pareto{1ms, 1s, 1.5}},
        Distribution{Bimodal{1ms, 1s, 0.1}}, Distribution{Empirical({1ms, 2ms, 9ms})}}) {
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

// ---------------------------------------------------------------------------------------------
// Every distribution against its closed forms

struct Known {
  const char* name;
  Distribution distribution;
  double mean;      // Milliseconds,
  double variance;  // and their square.
  double fourth;    // Central moment: what the error of a sample variance is made of.
};

// E[X^k] of a bounded Pareto, in milliseconds.
double pareto_moment(double low, double high, double alpha, int k) {
  const double norm = alpha * std::pow(low, alpha) / (1 - std::pow(low / high, alpha));
  if (k == alpha) return norm * std::log(high / low);
  return norm * (std::pow(high, k - alpha) - std::pow(low, k - alpha)) / (k - alpha);
}

// From the moments about zero.
Known with_moments(const char* name, const Distribution& distribution, double m1, double m2,
                   double m3, double m4) {
  return {name, distribution, m1, m2 - m1 * m1,
          m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 * m1 * m1 * m1};
}

Known known_pareto(const char* name, double alpha) {
  const auto moment = [&](int k) { return pareto_moment(1, 50, alpha, k); };
  return with_moments(name, Pareto{1ms, 50ms, alpha}, moment(1), moment(2), moment(3), moment(4));
}

// Of shape k and mean m the variance is m^2/k, and the kurtosis 3 + 6/k.
Known known_gamma(const char* name, double shape) {
  const double variance = 16 / shape;
  return {name, Gamma{4ms, shape}, 4, variance, (3 + 6 / shape) * variance * variance};
}

std::vector<Known> all_known() {
  return {
      {"exponential", Exponential{4ms}, 4, 16, 9 * 256},
      // (max - min)^2 / 12, and the kurtosis 9/5.
      {"uniform", Uniform{2ms, 8ms}, 5, 3, 9 * 1.8},
      known_pareto("pareto 0.5", 0.5),
      known_pareto("pareto 1", 1),
      known_pareto("pareto 1.5", 1.5),
      known_pareto("pareto 2", 2),
      known_gamma("gamma 0.2", 0.2),
      known_gamma("gamma 0.999", 0.999),
      known_gamma("gamma 1", 1),
      known_gamma("gamma 2.5, which no Erlang has", 2.5),
      known_gamma("Erlang 40", 40),
      with_moments("bimodal", Bimodal{1ms, 20ms, 0.1}, 2.9, 40.9, 800.9, 16000.9),
      with_moments("empirical", Empirical({9ms, 1ms, 2ms}), 4, 86 / 3.0, 738 / 3.0, 6578 / 3.0),
  };
}

// Tolerance: five standard errors, sqrt(variance / n) of the mean and sqrt((fourth - variance^2) /
// n) of the variance; over these 13 x 5 x 2 checks that fails by chance once in 13,000 such tests.
TEST(Sample, HasTheMeanAndTheVarianceOfItsClosedForm) {
  for (const Known& known : all_known()) {
    EXPECT_NEAR(mean_ns(known.distribution) / 1e6 / known.mean, 1, 1e-12) << known.name;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Prng prng{seed};
      double sum = 0;
      double squares = 0;
      for (int n = 0; n < kCount; ++n) {
        const double off =
            static_cast<double>(sample(known.distribution, prng).count()) / 1e6 - known.mean;
        sum += off;
        squares += off * off;
      }
      EXPECT_NEAR(sum / kCount, 0, 5 * std::sqrt(known.variance / kCount)) << known.name;
      const double spread = known.fourth - known.variance * known.variance;
      EXPECT_NEAR(squares / kCount, known.variance, 5 * std::sqrt(spread / kCount)) << known.name;
    }
  }
}

TEST(MeanNs, OfTheOthersIsWhatTheySay) {
  EXPECT_EQ(mean_ns(Constant{3ms}), 3e6);
  EXPECT_EQ(mean_ns(Lognormal{3ms, 2}), 3e6);
}

// Where the quantile has a closed form, a draw u has to give exactly F^-1(u).
TEST(Sample, IsTheQuantileOfItsDraw) {
  Prng prng{9};
  for (int n = 0; n < 1000; ++n) {
    const double u = Prng{prng}.unit();
    Prng same{prng};
    Prng again{prng};
    prng.next();
    const double uniform = static_cast<double>(sample(Uniform{2ms, 8ms}, same).count());
    EXPECT_NEAR(uniform, 2e6 + 6e6 * u, 1);
    const double pareto = static_cast<double>(sample(Pareto{1ms, 50ms, 1.5}, again).count());
    const double beyond = 1 - std::pow(1 / 50.0, 1.5);
    EXPECT_NEAR(pareto, 1e6 * std::pow(1 - u * beyond, -1 / 1.5), 1);
  }
}

// The median of a gamma of shape 2 and scale 1 solves (1 + x) e^-x = 1/2. Of shape 1/2 it is half
// the square of the normal quantile of 3/4.
TEST(Sample, OfAGammaHasItsMedian) {
  const double quarter = normal_quantile(0.75);
  for (const auto& [shape, median] :
       {std::pair{2.0, 1.6783469900166608}, std::pair{0.5, quarter * quarter / 2}}) {
    const Gamma gamma{Duration{static_cast<std::int64_t>(shape * 1e6)}, shape};
    int below = 0;
    Prng prng{77};
    for (int n = 0; n < kCount; ++n) {
      below += static_cast<double>(sample(gamma, prng).count()) < median * 1e6 ? 1 : 0;
    }
    EXPECT_NEAR(below / static_cast<double>(kCount), 0.5, 5 * 0.5 / std::sqrt(kCount)) << shape;
  }
}

TEST(Sample, OfAnEmpiricalGivesEachValueItsShare) {
  const Distribution distribution = Empirical({5ms, 1ms, 1ms, 30ms});
  std::map<Duration, int> counts;
  Prng prng{4};
  for (int n = 0; n < kCount; ++n) ++counts[sample(distribution, prng)];
  ASSERT_EQ(counts.size(), 3u);
  const double error = 5 * 0.5 * std::sqrt(kCount);
  EXPECT_NEAR(counts[1ms], kCount / 2.0, error);
  EXPECT_NEAR(counts[5ms], kCount / 4.0, error);
  EXPECT_NEAR(counts[30ms], kCount / 4.0, error);
}

TEST(Sample, OfTheExtremesStaysWithinBounds) {
  Prng prng{6};
  for (int n = 0; n < 10'000; ++n) {
    const Duration pareto = sample(Pareto{1ns, Duration{9'000'000'000'000'000'000}, 0.01}, prng);
    ASSERT_GE(pareto, 1ns);
    ASSERT_LE(pareto.count(), 9'000'000'000'000'000'000);
    ASSERT_GE(sample(Gamma{1s, 0.01}, prng), 0ns);
    ASSERT_EQ(sample(Uniform{3ms, 3ms}, prng), 3ms);
  }
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
