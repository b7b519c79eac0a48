// Part: the samples of a part of a run, by time and by load. Expectations and windows that are
// about the same part share one.
#pragma once

#include <cstdint>
#include <vector>

#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/series.h"

namespace lb::scenario {

struct Part {
  static constexpr std::uint32_t kEveryLoad = ~std::uint32_t{0};
  static constexpr std::size_t kNobody = ~std::size_t{0};

  // What clients meant to send from `from` up to `to`, whose figures per time end at `end`.
  Part(Duration from, Duration to, Duration end, std::uint32_t load, bool by_backend)
      : from(from), to(to), end(end), load(load), by_backend(by_backend), batches(from, end) {}

  void add(const Sample& sample, std::size_t place) {
    if (load != kEveryLoad && sample.load != load) return;
    // Whoever was in the system in this time counts for it, whenever it came.
    const Duration left = sample.sent + sample.latency;
    const Duration began = sample.sent > from ? sample.sent : from;
    const Duration ended = left < end ? left : end;
    if (ended > began) in_system += static_cast<std::uint64_t>((ended - began).count());
    if (sample.sent < from || sample.sent >= to) return;
    total.add(sample);
    batches.add(sample);
    if (!by_backend || place == kNobody) return;
    if (place >= backends.size()) backends.resize(place + 1);
    backends[place].add(sample);
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(end - from).count(); }

  Duration from;
  Duration to;
  Duration end;
  std::uint32_t load;
  bool by_backend;
  Series total;
  std::vector<Series> backends;  // By place.
  BatchMeans batches;
  std::uint64_t in_system = 0;  // Time that requests were in the system, in nanoseconds.
};

}  // namespace lb::scenario
