// lbsim: the command line of the simulator.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lbsim/replay_command.h"
#include "lbsim/simulator.h"

namespace {

using lb::scenario::LoadedScenario;
using lb::scenario::Override;

using lb::sim::ExitCode;
using enum lb::sim::ExitCode;

struct RunOptions {
  std::string file;
  std::string strategy;
  std::string seed;
  std::vector<std::string> sets;
  std::string json;
  std::string journal;
  std::string html;
  std::string csv;
  bool quiet = false;
};

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

// Paths in a scenario are relative to it.
std::string beside(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

std::vector<Override> overrides_of(const RunOptions& options) {
  std::vector<Override> overrides;
  for (const std::string& set : options.sets) {
    const std::size_t equals = set.find('=');
    overrides.push_back(
        {set.substr(0, equals), equals == std::string::npos ? "" : set.substr(equals + 1)});
  }
  if (!options.strategy.empty()) {
    overrides.push_back({"config.clusters[0].strategy", options.strategy});
  }
  if (!options.seed.empty()) overrides.push_back({"seed", options.seed});
  return overrides;
}

// The scenario, or nothing after its problems have been told.
std::optional<LoadedScenario> load(const RunOptions& options, int& exit_code) {
  const auto text = read_file(options.file);
  if (!text) {
    std::cerr << "lbsim: cannot read " << options.file << '\n';
    exit_code = kEnvironment;
    return std::nullopt;
  }
  LoadedScenario loaded = lb::scenario::load_scenario(
      *text, options.file,
      [&](const std::string& path) { return read_file(beside(options.file, path)); },
      overrides_of(options));
  if (loaded.problems.empty()) return loaded;
  std::cerr << loaded.problems;
  exit_code = kBadInput;
  return std::nullopt;
}

bool write(const std::string& target, const std::string& text) {
  if (target == "-") {
    std::cout << text;
    return true;
  }
  std::ofstream out(target, std::ios::binary);
  out << text;
  out.close();
  if (!out) std::cerr << "lbsim: cannot write " << target << '\n';
  return static_cast<bool>(out);
}

lb::sim::Progress progress_line(const lb::scenario::Scenario& scenario, bool wanted) {
  if (!wanted || isatty(STDERR_FILENO) == 0) return {};
  return [&scenario](lb::Duration simulated) {
    const double done = std::chrono::duration<double>(simulated) / scenario.duration;
    std::fprintf(stderr, "\rsimulating %5.1f %%", std::min(done, 1.0) * 100);
  };
}

int run(const RunOptions& options) {
  int exit_code = kDone;
  const auto loaded = load(options, exit_code);
  if (!loaded) return exit_code;
  const auto progress = progress_line(loaded->scenario, !options.quiet);
  std::ofstream journal;
  lb::sim::WriteJournal write_journal;
  if (!options.journal.empty()) {
    journal.open(options.journal, std::ios::binary);
    write_journal = [&](std::string_view bytes) { journal << bytes; };
  }
  const lb::scenario::Report report = lb::sim::simulate(
      loaded->scenario, {.progress = progress,
                         .journal = write_journal,
                         .over_time = !options.html.empty() || !options.csv.empty()});
  if (progress) std::fputs("\r                      \r", stderr);
  journal.flush();
  if (!options.journal.empty() && !journal) {
    std::cerr << "lbsim: cannot write " << options.journal << '\n';
    return kEnvironment;
  }
  const bool printed = options.json == "-" || options.csv == "-" || options.html == "-";
  if (!options.quiet && !printed) std::cout << lb::scenario::to_text(report);
  bool written = true;
  if (!options.json.empty()) {
    written = write(options.json, lb::scenario::to_json(report).dump(2) + '\n') && written;
  }
  if (!options.csv.empty()) written = write(options.csv, to_csv(*report.series)) && written;
  if (!options.html.empty()) written = write(options.html, to_html(report)) && written;
  if (!written) return kEnvironment;
  return report.passed() ? kDone : kNotMet;
}

int check(const RunOptions& options) {
  int exit_code = kDone;
  if (!load(options, exit_code)) return exit_code;
  std::cout << options.file << ": no problems\n";
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "lbsim plays a scenario in virtual time with the brain that lbd runs.\n"
      "Exit codes: 0 done; 1 an expectation was not met or a replay diverged; 2 bad usage or "
      "input,\n"
      "nothing was run; 3 a file could not be read or written.",
      "lbsim"};
  app.require_subcommand(1);
  RunOptions options;
  CLI::App* run_command = app.add_subcommand("run", "Play a scenario and judge what it expects.");
  run_command->add_option("scenario", options.file, "The scenario, JSON or YAML")->required();
  run_command->add_option("--strategy", options.strategy,
                          "Use this strategy in the first cluster instead");
  run_command->add_option("--seed", options.seed, "Start of everything random");
  run_command->add_option("--set", options.sets,
                          "PATH=VALUE: set any value of the scenario, such as "
                          "config.clusters[0].retries.attempts=1");
  run_command->add_option("--json", options.json, "Write the report as JSON; \"-\" to print it");
  run_command->add_option("--html", options.html,
                          "Write a page with charts; it needs nothing else");
  run_command->add_option("--csv", options.csv,
                          "Write the run over time as a table; \"-\" to print it");
  run_command->add_option("--journal", options.journal,
                          "Write down every decision, for lbsim replay");
  run_command->add_flag("--quiet", options.quiet, "Print no report and no progress");
  lb::sim::ReplayOptions replay_options;
  CLI::App* replay_command = app.add_subcommand(
      "replay", "Put a journal's inputs to the brain again and compare every answer.");
  replay_command->add_option("journal", replay_options.file, "What --journal wrote")->required();
  replay_command->add_flag("--show", replay_options.show, "Print every entry in words");
  CLI::App* check_command = app.add_subcommand("check", "Name every problem of a scenario.");
  check_command->add_option("scenario", options.file, "The scenario, JSON or YAML")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadInput;
  }
  for (const std::string& set : options.sets) {
    if (set.find('=') == std::string::npos) {
      std::cerr << "lbsim: --set wants PATH=VALUE, found \"" << set << "\"\n";
      return kBadInput;
    }
  }
  if (replay_command->parsed()) return lb::sim::replay(replay_options);
  return run_command->parsed() ? run(options) : check(options);
}
