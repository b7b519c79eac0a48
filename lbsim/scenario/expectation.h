// Expectation: one line of "expect", a figure of the run and its limits.
#pragma once

#include <optional>
#include <string>

#include "lbcore/time.h"
#include "lbsim/scenario/metrics.h"

namespace lb::scenario {

// A part of the run that the report has figures of, and that expectations can name.
struct Window {
  std::string name;
  Duration from{};
  std::optional<Duration> to;  // Otherwise the end of the run.
};

struct Expectation {
  Metric metric = Metric::error_ratio;
  std::string backend;
  std::string load;
  std::string cluster;
  std::string outcome;
  std::optional<double> min;  // Both allowed; seconds when the metric is a duration.
  std::optional<double> max;
  // What clients meant to send, or the daemon counted, in this part of the run; all after the
  // warm-up otherwise.
  std::optional<Duration> from;
  std::optional<Duration> to;
  std::string window;             // In place of both.
  std::optional<Duration> after;  // From when a duration is counted.
  // Of recovery_time: the figure `of` the requests of every stretch of length `over` has to be
  // `below` this.
  Metric of = Metric::error_ratio;
  std::optional<double> below;
  Duration over = std::chrono::seconds{1};
};

}  // namespace lb::scenario
