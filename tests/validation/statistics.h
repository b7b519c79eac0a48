// Statistics: what a handful of independent runs says about the figure they estimate.
#pragma once

#include <vector>

namespace lb::validation {

// Every interval here is meant to miss its figure once in a thousand times.
inline constexpr double kConfidence = 0.999;

struct Interval {
  double mean = 0;
  double half_width = 0;  // Of the interval at kConfidence.
};

// Student's t: the factor by which the standard error of `count` values becomes a half-width.
[[nodiscard]] double student_factor(int count);

// Student's interval for the mean of independent values. REQUIRES: at least two.
[[nodiscard]] Interval interval_of(const std::vector<double>& values);

}  // namespace lb::validation
