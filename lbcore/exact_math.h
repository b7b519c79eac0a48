// Logarithm and exponential with the same bits on every compiler and machine: plain arithmetic in
// a fixed order, no libm. What is decided by them is decided alike in every replay.
#pragma once

#include <array>
#include <cstddef>

#include "lbcore/time.h"

namespace lb {

// Natural logarithm of a positive, normal x; relative error below 1e-15.
[[nodiscard]] double exact_ln(double x);

// The same where the last digits do not matter: error below 1e-13, absolute or relative. A table of
// 64 and five terms, about 4 ns.
[[nodiscard]] double quick_ln(double x);

// e^x for |x| <= 700; relative error below 1e-15. About 10 ns.
[[nodiscard]] double exact_exp(double x);

// What shrinks to 1/e in every `constant`. 536 bytes.
class Decay {
 public:
  explicit Decay(Duration constant);  // REQUIRES: constant > 0.

  // What is left of 1: e^(-elapsed/constant), 0 after 40 constants; relative error below 1e-14.
  // About 5 ns. REQUIRES: elapsed >= 0.
  [[nodiscard]] double left_after(Duration elapsed) const;

 private:
  static constexpr std::size_t kCells = 64;

  double cells_per_ns_ = 0;  // A cell takes 1/64 of the time in which it is halved.
  std::array<double, kCells> cells_{};
};

}  // namespace lb
