// DeadlineTable: every "when at the latest" of its owner, and one answer to "when next?".
//
// A deadline is almost always set as now + the same timeout for its kind, so each kind is a list
// in order of time where a new one goes to the end: O(1) to set, cancel and expire. One that does
// not fit near the end (a random backoff, a timeout that a reload shortened) goes to a heap
// instead, at O(log n). Once grown, nothing allocates.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "lbcore/ids.h"
#include "lbcore/time.h"

namespace lb {

enum class DeadlineKind : std::uint8_t {
  connect,   // the backend has not accepted the connection
  response,  // the backend has not begun to answer
  idle,      // nothing moved inside a request for too long
  pooled,    // a pooled connection was not used for too long
  backoff,   // a retry may start now
  drain,     // the grace of a removed backend, or of a stopping daemon, is over
  probe,     // a probe is due, or has not been answered
  head,      // a client has not finished the head of its request
  queue,     // a request has waited too long for a place
  request,   // a request has taken too long in all
  breaker,   // an open circuit breaker becomes half open
  ramp,      // the next step of a slow start
  outlier,   // an ejection is over, or an interval in which rates are compared
};
inline constexpr std::size_t kDeadlineKindCount = 13;

class DeadlineTable {
 public:
  struct Expired {
    DeadlineKind kind;
    Instant at;
    std::uint64_t subject;
  };

  DeadlineTable();

  // `subject` is the caller's: it comes back when the deadline expires.
  DeadlineId set(DeadlineKind kind, Instant at, std::uint64_t subject);

  // The same in place of the deadline `id`, when that is still to come. Cheaper than to cancel it
  // and set another.
  void replace(DeadlineId& id, DeadlineKind kind, Instant at, std::uint64_t subject);

  // Of an id of this table, or an empty one.
  [[nodiscard]] bool contains(DeadlineId id) const {
    return id && slots_[id.slot].generation == id.generation;
  }

  // Forgets a deadline and clears the id. An empty id is ignored; an expired one too.
  void cancel(DeadlineId& id) {
    if (contains(id)) remove(id.slot);
    id = {};
  }

  [[nodiscard]] std::optional<Instant> earliest() const {
    return size_ == 0 ? std::nullopt : std::optional{earliest_or_never()};
  }
  // The same with Instant::max() for none, for those who ask after every decision.
  [[nodiscard]] Instant earliest_or_never() const {
    if (stale_) find_earliest();
    return earliest_;
  }

  // The next deadline at or before `now`, by instant and then in the order they were set.
  // Call until it returns nothing.
  [[nodiscard]] std::optional<Expired> pop_expired(Instant now);

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // A place in slots_. The first ones are the ends of the lists, one a kind: earlier than one's
  // first and later than its last, so that no deadline is without neighbours.
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffffU;
  static constexpr std::uint32_t kNotInHeap = 0xffffffffU;

  struct Slot {
    Instant at = Instant::min();
    std::uint64_t sequence = 0;
    std::uint64_t subject = 0;
    std::uint32_t generation = 0;  // Of the deadline that is here, or comes next.
    std::uint32_t heap_place = kNotInHeap;
    Index earlier = kNone;
    Index later = kNone;  // Of its list; of a free slot, the next free one.
    DeadlineKind kind{};
  };

  static Index end_of(DeadlineKind kind) { return static_cast<Index>(kind); }
  [[nodiscard]] Index take_slot() {
    if (free_ == kNone) return add_slot();
    return std::exchange(free_, slots_[free_].later);
  }
  [[nodiscard]] Index add_slot();
  [[nodiscard]] Index find_first() const;
  void find_earliest() const;
  void put(Index index, DeadlineKind kind, Instant at, std::uint64_t subject);
  void take_out(Slot& slot);
  void remove(Index index);
  [[nodiscard]] bool before(Index a, Index b) const;
  void add_to_heap(Index index);
  void put_in_heap(std::size_t place, Index index);
  void rise(std::size_t place);
  void sink(std::size_t place);
  void remove_from_heap(std::size_t place);

  std::vector<Slot> slots_;
  Index free_ = kNone;
  std::size_t size_ = 0;
  // Asked for after every decision, while most deadlines are taken back long before they come: it
  // is known until the earliest itself goes, and looked for again when somebody asks.
  mutable Instant earliest_ = Instant::max();
  mutable bool stale_ = false;
  std::vector<Index> heap_;  // Earliest first, by instant and then by sequence.
  std::uint64_t sequence_ = 0;
};

}  // namespace lb
