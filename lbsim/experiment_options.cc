#include "lbsim/experiment_options.h"

#include <algorithm>
#include <iostream>
#include <thread>  // tidy: how many processors there are

#include "lbsim/files.h"

namespace lb::sim {

std::optional<experiment::Grid> grid_of(const ExperimentOptions& options) {
  experiment::Grid grid;
  std::vector<std::string> sets = options.sets;
  if (!options.strategies.empty()) {
    sets.insert(sets.begin(), "config.clusters[0].strategy=" + options.strategies);
  }
  std::string problems;
  for (const std::string& set : sets) {
    experiment::ParsedAxis parsed = experiment::parse_axis(set);
    if (!parsed.problem.empty()) problems += "lbsim: --set " + parsed.problem + '\n';
    grid.axes.push_back(std::move(parsed.axis));
  }
  if (problems.empty() && !grid.problem().empty()) problems = "lbsim: " + grid.problem() + '\n';
  if (problems.empty()) return grid;
  std::cerr << problems;
  return std::nullopt;
}

unsigned jobs_of(const ExperimentOptions& options) {
  return options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
}

std::optional<experiment::Source> open_source(const std::string& file) {
  auto text = read_file(file);
  if (text) return experiment::Source{file, std::move(*text), reader_beside(file)};
  std::cerr << "lbsim: cannot read " << file << '\n';
  return std::nullopt;
}

}  // namespace lb::sim
