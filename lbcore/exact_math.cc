#include "lbcore/exact_math.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace lb {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr double kLn2High = 0x1.62e42fee00000p-1;  // ln 2 in two parts, so that n * high is exact.
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
// 1/13!, 1/12!, … 1/0!
constexpr std::array<double, 14> kInverseFactorials{1.0 / 6227020800,
                                                    1.0 / 479001600,
                                                    1.0 / 39916800,
                                                    1.0 / 3628800,
                                                    1.0 / 362880,
                                                    1.0 / 40320,
                                                    1.0 / 5040,
                                                    1.0 / 720,
                                                    1.0 / 120,
                                                    1.0 / 24,
                                                    1.0 / 6,
                                                    0.5,
                                                    1.0,
                                                    1.0};
constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;

// Of the middle of each 64th of [1, 2).
struct Cell {
  double inverse = 1;
  double logarithm = 0;
};
constexpr unsigned kCellBits = 6;
using Cells = std::array<Cell, 1U << kCellBits>;

const Cells& cells() {
  static const Cells all = [] {
    Cells made;
    for (std::size_t i = 0; i < made.size(); ++i) {
      const double middle = 1 + (static_cast<double>(i) + 0.5) / static_cast<double>(made.size());
      made[i] = {1 / middle, exact_ln(middle)};
    }
    return made;
  }();
  return all;
}

}  // namespace

double quick_ln(double x) {
  constexpr std::uint64_t kMantissa = 0x000fffffffffffffULL;
  constexpr std::uint64_t kOne = 0x3ff0000000000000ULL;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto exponent = static_cast<double>(static_cast<int>(bits >> 52U) - 1023);
  const double mantissa = std::bit_cast<double>((bits & kMantissa) | kOne);
  const Cell& cell = cells()[(bits & kMantissa) >> (52U - kCellBits)];
  const double r = mantissa * cell.inverse - 1;  // At most 1/128 from 0.
  const double r2 = r * r;
  const double series = (r - r2 / 2) + r2 * (r * (1.0 / 3) - r2 / 4 + r2 * r / 5);
  return exponent * kLn2 + (cell.logarithm + series);
}

double exact_ln(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); then ln m = 2 atanh(s), s = (m - 1) / (m + 1).
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>((bits >> 52U) & 0x7ffU) - 1022;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3fe0000000000000ULL);
  if (m < kSqrtHalf) m *= 2, --exponent;
  const double s = (m - 1) / (m + 1);
  const double z = s * s;  // At most 0.0295: twelve terms leave less than 1e-19.
  double sum = 0;
  for (int k = 25; k >= 3; k -= 2) sum = (sum + 1.0 / k) * z;
  const double n = exponent;
  return n * kLn2High + (2 * s * (1 + sum) + n * kLn2Low);
}

double exact_exp(double x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2; then e^x = 2^n e^r, and e^r by its Taylor series, of which
  // the term of r^14 is below 1e-17.
  const double n = std::floor(x / (kLn2High + kLn2Low) + 0.5);  // floor() is exact.
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 0;
  for (const double term : kInverseFactorials) sum = sum * r + term;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<int>(n) + 1023) << 52U);
}

Decay::Decay(Duration constant)
    : cells_per_ns_(kCells / (kLn2 * static_cast<double>(constant.count()))) {
  for (std::size_t i = 0; i < kCells; ++i) {
    cells_[i] = exact_exp(-kLn2 * static_cast<double>(i) / kCells);
  }
}

double Decay::left_after(Duration elapsed) const {
  const double cells = static_cast<double>(elapsed.count()) * cells_per_ns_;
  if (cells > 40 * kCells / kLn2) return 0.0;
  // Halved so many times, and a number of cells more, and r, at most half a cell. Five terms for r
  // leave less than 1e-16; they are added in pairs, so that no addition waits for all before it.
  const auto n = static_cast<std::uint64_t>(cells + 0.5);
  const double r = (static_cast<double>(n) - cells) * (kLn2 / kCells);
  const double r2 = r * r;
  const double series = (1 + r) + r2 * ((0.5 + r / 6) + r2 * (1.0 / 24 + r / 120));
  const auto bits = std::bit_cast<std::uint64_t>(cells_[n % kCells] * series);
  return std::bit_cast<double>(bits - ((n / kCells) << 52U));
}

}  // namespace lb
