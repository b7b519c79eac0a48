// ScalingRule: how many backends an autoscaler wants, by the rule of Kubernetes' HPA
// (kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Algorithm details").
#pragma once

#include <cstdint>
#include <vector>

#include "lbsim/scenario/autoscaler.h"

namespace lb::sim {

class ScalingRule {
 public:
  explicit ScalingRule(const scenario::Autoscaler& config) : config_(config) {}

  // What `ready` backends have to do, seen at some moment of the interval: the utilisations of all
  // of them together, 0 to `ready`.
  void look(double utilisation, std::uint32_t ready);

  // At the end of the interval: how many there should be, of `current` with those that are
  // starting. The figure of the interval is the mean of all looks.
  [[nodiscard]] std::uint32_t decide(Duration now, std::uint32_t current);

 private:
  [[nodiscard]] std::uint32_t wanted(std::uint32_t current) const;

  struct Recommendation {
    Duration at{};
    std::uint32_t count = 0;
  };
  const scenario::Autoscaler& config_;
  double utilisation_ = 0;  // Sums over the looks of this interval.
  double ready_ = 0;
  std::uint32_t looks_ = 0;
  std::vector<Recommendation> recent_;  // Within `stabilisation`, in order.
};

}  // namespace lb::sim
