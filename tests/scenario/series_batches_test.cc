// Goal: the intervals of several series are those worked out by hand, cover what they are about as
// often as they say, and stay away where there is too little to tell.
// Method: batches with round numbers; then queues and choices whose truth is known, over many
// seeds.
#include "lbsim/scenario/series_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lbcore/exact_math.h"
#include "lbcore/observables.h"
#include "lbcore/prng.h"

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

constexpr double kT29 = 2.045229642;
constexpr std::size_t kBatches = BatchMeans::kBatches;

Duration of_seconds(double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e9)}; }
double exponential(Prng& prng, double mean) { return -exact_ln(1 - prng.unit()) * mean; }

// Of intervals of 95 %, so many have to cover the truth: 0.95 less three standard deviations of a
// binomial, and less 0.02 for what batches still remember.
void expect_covered(int covered, int told) {
  EXPECT_GE(covered, told * (0.95 - 0.02 - 3 * std::sqrt(0.95 * 0.05 / told))) << "of " << told;
  EXPECT_LT(covered, told) << "some of them miss, or they are too wide";
}

// In even batches 20 answers of 10 ms and 10 of another, in odd ones 20 of 30 ms, and 30.
TEST(SeriesBatches, HasTheIntervalsOfEachSeries) {
  std::vector<Series> all(2);
  SeriesBatches batches;
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    const bool even = batch % 2 == 0;
    for (int n = 0; n < 20; ++n) all[0].add(ClientResult::ok, even ? 10ms : 30ms);
    for (int n = 0; n < (even ? 10 : 30); ++n) all[1].add(ClientResult::server_error, 1ms);
    batches.end_batch(all);
  }
  const SeriesIntervals first = batches.intervals(0, all[0].latency);
  ASSERT_EQ(first.mean_latency.confidence, Confidence::told);
  EXPECT_NEAR(first.mean_latency.half_width, kT29 * 0.010 * std::sqrt(1.0 / 29), 1e-12);
  EXPECT_EQ(first.error_ratio.confidence, Confidence::too_few) << "nothing failed";
  EXPECT_EQ(batches.intervals(1, all[1].latency).mean_latency.confidence, Confidence::too_few);
  // Half of the answers, 20 of 40 on average: 5 less or more of the 20 of every batch in turns.
  const Interval share = interval_of_share(batches.answers(0), batches.answers());
  ASSERT_EQ(share.confidence, Confidence::told);
  EXPECT_NEAR(share.half_width, kT29 * 5 * std::sqrt(30.0 * 30 / 29) / 1200, 1e-12);
}

TEST(SeriesBatches, ASeriesMayComeLate) {
  std::vector<Series> all(1);
  SeriesBatches batches;
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    if (batch == 3) all.resize(2);
    for (Series& series : all) {
      for (int n = 0; n < 40; ++n) series.add(ClientResult::ok, n < 20 ? 1ms : 9ms);
    }
    batches.end_batch(all);
  }
  const SeriesIntervals late = batches.intervals(1, all[1].latency);
  EXPECT_EQ(late.mean_latency.confidence, Confidence::too_few)
      << "of three batches nothing is known";
  EXPECT_EQ(late.quantiles[0].confidence, Confidence::too_few);
  EXPECT_EQ(batches.intervals(0, all[0].latency).mean_latency.confidence, Confidence::told);
}

// Where all answers take about as long there is nothing to tell a batch from another by.
TEST(SeriesBatches, AQuantileNeedsSomethingOnBothSides) {
  std::vector<Series> all(1);
  SeriesBatches batches;
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    for (int n = 0; n < 100; ++n) all[0].add(ClientResult::ok, 10ms);
    batches.end_batch(all);
  }
  EXPECT_EQ(batches.intervals(0, all[0].latency).quantiles[0].confidence, Confidence::too_few);
}

// The times in an M/M/1 queue, by Lindley's recursion from its steady state, cut into batches of as
// many customers. Mean service 10 ms; what a customer spends there is exponential with mean
// 10 ms / (1 - rho).
struct Queue {
  double rho;
  std::vector<Series> all = std::vector<Series>(1);
  SeriesBatches batches{};

  void play(std::uint64_t seed, int customers_per_batch) {
    Prng prng(seed);
    double wait = prng.unit() < rho ? exponential(prng, 0.010 / (1 - rho)) : 0;
    for (std::size_t batch = 0; batch < kBatches; ++batch) {
      for (int n = 0; n < customers_per_batch; ++n) {
        const double service = exponential(prng, 0.010);
        all[0].add(ClientResult::ok, of_seconds(wait + service));
        wait = std::max(0.0, wait + service - exponential(prng, 0.010 / rho));
      }
      batches.end_batch(all);
    }
  }
  [[nodiscard]] double quantile(double q) const { return -exact_ln(1 - q) * 0.010 / (1 - rho); }
};

// At rho 0.7 the queue forgets in some 40 services, and those of a tail come together: to know it
// takes many of them. A batch of 2,000 customers is enough for the median, and 30,000 for p99.9.
TEST(SeriesBatches, QuantilesOfAQueueAreCovered) {
  struct Size {
    int customers;  // Of a batch.
    std::uint64_t seeds;
  };
  constexpr std::array<Size, kQuantiles.size()> kSizes{
      {{2'000, 150}, {2'000, 150}, {3'000, 150}, {30'000, 60}}};
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    SCOPED_TRACE(kQuantiles[i]);
    int told = 0;
    int covered = 0;
    for (std::uint64_t seed = 1; seed <= kSizes[i].seeds; ++seed) {
      Queue queue{.rho = 0.7};
      queue.play(seed, kSizes[i].customers);
      const Histogram& latency = queue.all[0].latency;
      const Interval interval = queue.batches.intervals(0, latency).quantiles[i];
      if (interval.confidence != Confidence::told) continue;
      ++told;
      const double found = std::chrono::duration<double>(latency.quantile(kQuantiles[i])).count();
      const double truth = queue.quantile(kQuantiles[i]);
      EXPECT_LT(interval.half_width, truth * 0.2) << seed;
      if (std::abs(found - truth) <= interval.half_width) ++covered;
    }
    // One in twenty looks correlated by chance; of 150 that is 7.5 with a deviation of 2.7.
    EXPECT_GE(told, static_cast<int>(kSizes[i].seeds * 87 / 100));
    expect_covered(covered, told);
  }
}

// Of so short a run nobody knows how often a queue is that long.
TEST(SeriesBatches, ATailOfFewBusyPeriodsIsNotTold) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Queue queue{.rho = 0.7};
    queue.play(seed, 1'000);
    const Interval p999 = queue.batches.intervals(0, queue.all[0].latency).quantiles[3];
    if (p999.confidence == Confidence::told) ++told;
  }
  EXPECT_LE(told, 5);
}

// Fifty with a fiftieth of 6,000 answers each, by chance: what is fair in the long run looks unfair
// by 49 / 6,000, with a deviation of only a fifth of that. The interval has to know.
TEST(SeriesBatches, SharesAndFairnessOfARandomChoiceAreCovered) {
  constexpr int kSeeds = 200;
  constexpr int kBackends = 50;
  int shares_told = 0;
  int shares_covered = 0;
  int fairness_told = 0;
  int fairness_covered = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Prng prng(seed);
    std::vector<Series> all(kBackends);
    SeriesBatches batches;
    for (std::size_t batch = 0; batch < kBatches; ++batch) {
      for (int n = 0; n < 200; ++n) {
        all[static_cast<std::size_t>(prng.below(kBackends))].add(ClientResult::ok, 1ms);
      }
      batches.end_batch(all);
    }
    const Interval share = interval_of_share(batches.answers(3), batches.answers());
    if (share.confidence == Confidence::told) {
      ++shares_told;
      const double found = static_cast<double>(all[3].answers()) / 6'000;
      if (std::abs(found - 0.02) <= share.half_width) ++shares_covered;
    }
    std::vector<InBatches> parts;
    std::vector<double> answers;
    for (std::size_t i = 0; i < all.size(); ++i) {
      parts.push_back(batches.answers(i));
      answers.push_back(static_cast<double>(all[i].answers()));
    }
    const Interval fairness = interval_of_fairness(parts);
    if (fairness.confidence != Confidence::told) continue;
    ++fairness_told;
    EXPECT_LT(fairness.half_width, 0.03) << seed;
    if (1 - jain_index(answers) <= fairness.half_width) ++fairness_covered;
  }
  EXPECT_GE(shares_told, kSeeds - 23);
  expect_covered(shares_covered, shares_told);
  EXPECT_GE(fairness_told, kSeeds - 23);
  EXPECT_GE(fairness_covered, fairness_told * 0.9);
}

// Two backends, of which one gets two thirds: (1 + 2)^2 / (2 (1 + 4)) = 0.9.
TEST(SeriesBatches, FairnessOfAnUnfairChoiceIsCovered) {
  constexpr int kSeeds = 200;
  int told = 0;
  int covered = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Prng prng(seed);
    std::vector<InBatches> parts(2, InBatches{});
    for (std::size_t batch = 0; batch < kBatches; ++batch) {
      for (int n = 0; n < 100; ++n) ++parts[prng.below(3) == 0 ? 0 : 1][batch];
    }
    std::vector<double> all;
    for (const InBatches& part : parts) {
      all.push_back(std::accumulate(part.begin(), part.end(), 0.0));
    }
    const Interval interval = interval_of_fairness(parts);
    if (interval.confidence != Confidence::told) continue;
    ++told;
    if (std::abs(jain_index(all) - 0.9) <= interval.half_width) ++covered;
  }
  EXPECT_GE(told, kSeeds - 23);
  expect_covered(covered, told);
}

}  // namespace
}  // namespace lb::scenario
