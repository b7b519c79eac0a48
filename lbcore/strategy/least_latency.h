// What least_ewma_latency and least_dynamic_score have in common: the exact least of all backends
// by their average latency, though averages of idle backends shrink all the time.
#pragma once

#include <memory>

#include "lbcore/strategy/latency_record.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

enum class Comparing : std::uint8_t {
  latency,           // The average. A backend that keeps us waiting for longer counts for that.
  latency_and_load,  // The average, times requests in flight and the one to come, by weight.
};

[[nodiscard]] std::unique_ptr<Strategy> make_least_latency(const LatencyAverageConfig& config,
                                                           Comparing comparing);

}  // namespace lb
