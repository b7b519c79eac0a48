// `lbharness run`: a scenario against a real lbd, and on request against the simulator too.
#pragma once

#include <string>
#include <vector>

namespace lb::harness {

struct RunCommand {
  std::string file;
  bool compare = false;
  std::string json;  // Where the report goes as JSON; "-" for standard output, empty for nowhere.
  std::string html;  // Likewise as a page with charts, and the run over time as a table.
  std::string csv;
  bool live = false;
  bool quiet = false;
  std::string strategy;  // Empty, like the seed: what the scenario says.
  std::string seed;
  std::vector<std::string> sets;  // PATH=VALUE
  std::string lbd;                // Empty, like lbsim: next to this program.
  std::string lbsim;
};

// Prints the report. kExitNotHeld when an expectation was not met, kExitBadInput after telling the
// problems of the scenario, kExitInterrupted after INT or TERM. Throws HarnessError.
int run_scenario_command(const RunCommand& command);

}  // namespace lb::harness
