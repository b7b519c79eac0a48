#include "lbsim/shared_service.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb::sim {

double SharedService::speed(const scenario::Behaviour& behaviour, std::size_t count) {
  const auto served = static_cast<double>(count);
  double speed = 1;
  if (behaviour.discipline == scenario::Discipline::processor_sharing) {
    speed = std::min(1.0, behaviour.cores / served);
  }
  if (behaviour.contention) {
    const double above = std::max(0.0, served - behaviour.contention->knee);
    speed /= 1 + behaviour.contention->per_request * above;
  }
  return speed;
}

void SharedService::begin(Duration now, Job job, double work) {
  advance(now);
  jobs_.push({clock_ + work, begun_++, job});
}

std::optional<Duration> SharedService::next_end(Duration now) {
  if (jobs_.empty()) return std::nullopt;
  advance(now);
  const double left = std::max(0.0, jobs_.top().end - clock_);
  return time_->end_of(now, left / speed(*behaviour_, jobs_.size()));
}

SharedService::Job SharedService::take(Duration now) {
  LB_ASSERT(!jobs_.empty());
  const Entry first = jobs_.top();
  jobs_.pop();
  last_ = now;
  // It is done now by definition: what the rounding of times left over is not carried on.
  clock_ = jobs_.empty() ? 0 : first.end;
  return first.job;
}

void SharedService::advance(Duration now) {
  if (!jobs_.empty()) clock_ += time_->done(last_, now) * speed(*behaviour_, jobs_.size());
  last_ = now;
}

}  // namespace lb::sim
