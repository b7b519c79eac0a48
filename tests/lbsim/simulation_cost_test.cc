// Goal: a run ten times as long takes no more memory, and next to no allocation besides: what a run
// keeps are figures, not requests, however patient its clients are.
// Method: the same load for a short and for a long time; live bytes are read whenever the simulator
// reports its progress, allocations are counted over the whole run.
#include "tests/lbsim/scenarios.h"
#include "tests/testing/allocations.h"

namespace lb::sim {
namespace {

using testing::Parts;

struct Cost {
  std::uint64_t requests = 0;
  std::uint64_t allocations = 0;
  std::int64_t peak_bytes = 0;  // Above what there was before.
};

Cost cost_of_running(const std::string& duration) {
  const scenario::Scenario scenario = testing::scenario_of(
      {.backends = 20,
       .strategy = R"("least_request")",
       .cluster = R"(, "retries": {"attempts": 2})",
       .behaviour =
           R"({"service_time": {"lognormal": {"mean": "4ms", "sigma": 1}}, "queue": 1000})",
       .arrivals = R"({"poisson": {"rate": 20000}})",
       .load = R"(, "timeout": "1h")",
       .duration = duration,
       .events = R"({"at": "100ms", "backend": "b3", "fault": "error_ratio", "ratio": 0.1})"});
  Cost cost;
  const std::int64_t bytes_before = lb::testing::allocated_bytes();
  const std::uint64_t allocations_before = lb::testing::allocations();
  Wishes wishes;
  wishes.progress = [&](Duration, std::uint64_t) {
    cost.peak_bytes = std::max(cost.peak_bytes, lb::testing::allocated_bytes() - bytes_before);
  };
  cost.requests = simulate(scenario, wishes).total.count();
  cost.allocations = lb::testing::allocations() - allocations_before;
  return cost;
}

TEST(SimulationCost, DoesNotGrowWithTheLengthOfTheRun) {
  const Cost once = cost_of_running("10s");
  const Cost tenfold = cost_of_running("100s");
  ASSERT_GT(once.peak_bytes, 0) << "the progress was never reported";
  ASSERT_GT(tenfold.requests, 9 * once.requests);
  // Rarer extremes: a longer queue here and there, a longer tail of a histogram.
  EXPECT_LT(tenfold.peak_bytes, once.peak_bytes + once.peak_bytes / 8);
  EXPECT_LT(tenfold.allocations - once.allocations, (tenfold.requests - once.requests) / 10'000);
}

}  // namespace
}  // namespace lb::sim
