// What a Balancer keeps of each backend and each request. Private to its sources.
#pragma once

#include <algorithm>
#include <array>

#include "lbcore/balancer.h"
#include "lbcore/input.h"

namespace lb {

inline constexpr BackendSlot kNoSlot = 0xffffffffU;

struct Balancer::Backend {
  static constexpr std::uint32_t kNoTally = 0xffffffffU;
  static constexpr Instant kNever = Instant::max();

  // What every request touches comes first, in two lines of the processor's cache.
  BackendId id;
  std::uint32_t own_in_flight = 0;
  std::uint32_t sibling_in_flight = 0;
  std::uint32_t tally = kNoTally;  // Where in tallies_.
  EligibleSet::Place place;
  CircuitBreaker breaker;
  std::uint64_t picked = 0;
  std::uint64_t failures = 0;
  Instant broken_since = kNever;  // Its connections break, and no good answer has come since.
  ErrorTrend errors;
  OutcomeCounts outcomes;

  std::uint32_t weight = 1;
  std::uint32_t priority = 0;
  AdminState state = AdminState::enabled;
  HealthState health = HealthState::unknown;
  bool ejected = false;
  bool live = false;       // The slot is in use.
  bool removed = false;    // Left the configuration, finishing what it has.
  bool was_well = false;   // At the last rebuild.
  bool was_ready = false;  // The same: well, and eligible, too.
  bool founder = false;    // There from the start: it does not join, and so does not start slowly.
  DeadlineId breaker_deadline;
  DeadlineId drain;
  std::optional<Instant> ramp_since;
  std::uint32_t ramp_percent = 100;

  [[nodiscard]] std::uint32_t in_flight() const { return own_in_flight + sibling_in_flight; }
};

struct Balancer::Request {
  enum class Phase : std::uint8_t {
    arriving,  // Inside handle_request.
    queued,
    called,  // Told to come for an attempt: out of the queue, or past its wait.
    connecting,
    sending,
    waiting,
    answering,
    backing_off,
  };
  Phase phase = Phase::arriving;
  bool pooled = true;
  bool repeatable = false;
  bool reused = false;         // The connection of this attempt has served others before.
  bool needs_fresh = false;    // One of those broke: no later attempt takes another.
  bool retrying = false;       // Counted in retrying_.
  bool result_known = false;   // Of the attempt under way, to the breaker of its backend.
  bool answered_well = false;  // Its answer is a good one so far; not recorded yet.
  bool out_of_time = false;    // Its own deadline has passed, or that of its wait in the queue.
  bool session_moved = false;  // Counted in sessions_moved.
  std::uint8_t attempts = 0;
  std::uint8_t priority = 0;
  BackendSlot backend = kNoSlot;  // Of the attempt under way.
  CircuitBreaker::Epoch epoch = 0;
  ConnectionId connection;
  DeadlineId deadline;  // Of its phase.
  DeadlineId overall;
  QueueEntryId queue_entry;
  Instant queued_since;
  Instant attempt_started;
  HashKey key = 0;
  std::optional<BackendId> session;
  std::array<BackendId, RetryConfig::kAttemptsMax> tried{};

  [[nodiscard]] std::span<const BackendId> tried_backends() const {
    return {tried.data(), attempts};
  }
  [[nodiscard]] bool has_tried(BackendId id) const {
    const auto all = tried_backends();
    return std::find(all.begin(), all.end(), id) != all.end();
  }
  [[nodiscard]] bool has_attempt() const { return backend != kNoSlot; }
};

template <class In, class Out>
void Balancer::told(Instant now, const In& input, const Out& answer) const {
  if (journal_ != nullptr) [[unlikely]]
    journal_->handled(now, input, answer);
}

}  // namespace lb
