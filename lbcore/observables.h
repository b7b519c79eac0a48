// Figures that say how a cluster is doing, for metrics, the admin API and reports.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "lbcore/time.h"

namespace lb {

// Jain's fairness index (Jain, Chiu, Hawe, DEC-TR-301, 1984): 1 when all are equal, 1/n when one
// has everything; 1 for none. Give it load per unit of weight.
[[nodiscard]] double jain_index(std::span<const double> values);

// Failures among the attempts on one backend over the last minute, and whether they become more.
// 56 bytes, a few ns to record: it counts in six slices of ten seconds.
class ErrorTrend {
 public:
  static constexpr Duration kSlice = std::chrono::seconds{10};

  void record(Instant now, bool failed);

  struct Reading {
    std::uint32_t attempts = 0;  // Of the last minute, the slice under way included.
    std::uint32_t failures = 0;
    // Failure ratio of the newer half minute minus that of the older: above 0 gets worse. Nothing
    // when either half has no attempt.
    std::optional<double> change;
  };
  [[nodiscard]] Reading read(Instant now) const;

 private:
  static constexpr std::int64_t kSliceCount = 6;
  struct Slice {
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;
  };
  static std::int64_t slice_of(Instant at) { return at.time_since_epoch() / kSlice; }

  std::array<Slice, kSliceCount> slices_{};
  std::int64_t newest_ = 0;  // Number of the newest slice that was written to.
};

}  // namespace lb
