// Level: a count over time, such as the requests in a system: its integral, exact in integers, and
// its peak. Each change costs a multiplication and an addition.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "lbcore/assert.h"
#include "lbcore/time.h"
#include "lbsim/scenario/cut.h"

namespace lb::sim {

class Level {
 public:
  // Times are since the start of the run and never go back. The integral is in nanoseconds, and
  // there is room for 584 years of a single request.
  void set(Duration now, std::uint32_t value) {
    if (value == value_) return;
    integral_ += value_ * static_cast<std::uint64_t>((now - since_).count());
    since_ = now;
    value_ = value;
    peak_ = std::max(peak_, value);
  }
  void rise(Duration now) { set(now, value_ + 1); }
  void fall(Duration now) {
    LB_ASSERT(value_ > 0);
    set(now, value_ - 1);
  }

  [[nodiscard]] std::uint32_t value() const { return value_; }
  [[nodiscard]] std::uint64_t integral(Duration now) const {
    return integral_ + value_ * static_cast<std::uint64_t>((now - since_).count());
  }
  // The integral until `now`, and the peak since this was last asked.
  [[nodiscard]] scenario::LevelReading read(Duration now) {
    return {integral(now), std::exchange(peak_, value_)};
  }

 private:
  std::uint64_t integral_ = 0;  // Until `since_`.
  Duration since_{};
  std::uint32_t value_ = 0;
  std::uint32_t peak_ = 0;
};

}  // namespace lb::sim
