// Time as the brain sees it: a value that is handed in, never read.
//
// `Timeline` has no now(), so code in lbcore cannot look at a clock even by accident. lbnet hands
// in the steady clock, lbsim hands in virtual time, a replay hands in what was written down.
#pragma once

#include <chrono>
#include <cstdint>

namespace lb {

using Duration = std::chrono::nanoseconds;

struct Timeline {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Timeline>;
  static constexpr bool is_steady = true;
};

// A point in time; its origin means nothing, only differences do.
using Instant = Timeline::time_point;

}  // namespace lb
