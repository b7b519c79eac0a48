#include "lbcore/admission_queue.h"

#include "lbcore/assert.h"

namespace lb {

QueueEntryId AdmissionQueue::push(RequestId request, std::uint32_t priority, Instant now) {
  LB_ASSERT(priority < kClassCount);
  List& list = classes_[priority];
  const QueueEntryId id = entries_.insert({request, priority, now, list.newest, {}});
  (list.newest ? entries_.at(list.newest).newer : list.oldest) = id;
  list.newest = id;
  return id;
}

QueueEntryId AdmissionQueue::put_back(RequestId request, std::uint32_t priority, Instant since) {
  LB_ASSERT(priority < kClassCount);
  List& list = classes_[priority];
  // The newest had been called; at the other end it would be the last now.
  if (list.oldest && entries_.at(list.oldest).since < since) return push(request, priority, since);
  const QueueEntryId id = entries_.insert({request, priority, since, {}, list.oldest});
  (list.oldest ? entries_.at(list.oldest).older : list.newest) = id;
  list.oldest = id;
  return id;
}

std::optional<RequestId> AdmissionQueue::pop(Instant now, const LimitsConfig& limits) {
  for (const List& list : classes_) {
    if (!list.oldest) continue;
    const bool newest_first = limits.queue_order == QueueOrder::adaptive_lifo &&
                              now - entries_.at(list.oldest).since > limits.queue_timeout / 2;
    const QueueEntryId id = newest_first ? list.newest : list.oldest;
    const RequestId request = entries_.at(id).request;
    remove(id);
    return request;
  }
  return std::nullopt;
}

void AdmissionQueue::remove(QueueEntryId id) {
  const Entry* found = entries_.find(id);
  if (found == nullptr) return;
  const Entry entry = *found;
  List& list = classes_[entry.priority];
  (entry.older ? entries_.at(entry.older).newer : list.oldest) = entry.newer;
  (entry.newer ? entries_.at(entry.newer).older : list.newest) = entry.older;
  entries_.erase(id);
}

}  // namespace lb
