// AdmissionQueue: requests that wait for a place on a backend.
//
// Class 0 goes first; a higher class waits until those before it are empty. Within a class the
// order is first come first served, or, when configured, adaptive LIFO (Maurer, "Fail at scale",
// ACM Queue 2015): newest first once the oldest has waited half of what it may.
//
// It only keeps the order. Timeouts are its owner's deadlines, and end by remove(). Every operation
// is O(1) and, once grown, free of allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "lbcore/cluster_config.h"
#include "lbcore/ids.h"
#include "lbcore/slab.h"
#include "lbcore/time.h"

namespace lb {

using QueueEntryId = SlotId<struct QueueEntryTag>;

class AdmissionQueue {
 public:
  static constexpr std::uint32_t kClassCount = 8;

  // To the end of its class. REQUIRES: priority < kClassCount.
  QueueEntryId push(RequestId request, std::uint32_t priority, Instant now);
  // Back to the end of its class that it was called from, because somebody else was faster.
  QueueEntryId put_back(RequestId request, std::uint32_t priority, Instant since);

  // Whose turn it is, out of the queue.
  [[nodiscard]] std::optional<RequestId> pop(Instant now, const LimitsConfig& limits);

  // It has left for another reason. An id already gone is ignored.
  void remove(QueueEntryId id);

  [[nodiscard]] bool empty() const { return entries_.size() == 0; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    RequestId request;
    std::uint32_t priority = 0;
    Instant since;
    QueueEntryId older, newer;
  };
  struct List {
    QueueEntryId oldest, newest;
  };

  Slab<Entry, QueueEntryId> entries_;
  std::array<List, kClassCount> classes_;
};

}  // namespace lb
