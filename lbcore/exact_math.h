// Logarithm and exponential with the same bits on every compiler and machine: plain arithmetic in
// a fixed order, no libm. What is decided by them is decided alike in every replay.
#pragma once

#include "lbcore/time.h"

namespace lb {

// Natural logarithm of a positive, normal x; relative error below 1e-15.
[[nodiscard]] double exact_ln(double x);

// e^x for |x| <= 700; relative error below 1e-15. About 10 ns.
[[nodiscard]] double exact_exp(double x);

// What is left of something after `elapsed`, when it shrinks to 1/e in every `constant`:
// e^(-elapsed/constant), 0 after 40 constants. REQUIRES: constant > 0, elapsed >= 0.
[[nodiscard]] double decay(Duration elapsed, Duration constant);

}  // namespace lb
