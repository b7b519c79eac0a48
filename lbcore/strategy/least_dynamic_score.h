// DESCRIPTION  The backend with the least score, of them all:
//     average latency * (requests in flight + 1) / weight
//   which is about how long one more request would take if it had to wait for those before it. The
//   average is weighted by time and shrinks while a backend is idle; see latency_record.h for the
//   formula. A backend without a sample is tried first, by one request at a time.
// GUARANTEES   Exact to one part in decay_time/1 ns (10^10), among those that are open too. Ties go
//   to the one picked longest ago. No draw. A failure counts as `failure_penalty` at least. What is
//   assigned counts at once, so a backend that hangs gets fewer the more it holds. A pick, a sample
//   and a change of load are O(log n) each.
// WEAKNESS     An exact minimum over what one balancer knows: balancers that do not know of each
//   other's requests all choose the same backend, where peak_ewma would spread them.
// The score is that of Peak EWMA in Finagle, by weight; the search is over all instead of two.
#pragma once

#include <memory>

#include "lbcore/strategy/latency_record.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct LeastDynamicScoreConfig {
  static constexpr std::string_view kName = "least_dynamic_score";

  LatencyAverageConfig average;

  bool operator==(const LeastDynamicScoreConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    average.describe(fields);
  }
};

// score(): in milliseconds.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const LeastDynamicScoreConfig& config);

}  // namespace lb
