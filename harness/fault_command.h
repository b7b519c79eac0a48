// Faults as words: lines on a fake backend's standard input ("slow 4") and its --fault options
// ("slow=4").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lbsim/scenario/scenario.h"

namespace lb::harness {

inline constexpr std::string_view kFaultForms =
    "slow FACTOR [DELAY], error_ratio RATIO (from 0 to 1), truncate RATIO [reset], drip DURATION, "
    "black_hole DELAY, fail_probes, refuse, reset, hang or recover";

// Nothing when `text` is not one of these forms, with a space or "=" before the number. A crash is
// not among them: it is SIGKILL, from outside.
[[nodiscard]] std::optional<scenario::Fault> parse_fault(std::string_view text);

// The line that parse_fault() reads back. REQUIRES: fault.kind is not crash, and not one that only
// the simulator can play.
[[nodiscard]] std::string format_fault(const scenario::Fault& fault);

}  // namespace lb::harness
