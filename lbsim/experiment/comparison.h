// Comparison: variants side by side over the same seeds, with what can be said for sure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lbcore/config/json.h"
#include "lbsim/experiment/runner.h"
#include "lbsim/experiment/statistics.h"

namespace lb::experiment {

struct ComparedVariant {
  std::string label;
  std::vector<RunResult> runs;  // Of first_seed, first_seed + 1, …; all variants have as many.
};

struct Comparison {
  std::string scenario;
  std::string why;
  std::uint64_t first_seed = 1;
  std::vector<ComparedVariant> variants;  // Others are compared with the first.

  [[nodiscard]] bool all_passed() const;
};

// One metric of one variant.
struct ComparedFigure {
  std::vector<double> values;  // By seed.
  Estimate estimate;
  std::optional<Difference> difference;  // From the first variant; nothing for the first itself.
  bool best = false;                     // No other mean is better, and some are worse.
};

// One entry a variant; nothing where not all of its runs have the figure, such as the share of a
// backend that only other variants have. Holm's correction is over the comparisons in it. `guess`
// is where among the figures it may be found.
[[nodiscard]] std::vector<std::optional<ComparedFigure>> compare_metric(
    const Comparison& comparison, const std::string& metric, std::size_t guess = 0);

// What is shown unless metrics are named.
[[nodiscard]] std::vector<std::string> default_metrics();

// A table of at most 100 columns: four variants side by side, more below each other.
[[nodiscard]] std::string to_text(const Comparison& comparison,
                                  const std::vector<std::string>& metrics);

// A page with charts that needs nothing else: the figures of the table, and the runs with the first
// seed on top of each other. REQUIRES: those were drawn (Run::drawn).
[[nodiscard]] std::string to_html(const Comparison& comparison,
                                  const std::vector<std::string>& metrics);

// What stands in a table: "15.61 ± 0.20", with as many decimals as the interval makes meaningful.
[[nodiscard]] std::string format_estimate(double mean, const std::optional<double>& half_width,
                                          bool sign);
// How many runs met what was expected.
[[nodiscard]] std::string format_expectations(const ComparedVariant& variant);

// Every figure of every variant with its values, mean, interval and difference.
[[nodiscard]] config::Json to_json(const Comparison& comparison);

}  // namespace lb::experiment
