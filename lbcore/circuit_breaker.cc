#include "lbcore/circuit_breaker.h"

namespace lb {

void CircuitBreaker::answered(Epoch epoch, const CircuitBreakerConfig& config) {
  if (epoch != epoch_ || state_ != BreakerState::half_open) return;
  --trials_;
  if (++in_a_row_ >= config.successes) enter(BreakerState::closed);
}

bool CircuitBreaker::ended(Epoch epoch, Result result, bool after_answer,
                           const CircuitBreakerConfig& config) {
  if (epoch != epoch_ || state_ == BreakerState::open) return false;
  if (state_ == BreakerState::half_open) {
    if (result == Result::neither && !after_answer) --trials_;
    if (result == Result::success && !after_answer) answered(epoch, config);
    if (result == Result::failure) enter(BreakerState::open);
  } else {
    if (result == Result::success) in_a_row_ = 0;
    if (result == Result::failure && ++in_a_row_ >= config.consecutive_failures) {
      enter(BreakerState::open);
    }
  }
  return state_ == BreakerState::open;
}

void CircuitBreaker::enter(BreakerState state) {
  state_ = state;
  ++epoch_;
  in_a_row_ = trials_ = 0;
}

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half_open";
  }
  return "?";
}

}  // namespace lb
