#include "lbcore/retry.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb {

bool may_repeat(const AttemptFacts& facts) {
  if (facts.answer_begun || !facts.body_replayable) return false;
  return !facts.request_sent || facts.idempotent;
}

bool worth_repeating(const RetryConditions& on, AttemptFailure failure) {
  switch (failure) {
    case AttemptFailure::connect_failure:
    case AttemptFailure::connect_timeout:
    case AttemptFailure::shortage: return on.connect_failure;
    case AttemptFailure::reset:
    case AttemptFailure::silence: return on.reset;
    case AttemptFailure::response_timeout:
    case AttemptFailure::idle_timeout: return on.timeout;
    // A backend that answers nonsense will answer nonsense again; a drain that ran out has had its
    // grace, and a request whose time is up its time.
    case AttemptFailure::invalid_answer:
    case AttemptFailure::drain_timeout:
    case AttemptFailure::request_timeout: return false;
  }
  return false;
}

bool worth_repeating(const RetryConditions& on, int status) {
  return std::binary_search(on.statuses.begin(), on.statuses.end(), status);
}

bool within_budget(const RetryConfig& config, std::size_t retrying, std::size_t active) {
  return retrying <
         std::max<std::size_t>(config.budget_floor, active * config.budget_percent / 100);
}

Duration backoff(const BackoffConfig& config, std::uint32_t next_attempt, Prng& prng) {
  LB_ASSERT(next_attempt >= 2);
  if (config.base <= Duration::zero()) return Duration::zero();
  Duration ceiling = std::min(config.base, config.max);
  for (std::uint32_t n = 2; n < next_attempt && ceiling < config.max; ++n) {
    ceiling = ceiling > config.max / 2 ? config.max : ceiling * 2;
  }
  return Duration{
      static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>(ceiling.count()) + 1))};
}

}  // namespace lb
