// ClusterModel: what must be true of a cluster, worked out anew from plain facts each time it is
// asked, the slow and obvious way. Laws compare a Balancer with it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "lbcore/balancer.h"

namespace lb::testing {

// A breaker as its header tells of it. Attempts carry the epoch they began in.
struct NaiveBreaker {
  BreakerState state = BreakerState::closed;
  unsigned epoch = 0;
  unsigned in_a_row = 0;
  unsigned trials = 0;
  std::optional<Instant> half_opens;

  void enter(BreakerState next) {
    state = next;
    ++epoch;
    in_a_row = trials = 0;
  }
  unsigned begin() {
    if (state == BreakerState::half_open) ++trials;
    return epoch;
  }
  // A good answer begins: no trial takes longer than to here.
  void answer(unsigned began, const CircuitBreakerConfig& config) {
    if (state == BreakerState::half_open) end(began, CircuitBreaker::Result::success, config);
  }
  // True when this opened it.
  bool end(unsigned began, CircuitBreaker::Result result, const CircuitBreakerConfig& config);
  // The same of an attempt whose answer had begun.
  bool end_answer(unsigned began, CircuitBreaker::Result result,
                  const CircuitBreakerConfig& config);
};

// Who waits, in the order they would be called.
class NaiveQueue {
 public:
  struct Entry {
    RequestId request;
    Instant since;
  };
  void push_back(unsigned priority, const Entry& entry) { classes_[priority].push_back(entry); }
  // It was called in vain and is the next again: at the end that it was taken from.
  void put_back(unsigned priority, const Entry& entry);
  void remove(RequestId request);
  [[nodiscard]] std::optional<RequestId> next(Instant now, const LimitsConfig& limits) const;
  [[nodiscard]] std::size_t size() const;

 private:
  std::map<unsigned, std::deque<Entry>> classes_;
};

class ClusterModel {
 public:
  struct Member {
    BackendConfig config;
    bool configured = true;
    HealthState health = HealthState::unknown;
    bool ejected = false;
    std::uint32_t in_flight = 0;  // Our own.
    std::uint32_t spares_opening = 0;
    std::optional<Instant> drained;  // When the grace of a removed one is over.
    NaiveBreaker breaker;
    std::optional<Instant> broken_since;  // A connection broke, and no good answer has come since.
    // Slow start
    bool founder = false;
    bool was_well = false;
    std::optional<Instant> ramp_since;
    std::uint32_t ramp_percent = 100;  // As last seen.
    // Counts
    std::uint64_t picked = 0;
    std::uint64_t failures = 0;
    OutcomeCounts outcomes;
    struct Result {
      bool failed;
      bool gateway;
    };
    std::vector<Result> results;  // Since tallies were taken.
  };
  // Of one priority.
  struct Level {
    std::uint32_t members = 0;
    std::uint32_t well = 0;
    std::uint32_t usable = 0;   // Well, or of use in a panic: of unknown ones nothing is known.
    std::uint32_t percent = 0;  // Of all requests.
    bool panicking = false;
  };
  enum class Room { now, later, never };

  ClusterConfig config;  // Without backends.
  std::map<BackendId, Member> members;
  std::map<std::uint32_t, std::map<BackendId, std::uint32_t>> siblings;  // What each reported.

  // What the configuration, the operator, probes and outlier detection have against it. When
  // nobody would be left, ejections count for nothing.
  [[nodiscard]] Exclusion standing(const Member& member) const;
  [[nodiscard]] Exclusion standing_alone(const Member& member) const;
  [[nodiscard]] std::map<std::uint32_t, Level> levels() const;
  [[nodiscard]] std::set<BackendId> eligible() const;
  [[nodiscard]] bool below_limit(BackendId id) const;
  [[nodiscard]] bool breaker_admits(BackendId id) const;
  [[nodiscard]] bool is_open(BackendId id) const;  // Both.
  [[nodiscard]] std::set<BackendId> open() const;  // Of the eligible.
  [[nodiscard]] std::uint64_t in_flight(BackendId id) const;
  [[nodiscard]] bool full() const;
  [[nodiscard]] Room room() const;
  [[nodiscard]] Exclusion exclusion(BackendId id) const;
  [[nodiscard]] bool takes_session(BackendId id) const;

  // Health, an order or a configuration has changed.
  void changed(Instant now);
  // The configuration has, perhaps to one without breakers or tallies.
  void reloaded(Instant now);
  // Removed and nothing left to finish: it is forgotten.
  void forget_finished();
};

}  // namespace lb::testing
