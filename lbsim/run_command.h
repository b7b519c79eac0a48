// lbsim run and lbsim check: one scenario, played once or only read.
#pragma once

#include <string>
#include <vector>

namespace lb::sim {

struct RunOptions {
  std::string file;
  std::string strategy;
  std::string seed;
  std::vector<std::string> sets;  // PATH=VALUE
  std::string json;
  std::string html;
  std::string csv;
  std::string junit;
  std::string journal;
  bool quiet = false;
};

// 0 when every expectation was met, 1 when one was not, 2 for a scenario with problems, 3 for
// files.
[[nodiscard]] int run(const RunOptions& options);

// 0 or 2 or 3, likewise.
[[nodiscard]] int check(const RunOptions& options);

}  // namespace lb::sim
