// Goal: a backend expects of its next request what those took that found it as full as it is now.
#include "lbsim/scenario/latency_estimate.h"

#include <gtest/gtest.h>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

TEST(LatencyEstimate, IsTheMedianOfTheLastEightThatFoundAsMany) {
  LatencyEstimate estimate;
  EXPECT_EQ(estimate.of_next(0), 0ms);
  for (const Duration latency : {9ms, 1ms, 5ms}) estimate.note(3, latency);
  EXPECT_EQ(estimate.of_next(3), 5ms);
  estimate.note(3, 7ms);
  EXPECT_EQ(estimate.of_next(3), 5ms) << "the lower of the two in the middle";
  for (int n = 0; n < 8; ++n) estimate.note(3, 20ms);
  EXPECT_EQ(estimate.of_next(3), 20ms) << "the others are forgotten";
}

TEST(LatencyEstimate, KnowsAFullBackendFromAnEmptyOne) {
  LatencyEstimate estimate;
  estimate.note(0, 5ms);
  estimate.note(7, 40ms);
  EXPECT_EQ(estimate.of_next(0), 5ms);
  EXPECT_EQ(estimate.of_next(7), 40ms);
  EXPECT_EQ(estimate.of_next(4), 5ms) << "the next smaller number";
  EXPECT_EQ(estimate.of_next(1'000'000), 40ms);
}

TEST(LatencyEstimate, AsksTheNextGreaterNumberWhereNoneIsSmaller) {
  LatencyEstimate estimate;
  estimate.note(6, 30ms);
  EXPECT_EQ(estimate.of_next(2), 30ms);
  estimate.clear();
  EXPECT_EQ(estimate.of_next(2), 0ms);
}

// 16 and 17 are an eighth apart, 15 and 16 are not one cell.
TEST(LatencyEstimate, TakesLargeNumbersTogether) {
  LatencyEstimate estimate;
  estimate.note(15, 1ms);
  estimate.note(16, 2ms);
  estimate.note(18, 3ms);
  EXPECT_EQ(estimate.of_next(15), 1ms);
  EXPECT_EQ(estimate.of_next(17), 2ms);
  EXPECT_EQ(estimate.of_next(19), 3ms);
  estimate.note(1023, 8ms);
  EXPECT_EQ(estimate.of_next(960), 8ms);
  EXPECT_EQ(estimate.of_next(959), 3ms);
}

}  // namespace
}  // namespace lb::scenario
