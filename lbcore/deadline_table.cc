#include "lbcore/deadline_table.h"

namespace lb {
namespace {

// How far from the end a list is searched before a deadline goes to the heap. Small, because a list
// that is not nearly in order has no business being a list.
constexpr int kStepsMax = 8;

}  // namespace

DeadlineTable::DeadlineTable() : slots_(kDeadlineKindCount) {
  for (Index end = 0; end < kDeadlineKindCount; ++end) {
    slots_[end].earlier = slots_[end].later = end;
  }
}

DeadlineId DeadlineTable::set(DeadlineKind kind, Instant at, std::uint64_t subject) {
  const Index index = take_slot();
  ++size_;
  put(index, kind, at, subject);
  return {index, slots_[index].generation};
}

void DeadlineTable::replace(DeadlineId& id, DeadlineKind kind, Instant at, std::uint64_t subject) {
  if (!contains(id)) {
    id = set(kind, at, subject);
    return;
  }
  take_out(slots_[id.slot]);
  put(id.slot, kind, at, subject);
}

std::optional<DeadlineTable::Expired> DeadlineTable::pop_expired(Instant now) {
  const std::optional<Instant> next = earliest();
  if (!next || *next > now) return std::nullopt;
  const Index first = find_first();
  const Slot& slot = slots_[first];
  const Expired expired{slot.kind, slot.at, slot.subject};
  remove(first);
  return expired;
}

DeadlineTable::Index DeadlineTable::add_slot() {
  slots_.emplace_back();
  return static_cast<Index>(slots_.size() - 1);
}

DeadlineTable::Index DeadlineTable::find_first() const {
  Index first = heap_.empty() ? kNone : heap_.front();
  for (Index end = 0; end < kDeadlineKindCount; ++end) {
    const Index candidate = slots_[end].later;
    if (candidate == end || (first != kNone && !before(candidate, first))) continue;
    first = candidate;
  }
  return first;
}

void DeadlineTable::find_earliest() const {
  earliest_ = slots_[find_first()].at;
  stale_ = false;
}

bool DeadlineTable::before(Index a, Index b) const {
  const Slot& x = slots_[a];
  const Slot& y = slots_[b];
  return x.at != y.at ? x.at < y.at : x.sequence < y.sequence;
}

// Near the end of its list, or into the heap.
void DeadlineTable::put(Index index, DeadlineKind kind, Instant at, std::uint64_t subject) {
  Slot& slot = slots_[index];
  slot.at = at;
  slot.sequence = ++sequence_;
  slot.subject = subject;
  slot.kind = kind;
  if (at < earliest_) earliest_ = at;
  // The end itself is before all instants.
  Index after = slots_[end_of(kind)].earlier;
  for (int steps = 0; slots_[after].at > at; ++steps) {
    if (steps == kStepsMax) return add_to_heap(index);
    after = slots_[after].earlier;
  }
  slot.earlier = after;
  slot.later = slots_[after].later;
  slots_[after].later = index;
  slots_[slot.later].earlier = index;
}

void DeadlineTable::take_out(Slot& slot) {
  stale_ = stale_ || slot.at == earliest_;
  if (slot.heap_place != kNotInHeap) {
    remove_from_heap(slot.heap_place);
    slot.heap_place = kNotInHeap;
    return;
  }
  slots_[slot.earlier].later = slot.later;
  slots_[slot.later].earlier = slot.earlier;
}

void DeadlineTable::remove(Index index) {
  Slot& slot = slots_[index];
  take_out(slot);
  ++slot.generation;
  slot.later = free_;
  free_ = index;
  if (--size_ == 0) earliest_ = Instant::max(), stale_ = false;
}

// ---------------------------------------------------------------------------------------------
// The heap

void DeadlineTable::add_to_heap(Index index) {
  heap_.push_back(index);
  put_in_heap(heap_.size() - 1, index);
  rise(heap_.size() - 1);
}

void DeadlineTable::put_in_heap(std::size_t place, Index index) {
  heap_[place] = index;
  slots_[index].heap_place = static_cast<std::uint32_t>(place);
}

void DeadlineTable::rise(std::size_t place) {
  const Index index = heap_[place];
  while (place > 0 && before(index, heap_[(place - 1) / 2])) {
    put_in_heap(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put_in_heap(place, index);
}

void DeadlineTable::sink(std::size_t place) {
  const Index index = heap_[place];
  for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], index)) break;
    put_in_heap(place, heap_[child]);
    place = child;
  }
  put_in_heap(place, index);
}

void DeadlineTable::remove_from_heap(std::size_t place) {
  const Index last = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) {
    put_in_heap(place, last);
    rise(place);
    sink(slots_[last].heap_place);
  }
}

}  // namespace lb
