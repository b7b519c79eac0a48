#include "lbcore/strategy/latency_record.h"

#include <algorithm>

namespace lb {

namespace {
constexpr int kForgottenAfter = 5;  // Decay times at rest; e^-5 is less than a hundredth.
}

void LatencyRecord::set_in_flight(std::uint32_t in_flight, bool ours, Instant now,
                                  const LatencyRule& rule) {
  const bool rose = in_flight > in_flight_;
  if (in_flight_ == 0 && rose) {
    idle_before_ += now - idle_since_;
    if (idle_before_ > kForgottenAfter * rule.config.decay_time) stage_ = Stage::untried;
  }
  // One that ended without a sample (the client left) says nothing: the next may try.
  if (!rose && stage_ == Stage::tried) stage_ = Stage::untried;
  if (in_flight == 0) {
    if (in_flight_ > 0) idle_since_ = now;
    asked_.reset();
  }
  if (ours && rose) {
    if (stage_ == Stage::untried) stage_ = Stage::tried;
    if (!asked_) asked_ = now;
  }
  in_flight_ = in_flight;
}

Duration LatencyRecord::idle(Instant now) const {
  return in_flight_ > 0 ? idle_before_ : idle_before_ + (now - idle_since_);
}

double LatencyRecord::average_at(Instant now, const LatencyRule& rule) const {
  const Duration rest = idle(now);
  return rest == Duration{} ? average_ : average_ * rule.decay.left_after(rest);
}

void LatencyRecord::sample(const LatencySample& sample, const LatencyRule& rule,
                           Averaging averaging) {
  Duration latency = std::max(sample.latency, Duration{1});
  if (sample.failed) latency = std::max(latency, rule.config.failure_penalty);
  const auto value = static_cast<double>(latency.count());
  if (stage_ != Stage::known) {
    average_ = value;
  } else {
    const double now = average_at(sample.at, rule);
    const double kept = rule.decay.left_after(sample.at - sampled_at_);
    const bool peak = averaging == Averaging::peak_sensitive && value >= now;
    average_ = peak ? value : std::max(1.0, now * kept + value * (1 - kept));
  }
  stage_ = Stage::known;
  sampled_at_ = sample.at;
  idle_before_ = {};
  idle_since_ = sample.at;
  asked_.reset();
}

}  // namespace lb
