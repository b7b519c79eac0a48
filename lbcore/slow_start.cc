#include "lbcore/slow_start.h"

#include "lbcore/exact_math.h"

namespace lb {

std::uint32_t ramp_percent(const SlowStartConfig& config, Duration elapsed) {
  if (elapsed >= config.duration) return 100;
  if (elapsed <= Duration::zero()) return config.min_percent;
  const auto passed = static_cast<double>(elapsed.count());
  const auto duration = static_cast<double>(config.duration.count());
  const double missing = 100 - static_cast<double>(config.min_percent);
  // Divided last, so that a whole percent is one and not a hair less.
  const double grown = config.aggression == 1
                           ? missing * passed / duration
                           : missing * exact_exp(exact_ln(passed / duration) / config.aggression);
  return config.min_percent + static_cast<std::uint32_t>(grown);
}

}  // namespace lb
