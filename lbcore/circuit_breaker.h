// CircuitBreaker: a pause for a backend that keeps failing (Nygard, "Release It!", 2007).
//
//   closed ──failures in a row──▶ open ──open_time──▶ half open ──successes in a row──▶ closed
//                                  ▲                      │
//                                  └──────a failure───────┘
//
// Half open lets only a few trials through at the same time. A request that was under way when the
// state changed has nothing to say about the new one: every attempt carries the epoch it began in.
#pragma once

#include <cstdint>
#include <string_view>

#include "lbcore/cluster_config.h"

namespace lb {

enum class BreakerState : std::uint8_t { closed, open, half_open };

[[nodiscard]] std::string_view to_string(BreakerState state);

class CircuitBreaker {
 public:
  using Epoch = std::uint32_t;

  [[nodiscard]] BreakerState state() const { return state_; }
  [[nodiscard]] std::uint32_t trials() const { return trials_; }

  // May one more attempt start?
  [[nodiscard]] bool admits(const CircuitBreakerConfig& config) const {
    return state_ == BreakerState::closed ||
           (state_ == BreakerState::half_open && trials_ < config.trials);
  }

  // An attempt starts; hand the epoch back when it ends. REQUIRES: admits().
  Epoch started() {
    if (state_ == BreakerState::half_open) ++trials_;
    return epoch_;
  }

  // Its answer has begun, and is good so far. That is all a trial is to show: it ends here, because
  // answers may go on for hours. Closed, an answer is a success when it is whole.
  void answered(Epoch epoch, const CircuitBreakerConfig& config);

  enum class Result : std::uint8_t { success, failure, neither };
  // An attempt has ended, `after_answer` or before there was any; `neither` is one that its client
  // gave up. True when this opened the breaker: the owner calls half_open() after config.open_time.
  bool ended(Epoch epoch, Result result, bool after_answer, const CircuitBreakerConfig& config);

  void half_open() { enter(BreakerState::half_open); }

  // The configuration has none any more. A new epoch: what began before says nothing after.
  void reset() { enter(BreakerState::closed); }

 private:
  void enter(BreakerState state);

  BreakerState state_ = BreakerState::closed;
  Epoch epoch_ = 0;
  std::uint32_t in_a_row_ = 0;  // Failures while closed, successes while half open.
  std::uint32_t trials_ = 0;    // Under way, while half open.
};

}  // namespace lb
