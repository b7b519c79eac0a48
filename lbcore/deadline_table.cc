#include "lbcore/deadline_table.h"

namespace lb {
namespace {

// How far from the end a list is searched before a deadline goes to the ordered set. Small,
// because a list that is not nearly in order has no business being a list.
constexpr int kStepsMax = 8;

}  // namespace

DeadlineId DeadlineTable::set(DeadlineKind kind, Instant at, std::uint64_t subject) {
  const DeadlineId id = slots_.insert(Slot{kind, false, at, ++sequence_, subject, {}, {}});
  if (!link_near_end(id)) {
    slots_.at(id).in_overflow = true;
    overflow_.insert({at, sequence_, id});
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
  Order first{Instant::max(), ~std::uint64_t{0}, {}};
  if (!overflow_.empty()) first = *overflow_.begin();
  for (const List& list : lists_) {
    if (!list.first) continue;
    const Slot& slot = slots_.at(list.first);
    const Order order{slot.at, slot.sequence, list.first};
    if (order < first) first = order;
  }
  return first.id;
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
  const Slot slot = slots_.at(id);
  if (slot.in_overflow) {
    overflow_.erase({slot.at, slot.sequence, id});
  } else {
    unlink(slot);
  }
  slots_.erase(id);
}

}  // namespace lb
