// lbsim: the command line of the simulator.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lbsim/compare_command.h"
#include "lbsim/exit_code.h"
#include "lbsim/new_command.h"
#include "lbsim/replay_command.h"
#include "lbsim/run_command.h"
#include "lbsim/scenario/scenario.h"
#include "lbsim/sweep_command.h"

namespace {

using namespace lb::sim;

constexpr const char* kScenario = "The scenario, JSON or YAML";

// An option that may be given several times, with one value each time.
template <class T>
void add_each(CLI::App* command, const std::string& name, std::vector<T>& values,
              const std::string& help) {
  command->add_option(name, values, help)->allow_extra_args(false);
}

void describe_run(CLI::App* command, RunOptions& options) {
  command->add_option("scenario", options.file, kScenario)->required();
  command->add_option("--strategy", options.strategy,
                      "Use this strategy in the first cluster instead");
  command->add_option("--seed", options.seed, "Start of everything random");
  add_each(command, "--set", options.sets,
           "PATH=VALUE: set any value of the scenario, such as "
           "config.clusters[0].retries.attempts=1");
  command->add_option("--json", options.json, "Write the report as JSON; \"-\" to print it");
  command->add_option("--html", options.html, "Write a page with charts; it needs nothing else");
  command->add_option("--csv", options.csv,
                      "Write the run over time as a table; \"-\" to print it");
  command->add_option("--junit", options.junit,
                      "Write the expectations as JUnit XML; \"-\" to print it");
  command->add_option("--journal", options.journal, "Write down every decision, for lbsim replay");
  command->add_flag("--quiet", options.quiet, "Print no report and no progress");
}

void describe_experiment(CLI::App* command, ExperimentOptions& options, const std::string& seeds) {
  command->add_option("--strategy", options.strategies, "NAME,…: strategies for the first cluster");
  add_each(command, "--set", options.sets,
           "PATH=VALUE,… or PATH=FROM..TO:STEP or PATH=FROM..TO:xFACTOR: values for any path of "
           "the scenario; several make a grid");
  command->add_option("--seed", options.seed, "The first seed (that of the scenario)");
  command->add_option("--seeds", options.seeds, "How many seeds, counted up from the first" + seeds)
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--jobs", options.jobs, "Threads (one for each processor)")
      ->check(CLI::Range(1, 1024));
}

void describe_compare(CLI::App* command, CompareOptions& options) {
  command->add_option("scenarios", options.scenarios, "One scenario or several, JSON or YAML")
      ->required();
  add_each(command, "--config", options.configs,
           "A configuration of lbd in place of the scenario's; several are compared");
  describe_experiment(command, options.experiment, " (10)");
  add_each(command, "--metric", options.metrics,
           "A figure to show, by its path in the report, such as backends.b1.share; several may "
           "be given (errors, latencies, retries)");
  command->add_option("--json", options.json, "Write every figure as JSON; \"-\" to print it");
  command->add_option("--html", options.html,
                      "Write a page with the table and charts; it needs nothing else");
  command->add_option("--junit", options.junit,
                      "Write the expectations as JUnit XML; \"-\" to print it");
  command->add_flag("--expect", options.expect,
                    "Exit with 1 when an expectation was missed in any run");
}

void describe_sweep(CLI::App* command, SweepOptions& options) {
  command->add_option("scenario", options.scenario, kScenario)->required();
  describe_experiment(command, options.experiment, " (1)");
  command->add_option("--shard", options.shard,
                      "K/N: run part K of N only; lbsim merge joins the parts");
  command->add_option("--out", options.out, "Write to this file (standard output)");
  command->add_flag("--csv", options.csv, "Write CSV instead of JSON lines");
}

void describe_merge(CLI::App* command, MergeOptions& options) {
  command->add_option("parts", options.parts, "What lbsim sweep wrote, in any order")->required();
  command->add_option("--out", options.out, "Write to this file (standard output)");
  command->add_flag("--csv", options.csv, "Write CSV instead of JSON lines");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "lbsim plays a scenario in virtual time with the brain that lbd runs.\n"
      "Exit codes: 0 done; 1 an expectation was not met or a replay diverged; 2 bad usage or "
      "input,\n"
      "nothing was run; 3 a file could not be read or written; 130 interrupted.",
      "lbsim"};
  app.require_subcommand(1);
  int exit_code = kDone;
  const auto add_command = [&](const char* name, const char* help, auto& options, auto describe,
                               auto command) {
    CLI::App* added = app.add_subcommand(name, help);
    describe(added, options);
    added->final_callback([&exit_code, &options, command] { exit_code = command(options); });
  };
  RunOptions run_options;
  add_command("run", "Play a scenario and judge what it expects.", run_options, describe_run, run);
  CompareOptions compare_options;
  add_command("compare",
              "Play variants of a scenario with the same seeds and say what differs for sure.",
              compare_options, describe_compare, compare);
  SweepOptions sweep_options;
  add_command("sweep", "Play a scenario with every combination of values and seeds.", sweep_options,
              describe_sweep, sweep);
  MergeOptions merge_options;
  add_command("merge", "Join the parts of a sweep, in any order.", merge_options, describe_merge,
              merge);
  ReplayOptions replay_options;
  const auto describe_replay = [](CLI::App* command, ReplayOptions& options) {
    command->add_option("journal", options.file, "What --journal wrote")->required();
    command->add_flag("--show", options.show, "Print every entry in words");
  };
  add_command("replay", "Put a journal's inputs to the brain again and compare every answer.",
              replay_options, describe_replay, replay);
  RunOptions check_options;
  const auto describe_check = [](CLI::App* command, RunOptions& options) {
    command->add_option("scenario", options.file, kScenario)->required();
  };
  add_command("check", "Name every problem of a scenario.", check_options, describe_check, check);
  app.add_subcommand("schema", "Print the JSON Schema of a scenario, for editors.")
      ->final_callback([] { std::cout << lb::scenario::scenario_schema().dump(2) << '\n'; });
  NewOptions new_options;
  const auto describe_new = [](CLI::App* command, NewOptions& options) {
    command->add_option("file", options.file, "Where it goes; printed without it");
  };
  add_command("new", "Write a scenario to start from, with its keys explained.", new_options,
              describe_new, write_starter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadInput;
  }
  return exit_code;
}
