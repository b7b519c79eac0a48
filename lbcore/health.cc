#include "lbcore/health.h"

#include "lbcore/assert.h"

namespace lb {
namespace {

const HealthRule& rule_for(HealthState state, ProbeResult result) {
  for (const HealthRule& rule : kHealthTable) {
    if (rule.state == state && rule.result == result) return rule;
  }
  assert_failed("the health table covers every state and result", __FILE__, __LINE__);
}

std::uint32_t needed(HealthRule::Streak streak, const HealthThresholds& thresholds) {
  switch (streak) {
    case HealthRule::Streak::one: return 1;
    case HealthRule::Streak::healthy_threshold: return thresholds.healthy;
    case HealthRule::Streak::unhealthy_threshold: return thresholds.unhealthy;
    case HealthRule::Streak::never: return 0;
  }
  return 0;
}

}  // namespace

bool Health::record(ProbeResult result, const HealthThresholds& thresholds) {
  const HealthRule& rule = rule_for(state_, result);
  const std::uint32_t goal = needed(rule.streak, thresholds);
  if (rule.streak == HealthRule::Streak::never) {
    streak_ = 0;  // This result confirms the state: "in a row" starts again.
    return false;
  }
  if (++streak_ < goal) return false;
  state_ = rule.next;
  streak_ = 0;
  return true;
}

std::string_view to_string(HealthState state) {
  switch (state) {
    case HealthState::unknown: return "unknown";
    case HealthState::healthy: return "healthy";
    case HealthState::unhealthy: return "unhealthy";
  }
  return "?";
}

}  // namespace lb
