// Figures: what a run measured, as plain numbers. Every number of the JSON report is one, and its
// name is its path there: total.latency.p99_ms, backends.b1.share, expect[0].value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/json.h"

namespace lb::experiment {

struct Figure {
  std::string name;
  double value = 0;
  bool operator==(const Figure&) const = default;
};
using Figures = std::vector<Figure>;

// In the order of the report. True counts as 1 and false as 0; texts, nulls and lists of plain
// numbers (the points of a curve) are no figures.
[[nodiscard]] Figures figures_of(const config::Json& report);

// Looks at `guess` first: who goes through many runs of the same figures finds each at once.
[[nodiscard]] std::optional<double> find(const Figures& figures, std::string_view name,
                                         std::size_t guess = 0);

// Which way a figure gets better, from its name; neither for those that are not good or bad.
enum class Better { neither, lower, higher };
[[nodiscard]] Better better_direction(std::string_view name);

// The shortest text that reads back as the same number, as JSON writes it; 3 rather than 3.0.
[[nodiscard]] std::string number_text(double value);

}  // namespace lb::experiment
