// Recovery: how long after an event a figure is back below its limit, and stays there.
//
// A stretch of length `over` is laid at `after`, and moved on by a tenth of its length at a time.
// The recovery time is where the first stretch begins from which on every one, up to `to`, holds;
// nothing when the last one does not. A quantile is below its limit exactly when few enough values
// are above it, so counts are all there is to keep.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lbsim/scenario/expectation.h"
#include "lbsim/scenario/sample.h"

namespace lb::scenario {

class Recovery {
 public:
  static constexpr std::int64_t kStepsPerStretch = 10;
  static constexpr std::int64_t kStepsMax = 100'000;  // From `after` to `to`.

  // Until `to`. REQUIRES: after + over <= to, and not more than kStepsMax steps.
  Recovery(const Expectation& expectation, Duration to);

  void add(const Sample& sample);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Since `after`.
  [[nodiscard]] std::optional<Duration> time() const;

 private:
  struct Step {
    std::uint64_t latency = 0;  // Of good answers, in all.
    std::uint32_t requests = 0;
    std::uint32_t good = 0;
    std::uint32_t slow = 0;  // Good answers that took longer than the limit.
  };
  [[nodiscard]] bool holds(const Step& stretch) const;

  Metric of_;
  double limit_;
  Duration limit_latency_;
  Duration after_;
  Duration step_;
  std::vector<Step> steps_;
  std::uint64_t count_ = 0;
};

}  // namespace lb::scenario
