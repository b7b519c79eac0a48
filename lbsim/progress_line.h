// How far one has come, on a terminal; nothing when standard error is not one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "lbcore/time.h"

namespace lb::sim {

class ProgressLine {
 public:
  explicit ProgressLine(bool wanted = true);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  // Both at most ten times a second, however often they are called.
  //   "12 of 240 runs, 34 s left"
  void show_runs(std::size_t done, std::size_t total);
  //   "█████▋      47 %  4.7 s of 10 s  8.1 M events/s  3 s left"
  void show_time(Duration simulated, Duration duration, std::uint64_t events);

  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool due();
  void print(const std::string& text);
  // Of the real time that passed, for this share of the work.
  [[nodiscard]] std::string time_left(double share) const;

  const bool wanted_;
  const Clock::time_point start_;
  Clock::time_point now_;  // As of the last one shown.
  bool visible_ = false;
};

}  // namespace lb::sim
