// The retry decision: whether a request may be repeated at all, whether this failure is worth
// repeating, and after how long.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lbcore/cluster_config.h"
#include "lbcore/outcome.h"
#include "lbcore/prng.h"
#include "lbcore/time.h"

namespace lb {

// What the world knows of an attempt when it failed.
struct AttemptFacts {
  bool request_sent = false;     // Any byte of the request may have reached the backend.
  bool idempotent = false;       // Repeating the method has no further effect (RFC 9110, 9.2.2).
  bool body_replayable = false;  // All of the body so far is still at hand; true without a body.
  bool answer_begun = false;     // Any byte of an answer went to the client.
};

// A backend that got any byte of a request may have carried it out, so only an idempotent one may
// be sent again; and once the client saw a byte there is no way back.
[[nodiscard]] bool may_repeat(const AttemptFacts& facts);

[[nodiscard]] bool worth_repeating(const RetryConditions& on, AttemptFailure failure);
[[nodiscard]] bool worth_repeating(const RetryConditions& on, int status);

// May one more request begin to retry, when `retrying` of the `active` ones do already? A request
// counts from the first retry after it was sent, to its end, waits included. One that was never
// sent has cost nobody anything and needs no budget.
[[nodiscard]] bool within_budget(const RetryConfig& config, std::size_t retrying,
                                 std::size_t active);

// The wait before attempt number `next_attempt` (2 is the first retry): exponential with full
// jitter, uniform in [0, min(max, base * 2^(next_attempt - 2))]. One draw, none when base is 0.
// (Brooker, "Exponential backoff and jitter", 2015.)
[[nodiscard]] Duration backoff(const BackoffConfig& config, std::uint32_t next_attempt, Prng& prng);

}  // namespace lb
