// Histogram of durations: counts in buckets whose width grows with the value, so that any quantile
// is within 0.1 % of the true one, in memory that does not grow with the number of values.
//
// IMPLEMENTATION  Values below 2048 ns have a bucket each. Above, each power of two is split into
//   1024 buckets, so a bucket is at most 1/1024 of its values wide; its middle is reported.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

class Histogram {
 public:
  // REQUIRES: value >= 0. O(1).
  void add(Duration value);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration mean() const;                 // Exact. Zero when empty.
  [[nodiscard]] Duration max() const { return max_; }  // Exact.
  // The smallest value that at least the share `q` of all values does not exceed. Zero when empty.
  [[nodiscard]] Duration quantile(double q) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  Duration max_{};
};

}  // namespace lb::scenario
