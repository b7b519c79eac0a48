// TimeSeries: how a run went, in up to 240 intervals of equal length, for charts and tables. Its
// size depends on the number of backends and not on the length of the run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lbcore/config/json.h"
#include "lbsim/scenario/histogram.h"
#include "lbsim/scenario/sample.h"

namespace lb::scenario {

struct TimeSeries {
  // The requests that clients meant to send in it.
  struct Interval {
    std::array<std::uint64_t, kClientResultCount> results{};
    Duration p50{}, p90{}, p99{}, p999{};  // Of `ok`; zero when there was none.
  };
  struct OfBackend {
    std::string id;
    std::vector<std::uint64_t> answers;  // Of requests that clients meant to send in the interval.
    std::vector<std::uint64_t> errors;   // 5xx among them.
    // At the end of the interval, as far as anybody looked:
    std::vector<std::uint32_t> in_flight;
    std::vector<std::string> state;  // "eligible", or why it gets nothing.
  };
  struct Mark {
    Duration at{};
    std::string what;
  };

  Duration interval{};
  std::vector<Interval> intervals;
  std::vector<std::uint64_t> queued;  // In the daemon, at the end of the interval, if looked at.
  std::vector<OfBackend> backends;
  std::vector<Mark> marks;  // The events of the scenario and of the world, in order of time.
};

// The smallest of 1, 2, 5, 10, 20, … nanoseconds of which `duration` has 240 or fewer.
[[nodiscard]] Duration interval_for(Duration duration);

class TimeSeriesCollector {
 public:
  explicit TimeSeriesCollector(Duration duration);

  [[nodiscard]] Duration interval() const { return interval_; }

  // `place`: the number of the backend who answered; above all for none. O(1).
  void add(const Sample& sample, std::size_t place);

  // How it stands at the end of an interval; call once for each, in order, or never.
  struct Snapshot {
    std::uint64_t queued = 0;
    struct OfBackend {
      std::uint32_t in_flight = 0;
      std::string_view state;
    };
    std::vector<OfBackend> backends;  // By place.
  };
  void look(const Snapshot& snapshot);

  // Something happened by itself that the scenario has no event for.
  void mark(Duration at, std::string what) { marks_.push_back({at, std::move(what)}); }

  // `names`: of the backends, by place.
  [[nodiscard]] TimeSeries finish(const std::vector<std::string>& names) const;

 private:
  struct Interval {
    std::array<std::uint64_t, kClientResultCount> results{};
    Histogram latency;
    std::vector<std::uint32_t> answers;  // By place.
    std::vector<std::uint32_t> errors;
  };

  Duration interval_;
  std::vector<Interval> intervals_;
  std::vector<Snapshot> snapshots_;
  std::vector<TimeSeries::Mark> marks_;
};

// As parts of the report: docs/scenario-format.md names every figure. The table has a line of names
// and one for each interval.
[[nodiscard]] config::Json to_json(const TimeSeries& series);
[[nodiscard]] std::string to_csv(const TimeSeries& series);

}  // namespace lb::scenario
