#include "lbsim/sweep_command.h"

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "lbsim/exit_code.h"
#include "lbsim/experiment/merge.h"
#include "lbsim/experiment/sweep_file.h"
#include "lbsim/files.h"
#include "lbsim/interrupt.h"
#include "lbsim/progress_line.h"

namespace lb::sim {
namespace {

using config::Json;
using experiment::Shard;
using experiment::Sweep;

// Lines as they are, or all of them as CSV in the end.
class Lines {
 public:
  Lines(const std::string& target, bool csv) : output_(target), csv_(csv) {}

  bool open() const { return output_.open(); }

  void add(const std::string& line) {
    if (csv_) {
      parsed_.push_back(Json::parse(line));
    } else {
      output_.write(line + '\n');
    }
  }

  bool finish() {
    if (csv_) {
      const Json head = std::move(parsed_.front());
      parsed_.erase(parsed_.begin());
      output_.write(experiment::to_csv(head, parsed_));
    }
    return output_.finish();
  }

 private:
  OutputFile output_;
  bool csv_;
  std::vector<Json> parsed_;
};

// The cells that are to be run, and only the points of the grid they need.
struct Work {
  std::vector<std::size_t> cells;
  std::vector<experiment::Variant> variants;
  std::vector<experiment::Run> runs;
};

Work work_of(const Sweep& sweep, const Shard& shard, const experiment::Source& source) {
  Work work;
  std::map<std::size_t, std::size_t> variant_of;  // By point.
  for (std::size_t cell = 0; cell < sweep.cells(); ++cell) {
    if (!shard.has(cell)) continue;
    const std::size_t point = sweep.point_of(cell);
    const auto [variant, fresh] = variant_of.emplace(point, work.variants.size());
    if (fresh) {
      experiment::Variant one{"", &source, sweep.grid.point(point)};
      for (const auto& [path, value] : one.overrides) {
        if (!one.label.empty()) one.label += ", ";
        one.label += path + '=' + value;
      }
      work.variants.push_back(std::move(one));
    }
    work.cells.push_back(cell);
    work.runs.push_back({variant->second, sweep.seed_of(cell)});
  }
  return work;
}

int run_cells(const SweepOptions& options, const Sweep& sweep, std::optional<Shard> shard,
              const experiment::Source& source) {
  const Work work = work_of(sweep, shard.value_or(Shard{}), source);
  const experiment::LoadedVariants loaded = experiment::load_variants(work.variants);
  if (!loaded.problems.empty()) {
    std::cerr << loaded.problems;
    return kBadInput;
  }
  catch_interrupts();
  Lines lines(options.out, options.csv);
  if (!lines.open()) return kEnvironment;  // Before hours of work rather than after.
  lines.add(experiment::head_line(sweep, shard));
  ProgressLine line;
  const bool complete = experiment::run_all(
      loaded.scenarios, work.runs,
      {.jobs = jobs_of(options.experiment),
       .stop = &interrupted(),
       .progress = [&](std::size_t done) { line.show_runs(done, work.runs.size()); }},
      [&](std::size_t i, const experiment::RunResult& result) {
        lines.add(experiment::cell_line(sweep, work.cells[i], result));
        return true;
      });
  if (!complete) return interrupted_exit_code();
  return lines.finish() ? kDone : kEnvironment;
}

int wrong(const std::string& what) {
  std::cerr << "lbsim: " << what << '\n';
  return kBadInput;
}

}  // namespace

int sweep(const SweepOptions& options) {
  std::optional<Shard> shard;
  if (!options.shard.empty()) {
    shard = experiment::parse_shard(options.shard);
    if (!shard)
      return wrong("--shard wants K/N, such as 1/3 to 3/3, found \"" + options.shard + '"');
    if (options.csv) return wrong("parts are JSON lines: give --csv to lbsim merge instead");
  }
  auto grid = grid_of(options.experiment);
  if (!grid) return kBadInput;
  const auto source = open_source(options.scenario);
  if (!source) return kEnvironment;
  const experiment::Origin origin = experiment::origin_of(*source);
  const Sweep sweep{origin, std::move(*grid), options.experiment.seed.value_or(origin.seed),
                    options.experiment.seeds};
  if (sweep.seeds > experiment::kGridPointsMax || sweep.cells() > experiment::kGridPointsMax) {
    return wrong("these are more than a million runs");
  }
  return run_cells(options, sweep, shard, *source);
}

int merge(const MergeOptions& options) {
  std::vector<experiment::PartFile> parts;
  for (const std::string& file : options.parts) {
    auto text = read_file(file);
    if (!text) {
      std::cerr << "lbsim: cannot read " << file << '\n';
      return kEnvironment;
    }
    parts.push_back({file, std::move(*text)});
  }
  const experiment::Merged merged = experiment::merge(parts);
  if (!merged.problem.empty()) return wrong(merged.problem);
  Lines lines(options.out, options.csv);
  for (const std::string& line : merged.lines) lines.add(line);
  return lines.finish() ? kDone : kEnvironment;
}

}  // namespace lb::sim
