// EventQueue: what happens next in virtual time. Ordered by instant, and by order of insertion
// where instants are equal, so that a run is a sequence and not an accident.
//
// A 4-ary heap: half the levels of a binary one, and the four children of an entry share a cache
// line or two. O(log n) to push and pop, no allocation once grown.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/time.h"

namespace lb::sim {

enum class EventKind : std::uint8_t {
  arrival,           // a: load
  client_timeouts,   // a: load
  daemon_receives,   // a: request slot, b: its generation
  connect_done,      // a: attempt slot, b: its generation
  backend_receives,  // a: attempt slot, b: its generation
  service_done,      // a: backend, b: its epoch, c: attempt
  daemon_hears,      // a: attempt slot, b: its generation, c: status, 0 for a broken connection
  client_hears,      // a: request slot, b: its generation, c: status, 0 for a broken connection
  client_left,       // a: request slot, b: its generation
  idle_broken,       // a: brain, b: connection slot, c: its generation
  brain_wakes,       // a: brain
  control_wakes,     //
  probe_result,      // a: probe slot, c: 1 for a pass
  load_exchange,     // a: worker
  spare_connected,   // a: brain, b: connection slot, c: its generation
  load_asked,        // a: report slot
  load_told,         // a: report slot
  timeline,          // a: event of the scenario
};

struct Event {
  Instant at{};
  EventKind kind{};
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint64_t c = 0;
};

class EventQueue {
 public:
  void push(const Event& event) {
    heap_.push_back({event, next_sequence_++});
    std::size_t place = heap_.size() - 1;
    const Entry entry = heap_[place];
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (!entry.before(heap_[parent])) break;
      heap_[place] = heap_[parent];
      place = parent;
    }
    heap_[place] = entry;
  }

  // REQUIRES: !empty().
  Event pop() {
    const Event first = heap_.front().event;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
    return first;
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }

 private:
  struct Entry {
    Event event;
    std::uint64_t sequence = 0;
    [[nodiscard]] bool before(const Entry& other) const {
      return event.at != other.event.at ? event.at < other.event.at : sequence < other.sequence;
    }
  };

  void sink(const Entry& entry) {
    std::size_t place = 0;
    for (;;) {
      const std::size_t first = 4 * place + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < first + 4 && child < heap_.size(); ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[place] = heap_[least];
      place = least;
    }
    heap_[place] = entry;
  }

  std::vector<Entry> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace lb::sim
