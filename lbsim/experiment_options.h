// What compare and sweep are told alike, and how it is understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lbsim/experiment/grid.h"
#include "lbsim/experiment/variants.h"

namespace lb::sim {

struct ExperimentOptions {
  std::string strategies;             // a,b,c: of the first cluster.
  std::vector<std::string> sets;      // PATH=VALUES
  std::optional<std::uint64_t> seed;  // The first; that of the scenario otherwise.
  std::size_t seeds = 1;
  unsigned jobs = 0;  // 0: one for each processor.
};

// Nothing after the problem has been told.
[[nodiscard]] std::optional<experiment::Grid> grid_of(const ExperimentOptions& options);

[[nodiscard]] unsigned jobs_of(const ExperimentOptions& options);

// A scenario file; nothing after saying that it cannot be read.
[[nodiscard]] std::optional<experiment::Source> open_source(const std::string& file);

}  // namespace lb::sim
