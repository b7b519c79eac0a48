// Exclusion: why a backend gets no requests right now, as data for the choice, the log, the metrics
// and the admin API.
//
// Several sources may take a backend out, each for its own reason, and none of them puts back what
// another took out: a passing probe does not end an ejection, and an ejection that is over does not
// enable what an operator disabled. When several apply, the first of them in this order is the
// reason that is given:
//
//   1. the configuration        removed
//   2. the operator             disabled, draining
//   3. active probes            unknown, unhealthy
//   4. live traffic             ejected
//   5. one worker, right now    breaker_open, at_limit, lower_priority, tried
//
// So what a person ordered is never hidden behind what a machine observed, and a probe, which asks
// on purpose, speaks before the traffic that happened to come.
#pragma once

#include <cstdint>
#include <string_view>

#include "lbcore/cluster_config.h"
#include "lbcore/health.h"

namespace lb {

enum class Exclusion : std::uint8_t {  // In the order of precedence.
  none,                                // It takes requests.
  removed,                             // No longer configured, finishing what it has.
  disabled,
  draining,
  unknown,         // No probe has come back yet.
  unhealthy,       // Probes failed.
  ejected,         // An outlier; comes back by itself.
  breaker_open,    // Too many failures in a row, in this worker.
  at_limit,        // Has as many requests in flight as it may.
  lower_priority,  // Waits until those before it cannot take all.
  tried,           // This request has been there.
};
inline constexpr std::size_t kExclusionCount = 11;

// What the control brain and the configuration say about one backend.
struct BackendFacts {
  bool removed = false;
  AdminState state = AdminState::enabled;
  bool probed = false;  // Its cluster has a health check; without one, health says nothing.
  HealthState health = HealthState::unknown;
  bool ejected = false;
};

// The reason these facts take a backend out, or `none`.
[[nodiscard]] Exclusion exclusion_of(const BackendFacts& facts);

[[nodiscard]] std::string_view to_string(Exclusion exclusion);

}  // namespace lb
