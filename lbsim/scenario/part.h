// Part: the samples of a part of a run, by time and by load. Expectations and windows that are
// about the same part share one.
#pragma once

#include <cstdint>

#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/series.h"
#include "lbsim/scenario/series_batches.h"
#include "lbsim/scenario/series_by_backend.h"

namespace lb::scenario {

struct Part {
  static constexpr std::uint32_t kEveryLoad = ~std::uint32_t{0};
  static constexpr std::size_t kNobody = ~std::size_t{0};

  // What clients meant to send from `from` up to `to`, whose figures per time end at `end`.
  Part(Duration from, Duration to, Duration end, std::uint32_t load, bool by_backend)
      : from(from), to(to), end(end), load(load), by_backend(by_backend), batches(from, end) {}

  void add(const Sample& sample, std::size_t place) {
    if (load != kEveryLoad && sample.load != load) return;
    const Duration left = sample.sent + sample.latency;
    if (left >= next_batch) [[unlikely]]
      end_batches(left);
    // Whoever was in the system in this time counts for it, whenever it came.
    const Duration began = sample.sent > from ? sample.sent : from;
    const Duration ended = left < end ? left : end;
    if (ended > began) in_system += static_cast<std::uint64_t>((ended - began).count());
    if (sample.sent < from || sample.sent >= to) return;
    total.add(sample);
    batches.add(sample);
    if (!by_backend || place == kNobody) return;
    backends.add(sample, place);
  }

  // Its figures are reported, and so is how sure they are.
  void report();
  // Where its batches begin and end. REQUIRES: number <= BatchMeans::kBatches.
  [[nodiscard]] Duration batch_time(std::size_t number) const;
  // Nothing more will be added.
  void finish();

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(end - from).count(); }

  Duration from;
  Duration to;
  Duration end;
  std::uint32_t load;
  bool by_backend;
  bool reported = false;
  Duration next_batch = Duration::max();  // When a batch ends next.
  Series total;
  SeriesByBackend backends;
  BatchMeans batches;
  SeriesBatches total_batches;
  SeriesBatches backend_batches;
  std::uint64_t in_system = 0;  // Time that requests were in the system, in nanoseconds.

 private:
  void end_batch();
  void end_batches(Duration now);
};

}  // namespace lb::scenario
