#include "lbsim/experiment/comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace lb::experiment {
namespace {

using Row = std::vector<std::optional<ComparedFigure>>;

// The values of every run, or nothing when one has none.
std::optional<std::vector<double>> values_of(const ComparedVariant& variant,
                                             const std::string& metric, std::size_t guess) {
  std::vector<double> values;
  for (const RunResult& run : variant.runs) {
    const auto value = find(run.figures, metric, guess);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(values);
}

void add_differences(Row& row) {
  if (row.empty() || !row.front()) return;
  std::vector<std::vector<double>> others;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i]) others.push_back(row[i]->values);
  }
  auto difference = paired_differences(row.front()->values, others);
  auto next = difference.begin();
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i]) row[i]->difference = *next++;
  }
}

void mark_best(Row& row, Better better) {
  if (better == Better::neither) return;
  std::vector<double> means;
  for (const auto& figure : row) {
    if (figure) means.push_back(figure->estimate.mean);
  }
  if (means.empty()) return;
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  if (*low == *high) return;  // Nothing is best when all are the same.
  const double best = better == Better::lower ? *low : *high;
  for (auto& figure : row) {
    if (figure && figure->estimate.mean == best) figure->best = true;
  }
}

// In the order of the first variant's report; what only later ones have comes last.
std::vector<std::string> all_metrics(const Comparison& comparison) {
  std::vector<std::string> metrics;
  std::set<std::string_view> known;
  for (const ComparedVariant& variant : comparison.variants) {
    if (variant.runs.empty()) continue;
    for (const Figure& figure : variant.runs.front().figures) {
      if (known.insert(figure.name).second) metrics.push_back(figure.name);
    }
  }
  return metrics;
}

// The members of the object "figures" as the list they are kept in: adding one to an ordered_json
// by its key looks through all there are, which takes its time with a thousand backends.
config::Json::object_t& figures_of_variant(config::Json& variant) {
  return variant["figures"].get_ref<config::Json::object_t&>();
}

config::Json json_of(const ComparedFigure& figure) {
  config::Json json = {{"mean", figure.estimate.mean}};
  if (figure.estimate.half_width) json["half_width"] = *figure.estimate.half_width;
  if (figure.difference) {
    const Difference& difference = *figure.difference;
    config::Json against = {{"mean", difference.mean}};
    if (difference.p) {
      against["half_width"] = *difference.half_width;
      against["p"] = *difference.p;
      against["p_holm"] = *difference.p_holm;
    }
    against["significant"] = difference.significant;
    json["difference"] = std::move(against);
  }
  json["values"] = figure.values;
  return json;
}

}  // namespace

bool Comparison::all_passed() const {
  for (const ComparedVariant& variant : variants) {
    for (const RunResult& run : variant.runs) {
      if (!run.passed) return false;
    }
  }
  return true;
}

std::vector<std::optional<ComparedFigure>> compare_metric(const Comparison& comparison,
                                                          const std::string& metric,
                                                          std::size_t guess) {
  Row row;
  for (const ComparedVariant& variant : comparison.variants) {
    auto values = values_of(variant, metric, guess);
    if (!values) {
      row.emplace_back();
      continue;
    }
    ComparedFigure figure;
    figure.estimate = estimate(*values);
    figure.values = std::move(*values);
    row.emplace_back(std::move(figure));
  }
  add_differences(row);
  mark_best(row, better_direction(metric));
  return row;
}

std::vector<std::string> default_metrics() {
  return {"total.error_ratio",    "total.latency.mean_ms", "total.latency.p50_ms",
          "total.latency.p99_ms", "total.latency.p999_ms", "balancer.retries"};
}

config::Json to_json(const Comparison& comparison) {
  config::Json variants = config::Json::array();
  for (const ComparedVariant& variant : comparison.variants) {
    std::size_t passed = 0;
    for (const RunResult& run : variant.runs) passed += run.passed ? 1 : 0;
    variants.push_back({{"label", variant.label},
                        {"runs", variant.runs.size()},
                        {"runs_passed", passed},
                        {"figures", config::Json::object()}});
  }
  const std::vector<std::string> metrics = all_metrics(comparison);
  for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
    const Row row = compare_metric(comparison, metrics[metric], metric);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i]) figures_of_variant(variants[i]).emplace_back(metrics[metric], json_of(*row[i]));
    }
  }
  const std::size_t seeds = comparison.variants.front().runs.size();
  return {{"scenario", comparison.scenario},
          {"why", comparison.why},
          {"seeds", {{"first", comparison.first_seed}, {"count", seeds}}},
          {"confidence", kConfidence},
          {"variants", std::move(variants)}};
}

}  // namespace lb::experiment
