#include "lbsim/run_command.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lbsim/exit_code.h"
#include "lbsim/experiment/junit.h"
#include "lbsim/files.h"
#include "lbsim/progress_line.h"
#include "lbsim/simulator.h"

namespace lb::sim {
namespace {

using scenario::LoadedScenario;
using scenario::Override;

std::vector<Override> overrides_of(const RunOptions& options) {
  std::vector<Override> overrides;
  for (const std::string& set : options.sets) {
    const std::size_t equals = set.find('=');
    overrides.push_back({set.substr(0, equals), set.substr(equals + 1)});
  }
  if (!options.strategy.empty()) {
    overrides.push_back({"config.clusters[0].strategy", options.strategy});
  }
  if (!options.seed.empty()) overrides.push_back({"seed", options.seed});
  return overrides;
}

// The scenario, or nothing after its problems have been told.
std::optional<LoadedScenario> load(const RunOptions& options, int& exit_code) {
  for (const std::string& set : options.sets) {
    if (set.find('=') != std::string::npos) continue;
    std::cerr << "lbsim: --set wants PATH=VALUE, found \"" << set << "\"\n";
    exit_code = kBadInput;
    return std::nullopt;
  }
  const auto text = read_file(options.file);
  if (!text) {
    std::cerr << "lbsim: cannot read " << options.file << '\n';
    exit_code = kEnvironment;
    return std::nullopt;
  }
  LoadedScenario loaded = scenario::load_scenario(*text, options.file, reader_beside(options.file),
                                                  overrides_of(options));
  if (loaded.problems.empty()) return loaded;
  std::cerr << loaded.problems;
  exit_code = kBadInput;
  return std::nullopt;
}

// Whatever files were asked for; false when one could not be written.
bool write_files(const RunOptions& options, const scenario::Report& report) {
  bool ok = true;
  if (!options.json.empty()) {
    ok = write_output(options.json, scenario::to_json(report).dump(2) + '\n');
  }
  if (!options.csv.empty()) ok = write_output(options.csv, to_csv(*report.series)) && ok;
  if (!options.html.empty()) ok = write_output(options.html, scenario::to_html(report)) && ok;
  if (!options.junit.empty()) {
    const std::vector<experiment::RunResult> runs{experiment::result_of(report)};
    const std::vector<experiment::TestSuite> suites{{report.scenario, report.seed, runs}};
    ok = write_output(options.junit, experiment::to_junit(suites)) && ok;
  }
  return ok;
}

}  // namespace

int run(const RunOptions& options) {
  int exit_code = kDone;
  const auto loaded = load(options, exit_code);
  if (!loaded) return exit_code;
  ProgressLine line(!options.quiet);
  const auto progress = [&](Duration simulated, std::uint64_t events) {
    line.show_time(simulated, loaded->scenario.duration, events);
  };
  std::ofstream journal;
  WriteJournal write_journal;
  if (!options.journal.empty()) {
    journal.open(options.journal, std::ios::binary);
    write_journal = [&](std::string_view bytes) { journal << bytes; };
  }
  const scenario::Report report =
      simulate(loaded->scenario, {.progress = progress,
                                  .journal = write_journal,
                                  .over_time = !options.html.empty() || !options.csv.empty()});
  line.clear();
  journal.flush();
  if (!options.journal.empty() && !journal) {
    std::cerr << "lbsim: cannot write " << options.journal << '\n';
    return kEnvironment;
  }
  bool printed = false;
  for (const std::string& target : {options.json, options.csv, options.html, options.junit}) {
    printed = printed || target == "-";
  }
  if (!options.quiet && !printed) std::cout << scenario::to_text(report);
  if (!write_files(options, report)) return kEnvironment;
  return report.passed() ? kDone : kNotMet;
}

int check(const RunOptions& options) {
  int exit_code = kDone;
  if (!load(options, exit_code)) return exit_code;
  std::cout << options.file << ": no problems\n";
  return kDone;
}

}  // namespace lb::sim
