// JUnit XML: expectations as test cases, for the pages of a CI system.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lbsim/experiment/runner.h"

namespace lb::experiment {

// One scenario, or one variant of it, with all of its runs.
struct TestSuite {
  std::string name;
  std::uint64_t first_seed = 1;
  std::span<const RunResult> runs;  // Of first_seed, first_seed + 1, …
};

// A <testcase> for each expectation, with a <failure> when a run missed it; the failure's text is
// the miss, with its seed when there were several runs.
[[nodiscard]] std::string to_junit(std::span<const TestSuite> suites);

}  // namespace lb::experiment
