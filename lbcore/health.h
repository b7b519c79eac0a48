// Health of one backend, as probes see it. What an operator ordered is AdminState, a field of its
// own: a drain never fights a probe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lbcore/time.h"

namespace lb {

enum class HealthState : std::uint8_t { unknown, healthy, unhealthy };
enum class ProbeResult : std::uint8_t { pass, fail };

struct HealthThresholds {
  std::uint32_t healthy = 2;    // Passes in a row that make an unhealthy backend healthy.
  std::uint32_t unhealthy = 3;  // Failures in a row that make a healthy backend unhealthy.
  bool operator==(const HealthThresholds&) const = default;
};

// A backend that keeps falling is believed less each time: every fall within `window` of the one
// before doubles the passes it needs to come back, up to `max_factor` times the threshold.
struct FlapDampingConfig {
  Duration window = std::chrono::minutes{5};
  std::uint32_t max_factor = 8;
  bool operator==(const FlapDampingConfig&) const = default;
};

// What one probe result does in one state. `streak` says how many results of this kind in a row
// it takes before `next` is entered; a result of the other kind starts the count again.
struct HealthRule {
  HealthState state;
  ProbeResult result;
  enum class Streak : std::uint8_t { one, healthy_threshold, unhealthy_threshold, never } streak;
  HealthState next;
};

// The whole machine. From `unknown` a single result decides, either way: waiting for a threshold
// would keep a new daemon from serving for threshold x interval.
inline constexpr std::array<HealthRule, 6> kHealthTable{{
    {HealthState::unknown, ProbeResult::pass, HealthRule::Streak::one, HealthState::healthy},
    {HealthState::unknown, ProbeResult::fail, HealthRule::Streak::one, HealthState::unhealthy},
    {HealthState::healthy, ProbeResult::pass, HealthRule::Streak::never, HealthState::healthy},
    {HealthState::healthy, ProbeResult::fail, HealthRule::Streak::unhealthy_threshold,
     HealthState::unhealthy},
    {HealthState::unhealthy, ProbeResult::pass, HealthRule::Streak::healthy_threshold,
     HealthState::healthy},
    {HealthState::unhealthy, ProbeResult::fail, HealthRule::Streak::never, HealthState::unhealthy},
}};

// One backend's place in the table. Plain data; 8 bytes.
class Health {
 public:
  [[nodiscard]] HealthState state() const { return state_; }

  // Results in a row that speak for leaving the present state.
  [[nodiscard]] std::uint32_t streak() const { return streak_; }

  // For a backend that may serve before its first probe: one that is new where initial_state is
  // healthy, and one that served without being probed and now gets a health check, because taking
  // it out until the first probe would turn the change into an outage.
  void assume_healthy() { state_ = HealthState::healthy, streak_ = 0; }

  // Takes one result in; true when the state changed.
  bool record(ProbeResult result, const HealthThresholds& thresholds);

 private:
  HealthState state_ = HealthState::unknown;
  std::uint32_t streak_ = 0;
};

// How often one backend fell lately. A fall is a change from healthy to unhealthy; one that comes
// later than the window after the last forgives all before it.
class FlapHistory {
 public:
  void record_fall(Instant now, const FlapDampingConfig& damping);

  // How many times `healthy_threshold` passes it takes to come back from the last fall: 1, then
  // twice as much with every fall within the window.
  [[nodiscard]] std::uint32_t factor() const { return factor_; }

 private:
  std::optional<Instant> last_fall_;
  std::uint32_t factor_ = 1;
};

// The thresholds that hold for a backend with this history. Without damping they are as configured;
// a cap that was lowered since its last fall holds at once.
[[nodiscard]] HealthThresholds damped(HealthThresholds thresholds, const FlapHistory& history,
                                      const std::optional<FlapDampingConfig>& damping);

[[nodiscard]] std::string_view to_string(HealthState state);

}  // namespace lb
