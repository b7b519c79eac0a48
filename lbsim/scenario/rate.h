// Rate: requests per second over the time of a run, as straight lines between points. A number is a
// line that is level, two points at the same time are a step, and a diurnal curve is a sine drawn
// with 96 lines a period.
//
// Being made of lines, its integral is made of parabolas, which a square root inverts: arrivals
// with a changing rate are exact and need one draw each, no thinning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

struct RatePoint {
  Duration at{};
  double rate = 0;
  bool operator==(const RatePoint&) const = default;
};

struct Rate {
  // In order of time, at least one. Before the first and after the last the rate stays as there.
  std::vector<RatePoint> points{RatePoint{}};
  Duration period{};  // When not zero, the points are one period, and start again after it.

  Rate() = default;
  Rate(double level) : points{{Duration{}, level}} {}  // Implicit: most rates are a number.
  bool operator==(const Rate&) const = default;

  [[nodiscard]] bool level() const { return points.size() == 1; }
};

// mean + amplitude * sin(2 pi t / period). REQUIRES: 0 <= amplitude <= mean, period > 0.
[[nodiscard]] Rate diurnal_rate(double mean, double amplitude, Duration period);

// Walks along a rate that is not level, by the number of requests it stands for.
class RateWalk {
 public:
  explicit RateWalk(const Rate& rate);

  // When `requests` more are due, after the last time that was asked for. Nothing when the rate
  // falls to zero before that and stays there. Keeps fractions of nanoseconds: errors do not add
  // up. REQUIRES: requests > 0.
  [[nodiscard]] std::optional<Duration> advance(double requests);

 private:
  struct Piece {
    double length = 0;  // Seconds; infinite for the last one, unless there is a period.
    double from = 0;    // Rate at its start,
    double to = 0;      // and at its end.
  };
  void add_piece(Duration from, Duration to, double rate_from, double rate_to);

  std::vector<Piece> pieces_;
  std::vector<Duration> starts_;
  Duration period_;
  double per_period_ = 0;    // Requests of a whole period.
  std::size_t piece_ = 0;    // Where it is:
  double offset_ = 0;        // seconds into this piece,
  std::int64_t rounds_ = 0;  // after so many periods.
};

}  // namespace lb::scenario
