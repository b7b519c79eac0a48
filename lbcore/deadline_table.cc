#include "lbcore/deadline_table.h"

#include <algorithm>

namespace lb {
namespace {

// How far from the end a list is searched before a deadline goes to the heap. Small, because a list
// that is not nearly in order has no business being a list.
constexpr int kStepsMax = 8;

std::size_t number(DeadlineKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

DeadlineId DeadlineTable::set(DeadlineKind kind, Instant at, std::uint64_t subject) {
  const Index index = take_slot();
  Slot& slot = slots_[index];
  slot.at = at;
  slot.sequence = ++sequence_;
  slot.subject = subject;
  slot.kind = kind;
  slot.live = true;
  ++size_;
  if (!link_near_end(index)) {
    heap_.push_back(index);
    put_in_heap(heap_.size() - 1, index);
    rise(heap_.size() - 1);
    note_top_of_heap();
  }
  return {index, slot.generation};
}

void DeadlineTable::cancel(DeadlineId& id) {
  if (contains(id)) remove(id.slot);
  id = {};
}

std::optional<Instant> DeadlineTable::earliest() const {
  if (size_ == 0) return std::nullopt;
  return *std::min_element(firsts_.begin(), firsts_.end());
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

DeadlineTable::Index DeadlineTable::take_slot() {
  if (free_ == kNone) {
    slots_.emplace_back();
    return static_cast<Index>(slots_.size() - 1);
  }
  const Index index = free_;
  free_ = slots_[index].later;
  return index;
}

DeadlineTable::Index DeadlineTable::find_first() const {
  Index first = heap_.empty() ? kNone : heap_.front();
  for (const List& list : lists_) {
    if (list.first != kNone && (first == kNone || before(list.first, first))) first = list.first;
  }
  return first;
}

bool DeadlineTable::before(Index a, Index b) const {
  const Slot& x = slots_[a];
  const Slot& y = slots_[b];
  return x.at != y.at ? x.at < y.at : x.sequence < y.sequence;
}

bool DeadlineTable::link_near_end(Index index) {
  Slot& slot = slots_[index];
  List& list = lists_[number(slot.kind)];
  Index after = list.last;
  for (int steps = 0; after != kNone && slots_[after].at > slot.at; ++steps) {
    if (steps == kStepsMax) return false;
    after = slots_[after].earlier;
  }
  slot.earlier = after;
  slot.later = after == kNone ? list.first : slots_[after].later;
  (after == kNone ? list.first : slots_[after].later) = index;
  (slot.later == kNone ? list.last : slots_[slot.later].earlier) = index;
  if (after == kNone) firsts_[number(slot.kind)] = slot.at;
  return true;
}

void DeadlineTable::unlink(const Slot& slot) {
  List& list = lists_[number(slot.kind)];
  (slot.earlier == kNone ? list.first : slots_[slot.earlier].later) = slot.later;
  (slot.later == kNone ? list.last : slots_[slot.later].earlier) = slot.earlier;
  if (slot.earlier == kNone) {
    firsts_[number(slot.kind)] = slot.later == kNone ? kNever : slots_[slot.later].at;
  }
}

void DeadlineTable::remove(Index index) {
  Slot& slot = slots_[index];
  slot.heap_place == kNotInHeap ? unlink(slot) : remove_from_heap(slot.heap_place);
  slot.heap_place = kNotInHeap;
  slot.live = false;
  ++slot.generation;
  slot.later = free_;
  free_ = index;
  --size_;
}

// ---------------------------------------------------------------------------------------------
// The heap

void DeadlineTable::note_top_of_heap() {
  firsts_.back() = heap_.empty() ? kNever : slots_[heap_.front()].at;
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
  note_top_of_heap();
}

}  // namespace lb
