// Service times as words of a command line: "constant:5ms", "exponential:5ms", "lognormal:5ms,0.8".
#pragma once

#include <optional>
#include <string_view>

#include "lbsim/scenario/distribution.h"

namespace lb::harness {

// What is expected, for messages.
inline constexpr std::string_view kServiceTimeForms =
    "constant:5ms, exponential:5ms or lognormal:5ms,0.8 (mean and sigma of the logarithm)";

// Nothing when `text` has none of these forms.
[[nodiscard]] std::optional<scenario::Distribution> parse_service_time(std::string_view text);

}  // namespace lb::harness
