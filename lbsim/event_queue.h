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
#include <cstring>
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
  daemon_hears,      // a: attempt slot, b: its generation, c: status, 0 for a broken connection
  client_hears,      // a: request slot, b: its generation, c: status, 0 for a broken connection
  client_left,       // a: request slot, b: its generation
  idle_broken,       // a: brain, b: connection slot, c: its generation
  brain_wakes,       // a: brain
  control_wakes,     // a: daemon
  probe_result,      // a: probe slot, c: 1 for a pass
  load_exchange,     // a: daemon, b: worker
  spare_connected,   // a: brain, b: connection slot, c: its generation
  load_asked,        // a: report slot
  load_told,         // a: report slot
  look,              //
  timeline,          // a: event of the scenario
};

// 32 bytes: two to a line of the processor's cache.
struct Event {
  Instant at{};
  EventKind kind : 8 {};
  std::uint64_t order : 56 {};  // Of insertion: the queue's.
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint64_t c = 0;
};

// A delay that is always the same.
enum class Lane : std::uint8_t { one_way, connect };
inline constexpr std::size_t kLaneCount = 2;

class EventQueue {
 public:
  void push(Event event) {
    event.order = next_order_++ & kOrders;
    if (top_is_free_) {
      top_is_free_ = false;
      return sink(event);
    }
    heap_.push_back(event);
    rise(event);
  }

  // REQUIRES: not before the last one of this lane.
  void push(Lane lane, Event event) {
    RingQueue<Event>& queue = lanes_[static_cast<std::size_t>(lane)];
    LB_ASSERT(queue.empty() || queue.back().at <= event.at);
    event.order = next_order_++ & kOrders;
    queue.push(event);
  }

  // REQUIRES: !empty().
  Event pop() {
    if (top_is_free_) fill_top();
    RingQueue<Event>* first = nullptr;
    const Event* best = heap_.empty() ? nullptr : heap_.data();
    for (RingQueue<Event>& lane : lanes_) {
      if (lane.empty() || (best != nullptr && before(*best, lane.front()))) continue;
      best = &lane.front();
      first = &lane;
    }
    const Event event = *best;
    first == nullptr ? static_cast<void>(top_is_free_ = true) : first->drop();
    return event;
  }

  [[nodiscard]] bool empty() const {
    if (heap_.size() > (top_is_free_ ? 1 : 0)) return false;
    for (const RingQueue<Event>& lane : lanes_) {
      if (!lane.empty()) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t kOrders = (std::uint64_t{1} << 56U) - 1;

  // One comparison of 128 bits, without a branch to guess. No instant is before zero. The kind is
  // read with the order, in the lowest bits, where it decides nothing: no two have the same order.
  static bool before(const Event& a, const Event& b) { return key(a) < key(b); }
  __extension__ using Key = unsigned __int128;
  static Key key(const Event& event) {
    std::uint64_t order_and_kind = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&event);
    std::memcpy(&order_and_kind, bytes + sizeof event.at, sizeof order_and_kind);
    return Key{static_cast<std::uint64_t>(event.at.time_since_epoch().count())} << 64U |
           order_and_kind;
  }

  void fill_top() {
    top_is_free_ = false;
    const Event last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
  }

  void rise(const Event& event) {
    std::size_t place = heap_.size() - 1;
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (!before(event, heap_[parent])) break;
      heap_[place] = heap_[parent];
      place = parent;
    }
    heap_[place] = event;
  }

  // From the top.
  void sink(const Event& event) {
    std::size_t place = 0;
    for (;;) {
      const std::size_t least = least_child(place);
      if (least >= heap_.size() || !before(heap_[least], event)) break;
      heap_[place] = heap_[least];
      place = least;
    }
    heap_[place] = event;
  }

  // heap_.size() or above when there is none.
  [[nodiscard]] std::size_t least_child(std::size_t place) const {
    const std::size_t first = 4 * place + 1;
    const auto lesser = [this](std::size_t x, std::size_t y) {
      return before(heap_[y], heap_[x]) ? y : x;
    };
    if (first + 4 <= heap_.size()) {
      return lesser(lesser(first, first + 1), lesser(first + 2, first + 3));
    }
    std::size_t least = first;
    for (std::size_t child = first + 1; child < heap_.size(); ++child) least = lesser(least, child);
    return least;
  }

  std::vector<Event> heap_;
  bool top_is_free_ = false;  // What stands there has been popped.
  std::array<RingQueue<Event>, kLaneCount> lanes_;
  std::uint64_t next_order_ = 0;
};

}  // namespace lb::sim
