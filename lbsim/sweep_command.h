// lbsim sweep: every point of a grid with every seed, whole or in parts; lbsim merge: the parts
// made whole.
#pragma once

#include <string>
#include <vector>

#include "lbsim/experiment_options.h"

namespace lb::sim {

struct SweepOptions {
  std::string scenario;
  ExperimentOptions experiment;
  std::string shard;  // K/N; empty: all of it.
  std::string out = "-";
  bool csv = false;
};

// 0; 2 before anything is run, when something is wrong; 3 for files; 130 when interrupted.
[[nodiscard]] int sweep(const SweepOptions& options);

struct MergeOptions {
  std::vector<std::string> parts;
  std::string out = "-";
  bool csv = false;
};

// 0; 2 when the parts do not make a whole; 3 for files.
[[nodiscard]] int merge(const MergeOptions& options);

}  // namespace lb::sim
