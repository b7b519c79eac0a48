// What a handful of runs says about all the runs there could be.
//
// Runs of the same seed in two variants get the same draws where they do the same things (common
// random numbers), so variants are compared pair by pair: what the seeds do to both cancels out.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace lb::experiment {

inline constexpr double kConfidence = 0.95;

// The x below which a share `probability` of Student's t distribution lies. 0 < probability < 1.
[[nodiscard]] double t_quantile(double probability, double degrees_of_freedom);

// The mean with its 95 % confidence interval, mean ± half_width: Student's t with n - 1 degrees of
// freedom. One value alone has no interval. REQUIRES: !values.empty().
struct Estimate {
  double mean = 0;
  std::optional<double> half_width;
};
[[nodiscard]] Estimate estimate(std::span<const double> values);

// Of `other` less `first`, pair by pair (the paired t test).
struct Difference {
  double mean = 0;
  // All of these are nothing for a single pair, which cannot tell a difference from chance.
  std::optional<double> half_width;  // Covers 0 exactly when the difference is not significant.
  std::optional<double> p;           // Two-sided, of this comparison alone.
  std::optional<double> p_holm;      // Corrected for all of them together.
  bool significant = false;          // p_holm is at most 5 %.
};

// Of each of `others` against `first`, with Holm's correction over them: the chance that any of
// them is called significant without being different is at most 5 %. An interval is as wide as the
// level Holm's procedure tests it at, so intervals and verdicts never disagree.
// REQUIRES: all have the same length, at least 1.
[[nodiscard]] std::vector<Difference> paired_differences(
    std::span<const double> first, std::span<const std::vector<double>> others);

// Holm's step-down procedure (Holm, "A simple sequentially rejective multiple test procedure",
// Scandinavian Journal of Statistics 6, 1979) for one value of p: the corrected p, and the level
// at which it was decided.
struct Holm {
  double p = 1;
  double level = 1 - kConfidence;
};
[[nodiscard]] std::vector<Holm> holm(std::span<const double> p);

}  // namespace lb::experiment
