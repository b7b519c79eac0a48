// Histogram of durations: counts in buckets whose width grows with the value, so that any quantile
// is within 0.1 % of the true one, in memory that does not grow with the number of values.
//
// IMPLEMENTATION  Values below 1024 ns have a bucket each. Above, each power of two is split into
//   512 buckets, so a bucket is at most 1/512 of its values wide; its middle is reported. There is
//   a histogram for each backend, and they share the processor's cache: counts have 16 bits, and
//   the few that need more have the rest elsewhere. Steps of 128 buckets are counted besides, so
//   that what asks for quantiles or keeps how a histogram stood does not look at every bucket.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

class Histogram {
 public:
  // REQUIRES: value >= 0. O(1).
  void add(Duration value);

  // It will be added soon.
  void prefetch(Duration value) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration mean() const;                 // Exact. Zero when empty.
  [[nodiscard]] Duration max() const { return max_; }  // Exact.
  // The smallest value that at least the share `q` of all values does not exceed. Zero when empty.
  [[nodiscard]] Duration quantile(double q) const;

  // In nanoseconds.
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  // How many values are in each step, from zero on: four for each power of two.
  [[nodiscard]] const std::vector<std::uint64_t>& steps() const { return steps_; }

 private:
  [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const;

  std::vector<std::uint16_t> buckets_;  // Whole steps of them.
  std::vector<std::uint64_t> steps_;
  std::map<std::size_t, std::uint64_t> overflows_;  // How often a bucket passed 2^16.
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  Duration max_{};
};

}  // namespace lb::scenario
