// Slab: entries at stable slots, recycled without allocating once it has grown to its peak.
//
// Slots are dense small integers, so a world can keep what belongs to an entry (a socket, a
// coroutine) in an array of its own, indexed by the same slot.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/assert.h"
#include "lbcore/ids.h"

namespace lb {

template <class T, class SlotIdType>
class Slab {
 public:
  SlotIdType insert(T value) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back(Entry{std::move(value), 0, true});
    } else {
      slot = free_.back();
      free_.pop_back();
      entries_[slot].value = std::move(value);
      entries_[slot].live = true;
    }
    return SlotIdType{slot, entries_[slot].generation};
  }

  void erase(SlotIdType id) {
    LB_ASSERT(contains(id));
    Entry& entry = entries_[id.slot];
    entry.live = false;
    ++entry.generation;
    free_.push_back(id.slot);
  }

  [[nodiscard]] bool contains(SlotIdType id) const {
    return id.slot < entries_.size() && entries_[id.slot].live &&
           entries_[id.slot].generation == id.generation;
  }

  // REQUIRES: contains(id).
  [[nodiscard]] T& at(SlotIdType id) {
    LB_ASSERT(contains(id));
    return entries_[id.slot].value;
  }
  [[nodiscard]] const T& at(SlotIdType id) const {
    LB_ASSERT(contains(id));
    return entries_[id.slot].value;
  }

  [[nodiscard]] T* find(SlotIdType id) { return contains(id) ? &entries_[id.slot].value : nullptr; }

  [[nodiscard]] std::size_t size() const { return entries_.size() - free_.size(); }

  // Calls visit(id, value) for every live entry, in slot order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
      Entry& entry = entries_[slot];
      if (entry.live) visit(SlotIdType{slot, entry.generation}, entry.value);
    }
  }

 private:
  struct Entry {
    T value;
    std::uint32_t generation = 0;
    bool live = false;
  };
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace lb
