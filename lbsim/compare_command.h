// lbsim compare: strategies, settings, configurations or scenarios side by side.
#pragma once

#include <string>
#include <vector>

#include "lbsim/experiment_options.h"

namespace lb::sim {

// Variants are every combination of what has several values.
struct CompareOptions {
  std::vector<std::string> scenarios;
  std::vector<std::string> configs;  // Files in place of the scenario's "config".
  ExperimentOptions experiment{.seeds = 10};
  std::vector<std::string> metrics;  // Empty: the usual ones.
  std::string json;
  std::string html;
  std::string junit;
  bool expect = false;  // Exit with 1 when an expectation was missed in any run.
};

// 0, or 1 with `expect`; 2 before anything is run, when something is wrong; 3 for files; 130 when
// interrupted, and then nothing is written.
[[nodiscard]] int compare(const CompareOptions& options);

}  // namespace lb::sim
