// Slow start: how much of its weight a backend gets that has just joined or come back.
#pragma once

#include <cstdint>

#include "lbcore/cluster_config.h"
#include "lbcore/time.h"

namespace lb {

// Percent of the configured weight, from config.min_percent at 0 to 100 at config.duration and
// after: min + (100 - min) * (elapsed / duration)^(1 / aggression). Never falls with time.
[[nodiscard]] std::uint32_t ramp_percent(const SlowStartConfig& config, Duration elapsed);

// How often the ramp is looked at: it goes up in so many steps, because a step costs a rebuild.
inline constexpr int kRampSteps = 20;

}  // namespace lb
