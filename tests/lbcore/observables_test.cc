// Goal: the figures are those of their formulas, and a minute is a minute.
// Method: Jain's index by hand; the trend read at both sides of every edge, and many random records
// against a list of them all.
#include "lbcore/observables.h"

#include <gtest/gtest.h>

#include <vector>

#include "lbcore/prng.h"

namespace lb {
namespace {

using namespace std::chrono_literals;

double jain(const std::vector<double>& values) { return jain_index(values); }

TEST(JainIndex, IsOneForEqualsAndOneOfNForAMonopoly) {
  EXPECT_EQ(jain({}), 1);
  EXPECT_EQ(jain({7}), 1);
  EXPECT_EQ(jain({3, 3, 3, 3}), 1);
  EXPECT_EQ(jain({0, 0, 0}), 1) << "all are equal";
  EXPECT_EQ(jain({9, 0, 0, 0}), 0.25);
  EXPECT_EQ(jain({5, 5, 0, 0}), 0.5);
  EXPECT_DOUBLE_EQ(jain({1, 2, 3}), 36.0 / (3 * 14));
}

// -- The trend of errors

TEST(ErrorTrend, IsNothingAtFirst) {
  const ErrorTrend::Reading reading = ErrorTrend{}.read(Instant{1h});
  EXPECT_EQ(reading.attempts, 0u);
  EXPECT_EQ(reading.failures, 0u);
  EXPECT_EQ(reading.change, std::nullopt);
}

TEST(ErrorTrend, CountsForAMinuteInSlicesOfTenSeconds) {
  ErrorTrend trend;
  trend.record(Instant{1h + 5s}, true);
  trend.record(Instant{1h + 9s}, false);
  trend.record(Instant{1h + 10s}, false);
  EXPECT_EQ(trend.read(Instant{1h + 10s}).attempts, 3u);
  EXPECT_EQ(trend.read(Instant{1h + 10s}).failures, 1u);
  EXPECT_EQ(trend.read(Instant{1h + 60s - 1ns}).attempts, 3u);
  EXPECT_EQ(trend.read(Instant{1h + 60s}).attempts, 1u) << "the first slice is out";
  EXPECT_EQ(trend.read(Instant{1h + 60s}).failures, 0u);
  EXPECT_EQ(trend.read(Instant{1h + 70s}).attempts, 0u);
}

TEST(ErrorTrend, DoesNotMistakeAnOldSliceForANewOne) {
  ErrorTrend trend;
  trend.record(Instant{1h}, true);
  trend.record(Instant{1h + 60s}, false);  // The same place in the table.
  EXPECT_EQ(trend.read(Instant{1h + 60s}).attempts, 1u);
  EXPECT_EQ(trend.read(Instant{1h + 60s}).failures, 0u);
  trend.record(Instant{1h + 600s}, false);
  EXPECT_EQ(trend.read(Instant{1h + 600s}).attempts, 1u);
  EXPECT_EQ(trend.read(Instant{1h + 650s}).attempts, 1u);
}

TEST(ErrorTrend, ComparesTheNewerHalfWithTheOlder) {
  ErrorTrend trend;
  for (int n = 0; n < 4; ++n) trend.record(Instant{1h + 29s}, n == 0);
  EXPECT_EQ(trend.read(Instant{1h + 29s}).change, std::nullopt) << "nothing to compare with";
  for (int n = 0; n < 4; ++n) trend.record(Instant{1h + 30s}, n != 0);
  EXPECT_EQ(trend.read(Instant{1h + 50s}).change, 0.5) << "three of four, after one of four";
  EXPECT_EQ(trend.read(Instant{1h + 60s}).change, std::nullopt) << "all of it is the older half";
  trend.record(Instant{1h + 60s}, false);
  EXPECT_EQ(trend.read(Instant{1h + 60s}).change, -0.5) << "none, after four of eight";
}

TEST(ErrorTrend, AgreesWithAListOfEverything) {
  struct Record {
    std::int64_t slice;
    bool failed;
  };
  Prng prng{11};
  ErrorTrend trend;
  std::vector<Record> all;
  Instant now{1h};
  for (int step = 0; step < 5000; ++step) {
    now += Duration{1ms} * (prng.below(50) == 0 ? prng.below(90'000) : prng.below(500));
    const std::int64_t slice = now.time_since_epoch() / 10s;
    const bool failed = prng.below(3) == 0;
    trend.record(now, failed);
    all.push_back({slice, failed});
    const Instant later = now + Duration{1s} * prng.below(80);
    const std::int64_t present = later.time_since_epoch() / 10s;
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;
    for (const Record& record : all) {
      if (record.slice <= present - 6) continue;
      ++attempts;
      failures += record.failed ? 1 : 0;
    }
    ASSERT_EQ(trend.read(later).attempts, attempts) << step;
    ASSERT_EQ(trend.read(later).failures, failures) << step;
  }
}

static_assert(sizeof(ErrorTrend) == 56);

}  // namespace
}  // namespace lb
