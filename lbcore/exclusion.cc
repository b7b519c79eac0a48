#include "lbcore/exclusion.h"

namespace lb {

Exclusion exclusion_of(const BackendFacts& facts) {
  if (facts.removed) return Exclusion::removed;
  if (facts.state == AdminState::disabled) return Exclusion::disabled;
  if (facts.state == AdminState::draining) return Exclusion::draining;
  if (facts.probed && facts.health == HealthState::unknown) return Exclusion::unknown;
  if (facts.probed && facts.health == HealthState::unhealthy) return Exclusion::unhealthy;
  if (facts.ejected) return Exclusion::ejected;
  return Exclusion::none;
}

std::string_view to_string(Exclusion exclusion) {
  switch (exclusion) {
    case Exclusion::none: return "none";
    case Exclusion::removed: return "removed";
    case Exclusion::disabled: return "disabled";
    case Exclusion::draining: return "draining";
    case Exclusion::unknown: return "unknown";
    case Exclusion::unhealthy: return "unhealthy";
    case Exclusion::ejected: return "ejected";
    case Exclusion::breaker_open: return "breaker_open";
    case Exclusion::at_limit: return "at_limit";
    case Exclusion::lower_priority: return "lower_priority";
    case Exclusion::tried: return "tried";
  }
  return "?";
}

}  // namespace lb
