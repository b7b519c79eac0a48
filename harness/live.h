// One line a second about a run, while it is on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lbsim/scenario/report.h"

namespace lb::harness {

// What was answered in one second of the run, whenever it was sent.
class LiveSecond {
 public:
  void add(const scenario::Sample& sample) { series_.add(sample); }
  void add_event(const std::string& description) { events_.push_back(description); }

  // "  12 s    1998/s      0 errors   p99  18.2 ms   crash b1", and starts the next second.
  [[nodiscard]] std::string finish(std::uint64_t second);

 private:
  scenario::Series series_;
  std::vector<std::string> events_;
};

}  // namespace lb::harness
