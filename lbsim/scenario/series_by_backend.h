// SeriesByBackend: figures of each backend. Of a thousand backends they are larger than a
// processor's cache, and every sample falls on another: a sample waits until a few more have come,
// while the bucket it will be counted in is on its way from memory.
#pragma once

#include <array>
#include <vector>

#include "lbcore/assert.h"
#include "lbsim/scenario/series.h"

namespace lb::scenario {

class SeriesByBackend {
 public:
  // So many backends; there may be more.
  void resize(std::size_t count) { all_.resize(count); }

  // O(1).
  void add(const Sample& sample, std::size_t place) {
    if (place >= all_.size()) all_.resize(place + 1);
    // First what says where the bucket is, then the bucket.
    __builtin_prefetch(&all_[place]);
    const Waiting& older = waiting_[(next_ + waiting_.size() / 2) % waiting_.size()];
    if (older.place != kNobody) all_[older.place].latency.prefetch(older.latency);
    Waiting& oldest = waiting_[next_++ % waiting_.size()];
    if (oldest.place != kNobody) all_[oldest.place].add(oldest.result, oldest.latency);
    oldest.place = place;
    oldest.latency = sample.latency;
    oldest.result = sample.result;
  }

  // Counts those that wait.
  void settle() {
    for (Waiting& each : waiting_) {
      if (each.place != kNobody) all_[each.place].add(each.result, each.latency);
      each.place = kNobody;
    }
  }

  // By place. REQUIRES: settled since the last sample.
  [[nodiscard]] const std::vector<Series>& all() const {
    for (const Waiting& each : waiting_) LB_ASSERT(each.place == kNobody);
    return all_;
  }

 private:
  static constexpr std::size_t kNobody = ~std::size_t{0};

  struct Waiting {
    std::size_t place = kNobody;
    Duration latency{};
    ClientResult result{};
  };
  std::vector<Series> all_;
  std::array<Waiting, 16> waiting_;  // Going round.
  std::size_t next_ = 0;
};

}  // namespace lb::scenario
