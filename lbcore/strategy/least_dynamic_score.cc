#include "lbcore/strategy/least_dynamic_score.h"

#include "lbcore/strategy/least_latency.h"

namespace lb {

std::unique_ptr<Strategy> make_strategy(const LeastDynamicScoreConfig& config) {
  return make_least_latency(config.average, Comparing::latency_and_load);
}

}  // namespace lb
