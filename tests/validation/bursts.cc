#include "tests/validation/bursts.h"

#include <array>

namespace lb::validation {
namespace {

using Row = std::array<double, 2>;

struct Matrix {
  double a, b;
  double c, d;
  Matrix operator+(const Matrix& o) const { return {a + o.a, b + o.b, c + o.c, d + o.d}; }
  Matrix operator-(const Matrix& o) const { return {a - o.a, b - o.b, c - o.c, d - o.d}; }
  Matrix operator*(const Matrix& o) const {
    return {a * o.a + b * o.c, a * o.b + b * o.d, c * o.a + d * o.c, c * o.b + d * o.d};
  }
  [[nodiscard]] Matrix inverse() const {
    const double determinant = a * d - b * c;
    return {d / determinant, -b / determinant, -c / determinant, a / determinant};
  }
};

Row operator*(const Row& row, const Matrix& m) {
  return {row[0] * m.a + row[1] * m.c, row[0] * m.b + row[1] * m.d};
}
double sum(const Row& row) { return row[0] + row[1]; }

}  // namespace

double mmpp_mean(const Phase& first, const Phase& second) {
  constexpr Matrix kOne{1, 0, 0, 1};
  constexpr Matrix kZero{0, 0, 0, 0};
  const Matrix up{first.rate, 0, 0, second.rate};
  const Matrix change{-1 / first.stay, 1 / first.stay, 1 / second.stay, -1 / second.stay};
  const Matrix within = change - up - kOne;
  Matrix r = kZero;
  const Matrix inverse = within.inverse();
  for (int step = 0; step < 100'000; ++step) r = kZero - (up + r * r) * inverse;
  // With nobody there: pi_0 (change - up + R A2) = 0, and everything sums to 1.
  const Matrix balance = change - up + r;
  Row empty{-balance.c, balance.a};
  const Matrix all = (kOne - r).inverse();
  const double total = sum(empty * all);
  empty = {empty[0] / total, empty[1] / total};
  const double in_system = sum(empty * r * all * all);
  const double rate =
      (first.rate * first.stay + second.rate * second.stay) / (first.stay + second.stay);
  return in_system / rate;  // Little's law.
}

}  // namespace lb::validation
