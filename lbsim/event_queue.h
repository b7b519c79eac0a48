// EventQueue: what happens next in virtual time. Ordered by instant, and by order of insertion
// where instants are equal, so that a run is a sequence and not an accident.
//
// What comes after the same delay every time (a way through the network) comes in the order it was
// sent: a lane is a queue for one such delay, O(1). Everything else is in a heap of four children a
// node, O(log n): half the levels of a binary one, and what is compared lies side by side. An event
// that is taken leaves the top free, and the next one pushed begins there: most events cause one
// more, and then the heap is walked once and not twice. No allocation once grown.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lbcore/assert.h"
#include "lbcore/ring_queue.h"
#include "lbcore/time.h"

namespace lb::sim {

enum class EventKind : std::uint8_t {
  arrival,           // a: load
  client_timeouts,   // a: load
  client_retries,    // a: retry slot, b: its generation
  daemon_receives,   // a: request slot, b: its generation
  connect_done,      // a: attempt slot, b: its generation
  backend_receives,  // a: attempt slot, b: its generation
  shared_due,        // a: backend, b: version of its shared service
  service_done,      // a: backend, b: its epoch, c: attempt
  daemon_hears,      // a: attempt slot, b: its generation, c: see Simulation::Words
  client_hears,      // a: request slot, b: its generation, c: status, 0 for a broken connection
  client_left,       // a: request slot, b: its generation
  idle_broken,       // a: brain, b: connection slot, c: its generation, life of the daemon
  brain_wakes,       // a: brain
  control_wakes,     // a: daemon
  probe_result,      // a: probe slot, c: 1 for a pass
  load_exchange,     // a: daemon, b: worker
  spare_connected,   // a: brain, b: connection slot, c: its generation, life of the daemon
  load_asked,        // a: report slot
  load_told,         // a: report slot
  scaler_looks,      // a: autoscaler
  scaler_starts,     // a: autoscaler, b: number of the start
  resolved,          // a: daemon, b: number of the cluster
  drain_ends,        // a: daemon, b: its life
  look,              //
  cut,               // a: its number
  observe,           // a: brain
  timeline,          // a: event of the scenario
};

struct Event {
  Instant at{};
  EventKind kind{};
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint64_t c = 0;
};

// A delay that is always the same.
enum class Lane : std::uint8_t { one_way, connect };
inline constexpr std::size_t kLaneCount = 2;

class EventQueue {
 public:
  // Both are inlined, so that an event goes from the registers where its parts are to the place
  // where it stays. One that was put together in memory first could not be copied from there at
  // once: the processor would wait until all its parts had arrived.
  [[gnu::always_inline]] void push(const Event& event) {
    push_on_heap(event.at, next_order(event.kind), event.c, event.a, event.b);
  }

  // REQUIRES: not before the last one of this lane.
  [[gnu::always_inline]] void push(Lane lane, const Event& event) {
    RingQueue<Entry>& queue = lanes_[static_cast<std::size_t>(lane)];
    LB_ASSERT(queue.empty() || queue.back().at <= event.at);
    queue.make().fill(event.at, next_order(event.kind), event.c, event.a, event.b);
  }

  // REQUIRES: !empty().
  Event pop() {
    if (top_is_free_) fill_top();
    RingQueue<Entry>* first = nullptr;
    const Entry* best = heap_.empty() ? nullptr : heap_.data();
    for (RingQueue<Entry>& lane : lanes_) {
      if (lane.empty() || (best != nullptr && best->key() < lane.front().key())) continue;
      best = &lane.front();
      first = &lane;
    }
    const Event event{best->at, best->kind(), best->a, best->b, best->c};
    first == nullptr ? static_cast<void>(top_is_free_ = true) : first->drop();
    return event;
  }

  [[nodiscard]] bool empty() const {
    if (heap_.size() > (top_is_free_ ? 1 : 0)) return false;
    for (const RingQueue<Entry>& lane : lanes_) {
      if (!lane.empty()) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned kKindBits = 8;
  __extension__ using Key = unsigned __int128;

  // 32 bytes: two to a line of the processor's cache.
  struct Entry {
    Instant at;
    std::uint64_t order = 0;  // Of insertion, and then the kind.
    std::uint64_t c = 0;
    std::uint32_t a = 0;
    std::uint32_t b = 0;

    void fill(Instant when, std::uint64_t order_and_kind, std::uint64_t third, std::uint32_t first,
              std::uint32_t second) {
      at = when;
      order = order_and_kind;
      c = third;
      a = first;
      b = second;
    }
    [[nodiscard]] EventKind kind() const {
      return static_cast<EventKind>(order & ((1U << kKindBits) - 1));
    }
    [[nodiscard]] Key key() const { return key_of(at, order); }
  };

  // One comparison of 128 bits, without a branch to guess. No instant is before zero.
  static Key key_of(Instant at, std::uint64_t order) {
    return Key{static_cast<std::uint64_t>(at.time_since_epoch().count())} << 64U | order;
  }

  std::uint64_t next_order(EventKind kind) {
    return next_order_++ << kKindBits | static_cast<std::uint64_t>(kind);
  }

  [[gnu::noinline]] void push_on_heap(Instant at, std::uint64_t order, std::uint64_t c,
                                      std::uint32_t a, std::uint32_t b) {
    if (!top_is_free_) heap_.emplace_back();
    const std::size_t place = top_is_free_ ? sink(key_of(at, order)) : rise(key_of(at, order));
    top_is_free_ = false;
    heap_[place].fill(at, order, c, a, b);
  }

  void fill_top() {
    top_is_free_ = false;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) heap_[sink(last.key())] = last;
  }

  // Both find the place of a new entry, from the end of the heap or from its top, and move others
  // out of its way.
  std::size_t rise(Key key) {
    std::size_t place = heap_.size() - 1;
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (key >= heap_[parent].key()) break;
      heap_[place] = heap_[parent];
      place = parent;
    }
    return place;
  }
  std::size_t sink(Key key) {
    std::size_t place = 0;
    for (;;) {
      const std::size_t least = least_child(place);
      if (least >= heap_.size() || heap_[least].key() >= key) break;
      heap_[place] = heap_[least];
      place = least;
    }
    return place;
  }

  // heap_.size() or above when there is none.
  [[nodiscard]] std::size_t least_child(std::size_t place) const {
    const std::size_t first = 4 * place + 1;
    const auto lesser = [this](std::size_t x, std::size_t y) {
      return heap_[y].key() < heap_[x].key() ? y : x;
    };
    if (first + 4 <= heap_.size()) {
      return lesser(lesser(first, first + 1), lesser(first + 2, first + 3));
    }
    std::size_t least = first;
    for (std::size_t child = first + 1; child < heap_.size(); ++child) least = lesser(least, child);
    return least;
  }

  std::vector<Entry> heap_;
  bool top_is_free_ = false;  // What stands there has been popped.
  std::array<RingQueue<Entry>, kLaneCount> lanes_;
  std::uint64_t next_order_ = 0;
};

}  // namespace lb::sim
