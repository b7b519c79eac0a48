// LogScale: logarithms as whole numbers, in units of decay_time / 1 ns. What shrinks to 1/e in
// every decay_time loses exactly 1 in every nanosecond on it.
#pragma once

#include <array>
#include <cstdint>

#include "lbcore/exact_math.h"
#include "lbcore/time.h"

namespace lb {

class LogScale {
 public:
  // REQUIRES: decay_time > 0.
  explicit LogScale(Duration decay_time) : unit_(static_cast<double>(decay_time.count())) {
    for (std::size_t n = 1; n < small_.size(); ++n) small_[n] = of(static_cast<double>(n));
  }

  // unit * ln x of a normal x >= 1, cut to a whole number; the error of ln x is below 1e-13.
  [[nodiscard]] std::int64_t of(double x) const {
    return static_cast<std::int64_t>(quick_ln(x) * unit_);
  }

  // The same of 1, 2, 3, … , from a table as far as it goes.
  [[nodiscard]] std::int64_t of_count(std::uint64_t n) const {
    return n < small_.size() ? small_[n] : of(static_cast<double>(n));
  }

  // And back. 0 for what is too small.
  [[nodiscard]] double value(std::int64_t logarithm) const {
    const double x = static_cast<double>(logarithm) / unit_;
    return x < -700 ? 0.0 : exact_exp(x);
  }

 private:
  double unit_;
  std::array<std::int64_t, 64> small_{};
};

}  // namespace lb
