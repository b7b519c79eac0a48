#include "lbsim/scaling_rule.h"

#include <algorithm>
#include <cmath>

namespace lb::sim {

void ScalingRule::look(double utilisation, std::uint32_t ready) {
  utilisation_ += utilisation;
  ready_ += ready;
  ++looks_;
}

// Of those that start nothing is known: they count as idle where more are wanted, so that one burst
// is not answered twice, and not at all where fewer are.
std::uint32_t ScalingRule::wanted(std::uint32_t current) const {
  constexpr double kTolerance = 0.1;
  if (looks_ == 0 || ready_ == 0) return current;
  const double ratio = utilisation_ / ready_ / config_.target_utilisation;
  if (std::abs(ratio - 1) <= kTolerance) return current;
  const double busy = utilisation_ / looks_ / config_.target_utilisation;
  if (ratio > 1 && busy <= current * (1 + kTolerance)) return current;
  return static_cast<std::uint32_t>(std::ceil(busy));
}

std::uint32_t ScalingRule::decide(Duration now, std::uint32_t current) {
  std::uint32_t count = std::clamp(wanted(current), config_.min, config_.max);
  utilisation_ = ready_ = 0;
  looks_ = 0;
  recent_.push_back({now, count});
  std::erase_if(recent_, [&](const Recommendation& recommendation) {
    return recommendation.at + config_.stabilisation < now;
  });
  if (count >= current) return count;
  for (const Recommendation& recommendation : recent_) {
    count = std::max(count, recommendation.count);
  }
  return std::min(count, current);
}

}  // namespace lb::sim
