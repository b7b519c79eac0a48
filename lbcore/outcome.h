// How an attempt can fail, and how a request can end. Every request ends in exactly one Outcome,
// in both worlds, and the counts of all outcomes add up to the requests that came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lb {

// Why one attempt on one backend did not bring an answer.
enum class AttemptFailure : std::uint8_t {
  connect_failure,   // refused, unreachable
  connect_timeout,   // the backend did not accept in time
  reset,             // the connection broke
  response_timeout,  // no answer in time
  idle_timeout,      // nothing moved for too long
  invalid_answer,    // not HTTP, or not HTTP we may pass on
  drain_timeout,     // the backend was removed and its grace ended
  request_timeout,   // the request has taken too long in all: no other attempt would help
  silence,           // it waited for a backend that answers no probe any more
  shortage,          // we had no descriptor, port or memory to connect with; no fault of its own
};

enum class Outcome : std::uint8_t {
  success,          // a complete answer below 500; for TCP, a session that both sides ended
  backend_error,    // a complete answer of 500 or above, passed on as it was
  no_backend,       // nobody was eligible
  over_limit,       // nobody had a place, nor had the queue
  queue_timeout,    // nobody had a place in time
  connect_failure,  // no attempt reached a backend
  reset,            // the last attempt's connection broke before an answer
  timeout,          // the last attempt had no answer in time
  invalid_answer,   // the last attempt's answer was not passed on
  cut,              // the answer had begun when it broke off
  client_gone,      // the client left first
};
inline constexpr std::size_t kOutcomeCount = 11;

[[nodiscard]] std::string_view to_string(AttemptFailure failure);
[[nodiscard]] std::string_view to_string(Outcome outcome);

// The outcome of a request whose last attempt failed so.
[[nodiscard]] Outcome outcome_of(AttemptFailure failure);

// The status of the answer lbd makes itself for a request that ended so, or 0 where there is
// nobody or nothing to answer. 503: try later, nobody could take it. 502: a backend broke. 504:
// a backend was too slow.
[[nodiscard]] int status_for(Outcome outcome);

struct OutcomeCounts {
  std::array<std::uint64_t, kOutcomeCount> counts{};
  std::uint64_t& operator[](Outcome outcome) { return counts[static_cast<std::size_t>(outcome)]; }
  std::uint64_t operator[](Outcome outcome) const {
    return counts[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t total() const;
};

}  // namespace lb
