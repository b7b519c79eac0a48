// Tally: what one worker saw of one backend since it last told the control brain.
//
// Workers count alone and tell now and then, so "five failures in a row" has to survive being cut
// into reports. FailureRun keeps just enough of a sequence for that: joining the runs of two parts
// gives the run of the whole.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lbcore/ids.h"

namespace lb {

// The runs of failures in a sequence of results.
struct FailureRun {
  std::uint32_t leading = 0;   // Before the first success.
  std::uint32_t trailing = 0;  // Since the last success.
  std::uint32_t longest = 0;   // Anywhere.
  bool broken = false;         // There was a success.

  void record(bool failed) {
    if (!failed) {
      trailing = 0, broken = true;
      return;
    }
    ++trailing;
    if (!broken) leading = trailing;
    longest = std::max(longest, trailing);
  }

  // What came after this sequence.
  void append(const FailureRun& next) {
    const std::uint32_t joined = trailing + next.leading;
    longest = std::max({longest, next.longest, joined});
    if (!broken) leading = joined;
    trailing = next.broken ? next.trailing : joined;
    broken = broken || next.broken;
  }

  bool operator==(const FailureRun&) const = default;
};

struct Tally {
  BackendId backend;
  std::uint32_t successes = 0;
  std::uint32_t failures = 0;  // Attempts without an answer, and answers of 500 and above.
  FailureRun failure_run;
  FailureRun gateway_run;  // Of 502, 503, 504 and attempts without an answer.
  bool operator==(const Tally&) const = default;
};

}  // namespace lb
