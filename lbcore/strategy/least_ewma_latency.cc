#include "lbcore/strategy/least_ewma_latency.h"

#include "lbcore/strategy/least_latency.h"

namespace lb {

std::unique_ptr<Strategy> make_strategy(const LeastEwmaLatencyConfig& config) {
  return make_least_latency(config.average, Comparing::latency);
}

}  // namespace lb
