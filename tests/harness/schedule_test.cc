// Goal: requests are sent when the scenario says, whatever becomes of them.
#include "harness/schedule.h"

#include <gtest/gtest.h>

namespace lb::harness {
namespace {

using std::chrono::milliseconds;

scenario::Load load_of(scenario::Arrivals arrivals) {
  scenario::Load load;
  load.arrivals = arrivals;
  load.clients = 10;
  return load;
}

TEST(Schedule, ConstantRateIsExact) {
  Schedule schedule(load_of(scenario::ConstantRate{200}), 1);
  EXPECT_EQ(schedule.next().at, milliseconds{5});
  EXPECT_EQ(schedule.next().at, milliseconds{10});
  EXPECT_EQ(schedule.next().at, milliseconds{15});
}

TEST(Schedule, PoissonHasTheRightMeanAndSpread) {
  constexpr int kCount = 100'000;
  Schedule schedule(load_of(scenario::Poisson{1000}), 42);
  double sum = 0;
  double squares = 0;
  Duration last{};
  for (int i = 0; i < kCount; ++i) {
    const Duration at = schedule.next().at;
    const double gap_ms = std::chrono::duration<double, std::milli>(at - last).count();
    sum += gap_ms;
    squares += gap_ms * gap_ms;
    last = at;
  }
  const double mean = sum / kCount;
  // The standard error of the mean is 0.3 %. Of an exponential the variance is the mean squared.
  EXPECT_NEAR(mean, 1.0, 0.015);
  EXPECT_NEAR(squares / kCount - mean * mean, 1.0, 0.05);
}

TEST(Schedule, EveryClientHasItsShare) {
  Schedule schedule(load_of(scenario::Poisson{1000}), 7);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10'000; ++i) ++counts[schedule.next().client];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Schedule, SameSeedSameSchedule) {
  Schedule one(load_of(scenario::Poisson{100}), 3);
  Schedule other(load_of(scenario::Poisson{100}), 3);
  for (int i = 0; i < 100; ++i) {
    const Arrival a = one.next();
    const Arrival b = other.next();
    EXPECT_EQ(a.at, b.at);
    EXPECT_EQ(a.client, b.client);
  }
}

TEST(Schedule, RateOfZeroSendsNothing) {
  Schedule schedule(load_of(scenario::ConstantRate{0}), 1);
  EXPECT_EQ(schedule.next().at, Duration::max());
}

}  // namespace
}  // namespace lb::harness
