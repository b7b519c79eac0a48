// LogScale: logarithms as whole numbers, in units of decay_time / 1 ns. What shrinks to 1/e in
// every decay_time loses exactly 1 in every nanosecond on it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "lbcore/exact_math.h"
#include "lbcore/time.h"

namespace lb {

class LogScale {
 public:
  // REQUIRES: decay_time > 0.
  explicit LogScale(Duration decay_time) : unit_(static_cast<double>(decay_time.count())) {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const double middle = 1 + (static_cast<double>(i) + 0.5) / kCells;
      cells_[i] = {1 / middle, exact_ln(middle)};
    }
    for (std::size_t n = 1; n < small_.size(); ++n) small_[n] = of(static_cast<double>(n));
  }

  // unit * ln x of a normal x >= 1, cut to a whole number; the error of ln x is below 1e-13. About
  // 4 ns: a table of 64 and five terms, where exact_ln takes its time for the last digits.
  [[nodiscard]] std::int64_t of(double x) const {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const auto exponent = static_cast<double>(static_cast<int>(bits >> 52U) - 1023);
    const double mantissa = std::bit_cast<double>((bits & kMantissa) | kOne);
    const Cell& cell = cells_[(bits & kMantissa) >> (52U - kCellBits)];
    const double r = mantissa * cell.inverse - 1;  // At most 1/128 from 0.
    const double r2 = r * r;
    const double series = (r - r2 / 2) + r2 * (r * (1.0 / 3) - r2 / 4 + r2 * r / 5);
    return static_cast<std::int64_t>((exponent * kLn2 + (cell.logarithm + series)) * unit_);
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
  static constexpr std::uint64_t kMantissa = 0x000fffffffffffffULL;
  static constexpr std::uint64_t kOne = 0x3ff0000000000000ULL;
  static constexpr unsigned kCellBits = 6;
  static constexpr double kCells = 64;
  static constexpr double kLn2 = 0x1.62e42fefa39efp-1;

  struct Cell {
    double inverse = 1;  // Of the middle of this part of [1, 2).
    double logarithm = 0;
  };

  double unit_;
  std::array<Cell, 64> cells_{};
  std::array<std::int64_t, 64> small_{};
};

}  // namespace lb
