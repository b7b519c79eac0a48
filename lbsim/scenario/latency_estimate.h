// LatencyEstimate: what a backend expects of its next request, for strategies that ask it. The
// median of the last few that found about as many requests before them, as Prequal has it
// (Wydrowski et al., "Load is not what you should balance", NSDI 2024).
//
// A mean of the last ones, whatever they found, tells of the queue as it was one queue ago: who has
// just become full looks quick to everybody, everybody goes there, and the queues of all swing.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

class LatencyEstimate {
 public:
  // A request that found so many others is done, after this time. O(1).
  void note(std::size_t found, Duration latency);

  // Of a request that finds so many others. Where none ever did, those that found the next smaller
  // or else the next greater number; zero before the first. O(log of the greatest number).
  [[nodiscard]] Duration of_next(std::size_t finding) const;

  void clear() { cells_.clear(); }

 private:
  static constexpr std::size_t kKept = 8;
  // Of numbers within an eighth of each other.
  struct Cell {
    std::array<Duration, kKept> latencies{};
    std::uint64_t count = 0;  // Ever noted.
    [[nodiscard]] Duration median() const;
  };
  std::vector<Cell> cells_;
};

}  // namespace lb::scenario
