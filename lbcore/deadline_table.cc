#include "lbcore/deadline_table.h"

namespace lb {
namespace {

// How far from the end a list is searched before a deadline goes to the ordered set. Small,
// because a list that is not nearly in order has no business being a list.
constexpr int kStepsMax = 8;

}  // namespace

DeadlineId DeadlineTable::set(DeadlineKind kind, Instant at, std::uint64_t subject) {
  const DeadlineId id =
      slots_.insert({.kind = kind, .at = at, .sequence = ++sequence_, .subject = subject});
  if (!link_near_end(id)) {
    heap_.push_back(id);
    put_in_heap(heap_.size() - 1, id);
    rise(heap_.size() - 1);
  }
  return id;
}

void DeadlineTable::cancel(DeadlineId& id) {
  if (slots_.contains(id)) remove(id);
  id = {};
}

std::optional<Instant> DeadlineTable::earliest() const {
  const DeadlineId first = find_first();
  if (!first) return std::nullopt;
  return slots_.at(first).at;
}

std::optional<DeadlineTable::Expired> DeadlineTable::pop_expired(Instant now) {
  const DeadlineId first = find_first();
  if (!first || slots_.at(first).at > now) return std::nullopt;
  const Slot& slot = slots_.at(first);
  const Expired expired{slot.kind, slot.at, slot.subject};
  remove(first);
  return expired;
}

DeadlineId DeadlineTable::find_first() const {
  DeadlineId first = heap_.empty() ? DeadlineId{} : heap_.front();
  for (const List& list : lists_) {
    if (list.first && (!first || before(list.first, first))) first = list.first;
  }
  return first;
}

bool DeadlineTable::before(DeadlineId a, DeadlineId b) const {
  const Slot& x = slots_.at(a);
  const Slot& y = slots_.at(b);
  return x.at != y.at ? x.at < y.at : x.sequence < y.sequence;
}

bool DeadlineTable::link_near_end(DeadlineId id) {
  Slot& slot = slots_.at(id);
  List& list = lists_[static_cast<std::size_t>(slot.kind)];
  DeadlineId after = list.last;
  for (int steps = 0; after && slots_.at(after).at > slot.at; ++steps) {
    if (steps == kStepsMax) return false;
    after = slots_.at(after).earlier;
  }
  slot.earlier = after;
  slot.later = after ? slots_.at(after).later : list.first;
  (after ? slots_.at(after).later : list.first) = id;
  (slot.later ? slots_.at(slot.later).earlier : list.last) = id;
  return true;
}

void DeadlineTable::unlink(const Slot& slot) {
  List& list = lists_[static_cast<std::size_t>(slot.kind)];
  (slot.earlier ? slots_.at(slot.earlier).later : list.first) = slot.later;
  (slot.later ? slots_.at(slot.later).earlier : list.last) = slot.earlier;
}

void DeadlineTable::remove(DeadlineId id) {
  const Slot& slot = slots_.at(id);
  slot.heap_place == kNotInHeap ? unlink(slot) : remove_from_heap(slot.heap_place);
  slots_.erase(id);
}

// ---------------------------------------------------------------------------------------------
// The heap

void DeadlineTable::put_in_heap(std::size_t place, DeadlineId id) {
  heap_[place] = id;
  slots_.at(id).heap_place = static_cast<std::uint32_t>(place);
}

void DeadlineTable::rise(std::size_t place) {
  const DeadlineId id = heap_[place];
  while (place > 0 && before(id, heap_[(place - 1) / 2])) {
    put_in_heap(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put_in_heap(place, id);
}

void DeadlineTable::sink(std::size_t place) {
  const DeadlineId id = heap_[place];
  for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], id)) break;
    put_in_heap(place, heap_[child]);
    place = child;
  }
  put_in_heap(place, id);
}

void DeadlineTable::remove_from_heap(std::size_t place) {
  const DeadlineId last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  put_in_heap(place, last);
  rise(place);
  sink(slots_.at(last).heap_place);
}

}  // namespace lb
