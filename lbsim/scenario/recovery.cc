#include "lbsim/scenario/recovery.h"

#include <cmath>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

// The share of answers that may be slower than a quantile.
double slower_share(Metric quantile) {
  switch (quantile) {
    case Metric::latency_p50: return 0.5;
    case Metric::latency_p90: return 0.1;
    case Metric::latency_p99: return 0.01;
    case Metric::latency_p999: return 0.001;
    default: return 0;
  }
}

}  // namespace

Recovery::Recovery(const Expectation& expectation, Duration to)
    : of_(expectation.of),
      limit_(*expectation.below),
      limit_latency_(static_cast<std::int64_t>(*expectation.below * 1e9 + 0.5)),
      after_(*expectation.after),
      step_(expectation.over / kStepsPerStretch) {
  LB_ASSERT(step_ > Duration::zero() && after_ + expectation.over <= to);
  steps_.resize(static_cast<std::size_t>((to - after_) / step_));
}

void Recovery::add(const Sample& sample) {
  if (sample.sent < after_) return;
  const auto number = static_cast<std::size_t>((sample.sent - after_) / step_);
  if (number >= steps_.size()) return;
  ++count_;
  Step& step = steps_[number];
  ++step.requests;
  if (sample.result != ClientResult::ok) return;
  ++step.good;
  step.latency += static_cast<std::uint64_t>(sample.latency.count());
  if (is_latency(of_) && sample.latency > limit_latency_) ++step.slow;
}

bool Recovery::holds(const Step& stretch) const {
  if (of_ == Metric::error_ratio) {
    return stretch.requests - stretch.good <= limit_ * stretch.requests + 1e-9;
  }
  if (stretch.good == 0) return false;
  if (of_ == Metric::latency_mean) {
    return static_cast<double>(stretch.latency) <= limit_ * 1e9 * stretch.good;
  }
  return stretch.slow <= std::floor(slower_share(of_) * stretch.good + 1e-9);
}

std::optional<Duration> Recovery::time() const {
  std::optional<std::size_t> since = 0;
  Step stretch;
  for (std::size_t end = 1; end <= steps_.size(); ++end) {
    const auto move = [&](const Step& step, auto&& by) {
      by(stretch.latency, step.latency);
      by(stretch.requests, step.requests);
      by(stretch.good, step.good);
      by(stretch.slow, step.slow);
    };
    move(steps_[end - 1], [](auto& sum, auto value) { sum += value; });
    if (end < kStepsPerStretch) continue;
    const std::size_t begin = end - kStepsPerStretch;
    // A stretch without requests says nothing new.
    if (stretch.requests > 0) {
      if (!holds(stretch)) since.reset();
      if (holds(stretch) && !since) since = begin;
    }
    move(steps_[begin], [](auto& sum, auto value) { sum -= value; });
  }
  if (!since) return std::nullopt;
  return step_ * static_cast<std::int64_t>(*since);
}

}  // namespace lb::scenario
