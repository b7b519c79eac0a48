#include "lbsim/compare_command.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lbcore/config/daemon_config.h"
#include "lbcore/config/reader.h"
#include "lbsim/exit_code.h"
#include "lbsim/experiment/comparison.h"
#include "lbsim/experiment/junit.h"
#include "lbsim/files.h"
#include "lbsim/interrupt.h"
#include "lbsim/progress_line.h"

namespace lb::sim {
namespace {

using experiment::Comparison;
using experiment::RunResult;
using experiment::Source;
using experiment::Variant;

std::string base_name(const std::string& path) {
  const std::string file = path.substr(path.rfind('/') + 1);
  return file.substr(0, file.rfind('.'));
}

// A configuration to put in place of the scenario's.
struct Config {
  std::string label;  // Empty: the scenario's own.
  std::string text;
};

class Compare {
 public:
  explicit Compare(const CompareOptions& options) : options_(options) {}

  int run() {
    if (const int problem = gather(); problem != kDone) return problem;
    const experiment::LoadedVariants loaded = experiment::load_variants(variants_);
    if (!loaded.problems.empty()) {
      std::cerr << loaded.problems;
      return kBadInput;
    }
    comparison_.scenario = loaded.scenarios.front().name;
    comparison_.why = loaded.scenarios.front().why;
    comparison_.first_seed = options_.experiment.seed.value_or(loaded.scenarios.front().seed);
    for (const Variant& variant : variants_) comparison_.variants.push_back({variant.label, {}});
    if (!run_all(loaded.scenarios)) {
      return interrupted() ? interrupted_exit_code() : kBadInput;
    }
    if (!write_all()) return kEnvironment;
    return options_.expect && !comparison_.all_passed() ? kNotMet : kDone;
  }

 private:
  // Every variant that was asked for; kDone, or how to exit after the problem has been told.
  int gather() {
    const auto grid = grid_of(options_.experiment);
    if (!grid) return kBadInput;
    if (grid->points() > kVariantsMax) return too_many();
    if (const int problem = read_configs(); problem != kDone) return problem;
    for (const std::string& file : options_.scenarios) {
      auto source = open_source(file);
      if (!source) return kEnvironment;
      sources_.push_back(std::move(*source));
      for (const Config& config : configs_) {
        for (std::size_t i = 0; i < grid->points(); ++i) add(sources_.back(), config, *grid, i);
      }
    }
    if (variants_.size() > kVariantsMax) return too_many();
    if (variants_.size() > 1) return kDone;
    std::cerr << "lbsim: one variant alone cannot be compared: give --strategy a,b or --set "
                 "PATH=a,b, or several --config or scenarios\n";
    return kBadInput;
  }

  static int too_many() {
    std::cerr << "lbsim: more than " << kVariantsMax
              << " variants are not a table to read; lbsim sweep runs them\n";
    return kBadInput;
  }

  int read_configs() {
    for (const std::string& file : options_.configs) {
      auto text = read_file(file);
      if (!text) {
        std::cerr << "lbsim: cannot read " << file << '\n';
        return kEnvironment;
      }
      const config::LoadedConfig loaded = config::load_config(*text, file);
      if (!loaded.problems.empty()) {
        std::cerr << config::format_problems(file, loaded.problems);
        return kBadInput;
      }
      // Values that are set are read as YAML, where JSON may not have tabs.
      if (file.ends_with(".json")) *text = config::Json::parse(*text).dump();
      configs_.push_back({base_name(file), std::move(*text)});
    }
    if (configs_.empty()) configs_.emplace_back();
    return kDone;
  }

  void add(const Source& source, const Config& config, const experiment::Grid& grid,
           std::size_t point) {
    Variant variant{"", &source, {}};
    const auto name = [&](const std::string& part) {
      if (!variant.label.empty()) variant.label += ' ';
      variant.label += part;
    };
    if (options_.scenarios.size() > 1) name(base_name(source.file_name));
    if (!config.label.empty()) {
      variant.overrides.push_back({"config", config.text});
      if (configs_.size() > 1) name(config.label);
    }
    const std::vector<scenario::Override> values = grid.point(point);
    for (std::size_t i = 0; i < values.size(); ++i) {
      variant.overrides.push_back(values[i]);
      if (grid.axes[i].values.size() == 1) continue;
      const std::string key = values[i].path.substr(values[i].path.find_last_of(".]") + 1);
      name(key == "strategy" ? values[i].value : key + '=' + values[i].value);
    }
    make_unique(variant.label);
    variants_.push_back(std::move(variant));
  }

  // The same file twice is two variants too.
  void make_unique(std::string& label) const {
    const std::string wanted = label;
    const auto taken = [&](const Variant& variant) { return variant.label == label; };
    for (int n = 2; std::any_of(variants_.begin(), variants_.end(), taken); ++n) {
      label = wanted + " #" + std::to_string(n);
    }
  }

  bool run_all(const std::vector<scenario::Scenario>& scenarios) {
    std::vector<experiment::Run> runs =
        experiment::every_run(scenarios.size(), comparison_.first_seed, options_.experiment.seeds);
    for (experiment::Run& run : runs) {
      run.drawn = !options_.html.empty() && run.seed == comparison_.first_seed;
    }
    catch_interrupts();
    ProgressLine line;
    const experiment::RunnerOptions options{
        .jobs = jobs_of(options_.experiment),
        .stop = &interrupted(),
        .progress = [&](std::size_t done) { line.show_runs(done, runs.size()); }};
    return experiment::run_all(scenarios, runs, options, [&](std::size_t i, RunResult result) {
      if (i == 0 && !knows_metrics(result)) return false;
      comparison_.variants[runs[i].variant].runs.push_back(std::move(result));
      return true;
    });
  }

  // Which figures there are is known when the first run has ended.
  bool knows_metrics(const RunResult& result) const {
    bool ok = true;
    std::vector<std::string_view> names;
    for (const experiment::Figure& figure : result.figures) names.push_back(figure.name);
    for (const std::string& metric : options_.metrics) {
      if (std::find(names.begin(), names.end(), metric) != names.end()) continue;
      std::cerr << "lbsim: --metric: " << variants_.front().label << " has no figure \"" << metric
                << '"' << config::did_you_mean(metric, names)
                << "; lbsim run --json - shows them all\n";
      ok = false;
    }
    return ok;
  }

  bool write_all() const {
    const auto metrics =
        options_.metrics.empty() ? experiment::default_metrics() : options_.metrics;
    const std::array printed{&options_.json, &options_.junit, &options_.html};
    if (std::none_of(printed.begin(), printed.end(), [](auto* file) { return *file == "-"; })) {
      std::cout << experiment::to_text(comparison_, metrics);
    }
    bool ok = true;
    if (!options_.json.empty()) {
      ok = write_output(options_.json, experiment::to_json(comparison_).dump(2) + '\n');
    }
    if (!options_.html.empty()) {
      ok = write_output(options_.html, experiment::to_html(comparison_, metrics)) && ok;
    }
    if (!options_.junit.empty()) {
      std::vector<experiment::TestSuite> suites;
      for (const experiment::ComparedVariant& variant : comparison_.variants) {
        suites.push_back(
            {comparison_.scenario + " " + variant.label, comparison_.first_seed, variant.runs});
      }
      ok = write_output(options_.junit, experiment::to_junit(suites)) && ok;
    }
    return ok;
  }

  static constexpr std::size_t kVariantsMax = 100;

  const CompareOptions& options_;
  std::deque<Source> sources_;  // Variants point at them.
  std::vector<Config> configs_;
  std::vector<Variant> variants_;
  Comparison comparison_;
};

}  // namespace

int compare(const CompareOptions& options) { return Compare(options).run(); }

}  // namespace lb::sim
