#include "lbsim/daemon.h"

#include <string>

namespace lb::sim {

scenario::BalancerTotals totals_of(const BalancerCounters& counters) {
  scenario::BalancerTotals totals{.requests = counters.requests,
                                  .attempts = counters.attempts,
                                  .retries = counters.retries,
                                  .connections_opened = counters.connections_opened,
                                  .connections_reused = counters.connections_reused,
                                  .outcomes = {}};
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    totals.outcomes[std::string{to_string(static_cast<Outcome>(i))}] = counters.outcomes.counts[i];
  }
  return totals;
}

}  // namespace lb::sim
