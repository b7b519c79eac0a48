// Goal: requests that share a backend are done when their shares of it add up to their work.
// Method: times worked out by hand; the mean against theory, which knows it for any distribution.
#include "lbsim/shared_service.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lb::sim {
namespace {

using namespace std::chrono_literals;
using scenario::Behaviour;
using scenario::Contention;
using scenario::Discipline;

Behaviour sharing(double cores = 1) {
  return {.discipline = Discipline::processor_sharing, .cores = cores};
}

// Jobs {begun, work}; when each is done, in its order.
std::vector<Duration> ends_of(const Behaviour& behaviour,
                              const std::vector<std::pair<Duration, Duration>>& jobs) {
  DisturbedTime time(behaviour.disturbances, 1);
  SharedService service(behaviour, time);
  std::vector<Duration> ends(jobs.size());
  std::size_t next = 0;
  Duration now{};
  for (std::size_t ended = 0; ended < jobs.size();) {
    const auto end = service.next_end(now);
    if (next < jobs.size() && (!end || jobs[next].first < *end)) {
      now = jobs[next].first;
      service.begin(now, next, static_cast<double>(jobs[next].second.count()));
      ++next;
      continue;
    }
    now = *end;
    ends[service.take(now)] = now;
    ++ended;
  }
  return ends;
}

using Ends = std::vector<Duration>;

TEST(SharedService, OneAloneHasItAll) { EXPECT_EQ(ends_of(sharing(), {{1ms, 10ms}}), Ends{11ms}); }

// The first is alone for 5 ms, then they halve it: 5 ms left take 10. The other then has 5 ms left.
TEST(SharedService, TwoHalveIt) {
  EXPECT_EQ(ends_of(sharing(), {{0ms, 10ms}, {5ms, 10ms}}), (Ends{15ms, 20ms}));
}

// Three of 6 ms get a third each from 0: the short one is done at 6, then two halve the rest.
TEST(SharedService, AShortOneOvertakes) {
  EXPECT_EQ(ends_of(sharing(), {{0ms, 6ms}, {0ms, 2ms}, {0ms, 6ms}}), (Ends{14ms, 6ms, 14ms}));
}

TEST(SharedService, TwoCoresServeTwoAtFullSpeed) {
  EXPECT_EQ(ends_of(sharing(2), {{0ms, 6ms}, {0ms, 6ms}}), (Ends{6ms, 6ms}));
  EXPECT_EQ(ends_of(sharing(2), {{0ms, 6ms}, {0ms, 6ms}, {0ms, 6ms}}), (Ends{9ms, 9ms, 9ms}));
}

// Above two, each one more makes all half as slow again: three take 1.5 times as long.
TEST(SharedService, ContentionSlowsAllAboveTheKnee) {
  const Behaviour behaviour{.contention = Contention{.knee = 2, .per_request = 0.5}};
  EXPECT_EQ(ends_of(behaviour, {{0ms, 6ms}, {0ms, 6ms}}), (Ends{6ms, 6ms}));
  EXPECT_EQ(ends_of(behaviour, {{0ms, 6ms}, {0ms, 6ms}, {0ms, 8ms}}), (Ends{9ms, 9ms, 11ms}));
}

TEST(SharedService, PausesStopAllOfThem) {
  Behaviour behaviour = sharing();
  behaviour.disturbances = {{.every = scenario::Constant{4ms}, .length = scenario::Constant{3ms}}};
  // Both halve 0 to 4 and 7 to 11, of which they need 2 ms.
  EXPECT_EQ(ends_of(behaviour, {{0ms, 3ms}, {0ms, 3ms}}), (Ends{9ms, 9ms}));
}

// M/G/1 with processor sharing: the mean time in the system is E[S] / (1 - rho) whatever the
// distribution of S. Tolerance: five standard errors, from batch means (30 batches of 20,000
// requests, each some hundreds of busy periods long), floored for chance in the estimate itself.
void expect_insensitive(const scenario::Distribution& work, double rho, std::uint64_t seed) {
  const Behaviour behaviour = sharing();
  DisturbedTime time({}, 1);
  SharedService service(behaviour, time);
  Prng prng{seed};
  const double mean = scenario::mean_ns(work);
  const scenario::Exponential gap{Duration{static_cast<Duration::rep>(mean / rho)}};
  constexpr std::size_t kBatch = 20'000;
  constexpr std::size_t kBatches = 30;
  std::vector<Duration> begun;
  std::vector<double> batches(kBatches);
  Duration arrival = scenario::sample(gap, prng);
  Duration now{};
  for (std::size_t ended = 0; ended < kBatch * kBatches;) {
    const auto end = service.next_end(now);
    if (!end || arrival < *end) {
      now = arrival;
      const Duration drawn = scenario::sample(work, prng);
      service.begin(now, begun.size(), static_cast<double>(drawn.count()));
      begun.push_back(now);
      arrival += scenario::sample(gap, prng);
      continue;
    }
    now = *end;
    batches[ended++ / kBatch] +=
        static_cast<double>((now - begun[service.take(now)]).count()) / kBatch / mean;
  }
  double sum = 0;
  double squares = 0;
  for (const double batch : batches) {
    sum += batch;
    squares += batch * batch;
  }
  const double average = sum / kBatches;
  const double error = std::sqrt((squares / kBatches - average * average) / (kBatches - 1));
  EXPECT_NEAR(average, 1 / (1 - rho), 5 * error) << seed;
  EXPECT_LT(5 * error * (1 - rho), 0.2) << "the test would see nothing";
}

TEST(SharedService, HasTheMeanOfTheoryWhateverTheDistribution) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const double rho : {0.5, 0.8}) {
      expect_insensitive(scenario::Constant{1ms}, rho, seed);
      expect_insensitive(scenario::Exponential{1ms}, rho, seed);
      expect_insensitive(scenario::Bimodal{1ms, 20ms, 0.05}, rho, seed);
    }
  }
}

}  // namespace
}  // namespace lb::sim
