#include "tests/validation/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace lb::validation {

double student_factor(int count) {
  const boost::math::students_t distribution{static_cast<double>(count - 1)};
  return boost::math::quantile(distribution, (1 + kConfidence) / 2);
}

Interval interval_of(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value;
  mean /= count;  // At the end: whole numbers stay whole.
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double standard_error = std::sqrt(squares / (count - 1) / count);
  return {mean, student_factor(static_cast<int>(values.size())) * standard_error};
}

}  // namespace lb::validation
