#include "harness/run_command.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/errors.h"
#include "harness/interruption.h"
#include "harness/output.h"
#include "harness/process.h"
#include "harness/runner.h"

namespace lb::harness {
namespace {

using config::Json;

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(path)) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

// The same options mean the same to lbsim.
std::vector<scenario::Override> overrides_of(const RunCommand& command) {
  std::vector<scenario::Override> overrides;
  for (const std::string& set : command.sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) {
      throw HarnessError(kExitBadInput, "--set wants PATH=VALUE, found \"" + set + '"');
    }
    overrides.push_back({set.substr(0, equals), set.substr(equals + 1)});
  }
  if (!command.strategy.empty()) {
    overrides.push_back({"config.clusters[0].strategy", command.strategy});
  }
  if (!command.seed.empty()) overrides.push_back({"seed", command.seed});
  return overrides;
}

scenario::LoadedScenario load(const RunCommand& command) {
  const auto text = read_file(command.file);
  if (!text) {
    throw HarnessError(kExitEnvironment, "cannot read the scenario \"" + command.file + '"');
  }
  // Paths in a scenario are relative to it.
  const std::filesystem::path folder = std::filesystem::path(command.file).parent_path();
  return scenario::load_scenario(
      *text, command.file, [&](const std::string& path) { return read_file(folder / path); },
      overrides_of(command));
}

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

// The program that was named, or the one next to this one; it has to be there.
std::string program(const std::string& named, const std::string& name) {
  const std::string path =
      named.empty() ? (std::filesystem::path(own_path()).parent_path() / name).string() : named;
  if (::access(path.c_str(), X_OK) != 0) {
    throw HarnessError(kExitEnvironment, fmt::format("there is no program \"{}\"; build {} or name "
                                                     "it with --{}",
                                                     path, name, name));
  }
  return path;
}

// The simulator's report of the same scenario with the same options.
Json simulate(const RunCommand& command, const std::string& lbsim,
              const Interruption& interruption) {
  ProcessOptions options{.arguments = {lbsim, "run", command.file, "--json", "-", "--quiet"},
                         .pipe_output = true};
  const auto pass_on = [&](const char* name, const std::string& value) {
    if (!value.empty()) options.arguments.insert(options.arguments.end(), {name, value});
  };
  pass_on("--strategy", command.strategy);
  pass_on("--seed", command.seed);
  for (const std::string& set : command.sets) pass_on("--set", set);
  Process process(options);
  const std::string text = process.read_all([&] { interruption.check(); });
  const auto status = process.wait(std::chrono::seconds{5});
  // An expectation that was not met is a result like any other.
  const bool ran = status && status->signal == 0 && status->code <= kExitNotHeld;
  const Json report = ran ? Json::parse(text, nullptr, false) : Json{};
  if (!report.is_object()) {
    throw HarnessError(kExitEnvironment,
                       fmt::format("\"{}\" gave no report: {}", lbsim,
                                   status ? describe(*status) : std::string{"it did not end"}));
  }
  return report;
}

// What one asked for of a run over time; without it the JSON is the report alone.
void write_over_time(const RunCommand& command, scenario::Report& report) {
  if (!command.html.empty()) write_text(command.html, scenario::to_html(report));
  if (!command.csv.empty()) write_text(command.csv, scenario::to_csv(*report.series));
  if (command.html.empty() && command.csv.empty()) report.series.reset();
}

bool prints_report(const RunCommand& command) {
  return !command.quiet && command.json != "-" && command.csv != "-" && command.html != "-";
}

int measure(const RunCommand& command, const scenario::Scenario& scenario,
            const Interruption& interruption) {
  const Programs programs{.lbd = program(command.lbd, "lbd"), .lbharness = own_path()};
  scenario::Report report = run_scenario(scenario, programs, command.live, interruption);
  write_over_time(command, report);
  if (prints_report(command)) fmt::print("{}", scenario::to_text(report));
  if (!command.json.empty()) write_json(command.json, scenario::to_json(report));
  return report.passed() ? kExitDone : kExitNotHeld;
}

int compare(const RunCommand& command, const scenario::Scenario& scenario,
            const Interruption& interruption) {
  const Programs programs{.lbd = program(command.lbd, "lbd"), .lbharness = own_path()};
  const std::string lbsim = program(command.lbsim, "lbsim");
  const Json simulated = simulate(command, lbsim, interruption);
  const Duration loopback = measure_loopback(scenario, programs, interruption);
  scenario::Report report = run_scenario(scenario, programs, command.live, interruption);
  report.loopback_latency = loopback;
  write_over_time(command, report);
  const Json measured = scenario::to_json(report);
  if (prints_report(command)) {
    fmt::print("{}\n{}", scenario::to_text(report), scenario::comparison_text(simulated, measured));
  }
  if (!command.json.empty()) {
    write_json(command.json, {{"simulated", simulated}, {"measured", measured}});
  }
  return report.passed() && simulated.at("passed").get<bool>() ? kExitDone : kExitNotHeld;
}

}  // namespace

int run_scenario_command(const RunCommand& command) {
  const scenario::LoadedScenario loaded = load(command);
  if (!loaded.problems.empty() || !loaded.simulated_only.empty()) {
    fmt::print(stderr, "{}{}", loaded.problems, loaded.simulated_only);
    return kExitBadInput;
  }
  try {
    const Interruption interruption;
    return command.compare ? compare(command, loaded.scenario, interruption)
                           : measure(command, loaded.scenario, interruption);
  } catch (const Interrupted&) {
    return kExitInterrupted;
  }
}

}  // namespace lb::harness
