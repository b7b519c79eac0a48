#include "lbcore/health.h"

#include <algorithm>

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

void FlapHistory::record_fall(Instant now, const FlapDampingConfig& damping) {
  const bool again = last_fall_ && now - *last_fall_ <= damping.window;
  factor_ = again ? std::min(factor_ * 2, damping.max_factor) : 1;
  last_fall_ = now;
}

HealthThresholds damped(HealthThresholds thresholds, const FlapHistory& history,
                        const std::optional<FlapDampingConfig>& damping) {
  if (damping) thresholds.healthy *= std::min(history.factor(), damping->max_factor);
  return thresholds;
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
