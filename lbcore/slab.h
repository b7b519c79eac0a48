// Slab: entries at stable slots, recycled without allocating once it has grown to its peak.
//
// Slots are dense small integers, so a world can keep what belongs to an entry (a socket, a
// coroutine) in an array of its own, indexed by the same slot.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "lbcore/assert.h"
#include "lbcore/ids.h"

namespace lb {

template <class T, class SlotIdType>
class Slab {
 public:
  // A new entry as T{} says, to be filled in where it is. A T that is handed in is written twice,
  // and read again before the first writing has reached the cache: that costs more than to make it.
  SlotIdType make() {
    static_assert(std::is_trivially_destructible_v<T>);
    const std::uint32_t slot = take_slot();
    std::construct_at(&entries_[slot].value);
    return id_of(slot);
  }

  SlotIdType insert(T value) {
    const std::uint32_t slot = take_slot();
    entries_[slot].value = std::move(value);
    return id_of(slot);
  }

  void erase(SlotIdType id) {
    LB_ASSERT(contains(id));
    ++entries_[id.slot].tag;  // Not live any more, and the next generation.
    free_.push_back(id.slot);
  }

  [[nodiscard]] bool contains(SlotIdType id) const {
    return id.slot < slot_count_ && entries_[id.slot].tag == (id.generation << 1U | kLive);
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

  [[nodiscard]] std::size_t size() const { return slot_count_ - free_.size(); }

  // Calls visit(id, value) for every live entry, in slot order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
      if ((entries_[slot].tag & kLive) != 0) visit(id_of(slot), entries_[slot].value);
    }
  }

 private:
  static constexpr std::uint32_t kLive = 1;

  struct Entry {
    T value{};
    std::uint32_t tag = 0;  // The generation, and in the lowest bit whether it is live.
  };

  std::uint32_t take_slot() {
    if (free_.empty()) {
      entries_.emplace_back();
      free_.push_back(slot_count_++);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    entries_[slot].tag |= kLive;
    return slot;
  }

  [[nodiscard]] SlotIdType id_of(std::uint32_t slot) const {
    return SlotIdType{slot, entries_[slot].tag >> 1U};
  }

  std::vector<Entry> entries_;
  std::uint32_t slot_count_ = 0;  // As entries_ knows only after a division.
  std::vector<std::uint32_t> free_;
};

}  // namespace lb
