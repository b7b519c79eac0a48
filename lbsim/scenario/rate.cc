#include "lbsim/scenario/rate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr int kQuarterLines = 24;  // Of 96 a period.

double seconds_of(Duration duration) { return static_cast<double>(duration.count()) * 1e-9; }

// sin(pi/2 * n/24), by its series: 12 terms are exact to the last bits below pi/2.
double sine_of_quarter(int n) {
  const double x = 1.5707963267948966 * n / kQuarterLines;
  double sum = 0;
  double term = x;
  for (int k = 1; k < 24; k += 2) {
    sum += term;
    term *= -x * x / ((k + 1) * (k + 2));
  }
  return sum;
}

double sine_of(int line) {
  const int quarter = line / kQuarterLines % 4;
  const int n = line % kQuarterLines;
  const double rise = sine_of_quarter(quarter % 2 == 0 ? n : kQuarterLines - n);
  return quarter < 2 ? rise : -rise;
}

}  // namespace

Rate diurnal_rate(double mean, double amplitude, Duration period) {
  constexpr int kLines = 4 * kQuarterLines;
  Rate rate;
  rate.period = period;
  rate.points.clear();
  for (int line = 0; line <= kLines; ++line) {
    // The last point is the first one again, a period later.
    const double share = static_cast<double>(line) / kLines;
    const auto at = static_cast<Duration::rep>(static_cast<double>(period.count()) * share);
    rate.points.push_back({Duration{at}, mean + amplitude * sine_of(line % kLines)});
  }
  return rate;
}

RateWalk::RateWalk(const Rate& rate) : period_(rate.period) {
  const std::vector<RatePoint>& points = rate.points;
  LB_ASSERT(!points.empty());
  add_piece(Duration{}, points.front().at, points.front().rate, points.front().rate);
  for (std::size_t i = 1; i < points.size(); ++i) {
    add_piece(points[i - 1].at, points[i].at, points[i - 1].rate, points[i].rate);
  }
  for (const Piece& piece : pieces_) per_period_ += piece.length * (piece.from + piece.to) / 2;
  if (period_ > Duration{}) return;
  starts_.push_back(points.back().at);
  pieces_.push_back({kForever, points.back().rate, points.back().rate});
}

void RateWalk::add_piece(Duration from, Duration to, double rate_from, double rate_to) {
  if (from == to) return;  // A step has no length.
  starts_.push_back(from);
  pieces_.push_back({seconds_of(to - from), rate_from, rate_to});
}

std::optional<Duration> RateWalk::advance(double requests) {
  LB_ASSERT(requests > 0);
  if (period_ > Duration{} && per_period_ <= 0) return std::nullopt;
  for (;;) {
    const Piece& piece = pieces_[piece_];
    const bool last = piece.length == kForever;
    const double slope = last ? 0 : (piece.to - piece.from) / piece.length;
    const double here = piece.from + slope * offset_;
    const double left =
        last ? (here > 0 ? kForever : 0) : (piece.length - offset_) * (here + piece.to) / 2;
    if (requests < left) {
      // The root of here * t + slope * t^2 / 2 = requests, in the form that cancels nothing.
      const double root = std::sqrt(std::max(here * here + 2 * slope * requests, 0.0));
      offset_ += 2 * requests / (here + root);
      const auto into = static_cast<Duration::rep>(std::min(offset_ * 1e9 + 0.5, 9.0e18));
      return starts_[piece_] + rounds_ * period_ + Duration{into};
    }
    if (last) return std::nullopt;
    requests -= left;
    offset_ = 0;
    if (++piece_ == pieces_.size()) {
      piece_ = 0;
      ++rounds_;
    }
    if (requests <= 0) requests = std::numeric_limits<double>::min();
  }
}

}  // namespace lb::scenario
