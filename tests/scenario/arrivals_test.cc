// Goal: requests are sent when the scenario says, whatever becomes of them.
// Method: exact times where they can be worked out; means and variances over several seeds, with
// tolerances of five standard errors, elsewhere.
#include "lbsim/scenario/arrivals.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

Load load_of(Arrivals arrivals) {
  Load load;
  load.arrivals = std::move(arrivals);
  load.clients = 10;
  return load;
}

// All of them before `end`, in seconds.
std::vector<double> times_of(const Load& load, std::uint64_t seed, Duration end) {
  ArrivalProcess process(load, seed);
  std::vector<double> times;
  for (auto next = process.next(); next && next->at < end; next = process.next()) {
    times.push_back(std::chrono::duration<double>(next->at).count());
  }
  return times;
}

TEST(ArrivalProcess, ConstantRateIsExact) {
  const Load load = load_of(ConstantRate{200});
  ArrivalProcess process(load, 1);
  EXPECT_EQ(process.next()->at, 5ms);
  EXPECT_EQ(process.next()->at, 10ms);
  EXPECT_EQ(process.next()->at, 15ms);
}

TEST(ArrivalProcess, SameSeedSameArrivals) {
  const Load load = load_of(Poisson{100});
  ArrivalProcess one(load, 3);
  ArrivalProcess other(load, 3);
  for (int i = 0; i < 100; ++i) {
    const auto a = one.next();
    const auto b = other.next();
    EXPECT_EQ(a->at, b->at);
    EXPECT_EQ(a->client, b->client);
  }
}

TEST(ArrivalProcess, RateOfZeroSendsNothing) {
  for (const Arrivals& arrivals :
       {Arrivals{ConstantRate{0}}, Arrivals{Poisson{0}}, Arrivals{Mmpp{{{0, 1s}, {0, 2s}}}}}) {
    EXPECT_EQ(ArrivalProcess(load_of(arrivals), 1).next(), std::nullopt);
  }
}

// A share of 1/10 of 10,000: the standard error is 30.
TEST(ArrivalProcess, EveryClientHasItsShare) {
  const Load load = load_of(Poisson{1000});
  ArrivalProcess process(load, 7);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10'000; ++i) ++counts[process.next()->client];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

// Mean and variance of the gaps, as shares of the expected mean. The standard error of the mean of
// n gaps is cv / sqrt(n); of their variance, cv^2 * sqrt((kurtosis - 1) / n).
void expect_gaps(const Load& load, double mean, double cv, double kurtosis) {
  constexpr int kGaps = 100'000;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    ArrivalProcess process(load, seed);
    double sum = 0;
    double squares = 0;
    Duration last{};
    for (int n = 0; n < kGaps; ++n) {
      const Duration at = process.next()->at;
      const double off = std::chrono::duration<double>(at - last).count() / mean - 1;
      sum += off;
      squares += off * off;
      last = at;
    }
    EXPECT_NEAR(sum / kGaps, 0, 5 * cv / std::sqrt(kGaps) + 1e-5) << seed;
    EXPECT_NEAR(squares / kGaps, cv * cv, 5 * cv * cv * std::sqrt((kurtosis - 1) / kGaps) + 1e-5);
  }
}

TEST(ArrivalProcess, GapsHaveTheirMeanAndSpread) {
  expect_gaps(load_of(Poisson{1000}), 1e-3, 1, 9);
  expect_gaps(load_of(Renewal{.gap = Gamma{4ms, 4}}), 4e-3, 0.5, 4.5);
  expect_gaps(load_of(Renewal{.gap = Constant{4ms}}), 4e-3, 0, 1);
}

// Whatever mean the gaps have, the rate is the one that was asked for, and the shape stays.
TEST(ArrivalProcess, RenewalTakesARate) {
  expect_gaps(load_of(Renewal{.gap = Gamma{40ms, 0.25}, .rate = 50}), 0.02, 2, 27);
  expect_gaps(load_of(Renewal{.gap = Uniform{0ms, 2ms}, .rate = 100}), 0.01, std::sqrt(1 / 3.0),
              1.8);
}

// By the time-change theorem, the areas below the rate between arrivals are exponentials of mean 1,
// with variance 1 and kurtosis 9.
TEST(ArrivalProcess, PoissonFollowsARamp) {
  Rate ramp;
  ramp.points = {{0s, 0}, {10s, 20'000}};
  const auto area = [](double t) { return 1000 * t * t; };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::vector<double> times = times_of(load_of(Poisson{ramp}), seed, 10s);
    const auto count = static_cast<double>(times.size());
    EXPECT_NEAR(count, 100'000, 5 * std::sqrt(100'000)) << seed;
    double squares = 0;
    double last = 0;
    for (const double time : times) {
      squares += std::pow(area(time) - area(last) - 1, 2);
      last = time;
    }
    EXPECT_NEAR(squares / count, 1, 5 * std::sqrt(8 / count)) << seed;
  }
}

TEST(ArrivalProcess, ConstantFollowsARampExactly) {
  Rate ramp;
  ramp.points = {{0s, 0}, {10s, 100}};
  const std::vector<double> times = times_of(load_of(ConstantRate{ramp}), 1, 10s);
  ASSERT_GE(times.size(), 499u);
  for (std::size_t n = 0; n < 499; ++n) {
    EXPECT_NEAR(times[n], std::sqrt(static_cast<double>(n + 1) / 5), 2e-9);
  }
}

// Two states, 1000/s for 50 ms and 200/s for 150 ms: 400/s on average. With rates l1, l2 and
// leaving rates r1, r2 the variance of long counts is 1 + 2 (l1-l2)^2 r1 r2 / ((r1+r2)^2 (l1 r2 +
// l2 r1)) times their mean (Heffes and Lucantoni, 1986): 19.0 here. Windows are 40 correlation
// times long, which lacks 1/40 of it. Variance of n windows: relative error sqrt(2/n).
TEST(ArrivalProcess, MmppIsAsBurstyAsItSays) {
  const double r1 = 20;
  const double r2 = 1 / 0.15;
  const double dispersion =
      1 + 2 * 800.0 * 800.0 * r1 * r2 / ((r1 + r2) * (r1 + r2) * (1000 * r2 + 200 * r1));
  constexpr double kWindow = 1.5;
  constexpr int kWindows = 1000;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::vector<double> counts(kWindows);
    for (const double time : times_of(load_of(Mmpp{{{1000, 50ms}, {200, 150ms}}}), seed, 1500s)) {
      ++counts[static_cast<std::size_t>(time / kWindow)];
    }
    double sum = 0;
    double squares = 0;
    for (const double count : counts) {
      sum += count - 600;
      squares += (count - 600) * (count - 600);
    }
    const double variance = 600 * dispersion;
    EXPECT_NEAR(sum / kWindows, 0, 5 * std::sqrt(variance / kWindows)) << seed;
    EXPECT_NEAR(squares / kWindows / variance, 1 - 1 / 80.0,
                5 * std::sqrt(2.0 / kWindows) + 1 / 80.0);
  }
}

TEST(ArrivalProcess, ReplaysWhatWasLogged) {
  auto trace = std::make_shared<Trace>();
  trace->entries = {{0s, 0, 1}, {2s, 1, 0}};
  trace->client_count = 2;
  trace->targets = {"", "/a"};
  Load load = load_of(Replay{.file = "", .trace = trace});
  load.request.path = "/of-the-load";
  EXPECT_EQ(targets_of(load), (std::vector<std::string>{"/of-the-load", "/a"}));
  EXPECT_EQ(client_count(load), 2u);
  ArrivalProcess process(load, 1);
  const auto first = process.next();
  const auto second = process.next();
  EXPECT_EQ(first->at, 0s);
  EXPECT_EQ(first->client, 0u);
  EXPECT_EQ(first->target, 1u);
  EXPECT_EQ(second->at, 2s);
  EXPECT_EQ(second->client, 1u);
  EXPECT_EQ(process.next(), std::nullopt);
}

}  // namespace
}  // namespace lb::scenario
