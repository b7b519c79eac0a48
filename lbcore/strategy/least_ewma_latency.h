// DESCRIPTION  The backend with the least average latency, of them all. The average is weighted by
//   time and shrinks while a backend is idle; see latency_record.h for the formula. A backend
//   without a sample is tried first, by one request at a time.
// GUARANTEES   Exact to one part in decay_time/1 ns (10^10), among those that are open too. Ties go
//   to the one picked longest ago. No draw. A failure counts as `failure_penalty` at least. A
//   backend that keeps our requests waiting longer than its average counts as that slow. A pick, a
//   sample and a change of load are O(log n) each.
// WEAKNESS     Latency alone: everything goes to the fastest until it has become slower than the
//   second, and its answers only tell when they are there. The busier the cluster the worse it
//   herds; least_dynamic_score and peak_ewma count what is under way. Weights mean nothing here.
#pragma once

#include <memory>

#include "lbcore/strategy/latency_record.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct LeastEwmaLatencyConfig {
  static constexpr std::string_view kName = "least_ewma_latency";

  LatencyAverageConfig average;

  bool operator==(const LeastEwmaLatencyConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    average.describe(fields);
  }
};

// score(): the average in milliseconds.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const LeastEwmaLatencyConfig& config);

}  // namespace lb
