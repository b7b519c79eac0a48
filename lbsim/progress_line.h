// How far many runs have come, on a terminal; nothing when standard error is not one.
#pragma once

#include <chrono>
#include <cstddef>

namespace lb::sim {

class ProgressLine {
 public:
  explicit ProgressLine(std::size_t total);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  void show(std::size_t done);  // "12 of 240 runs, 34 s left", at most ten times a second.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  const std::size_t total_;
  const bool wanted_;
  const Clock::time_point start_;
  Clock::time_point shown_;
  bool visible_ = false;
};

}  // namespace lb::sim
