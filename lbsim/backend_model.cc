#include "lbsim/backend_model.h"

#include <algorithm>
#include <utility>

namespace lb::sim {

BackendModel::Admission BackendModel::admit(JobId job) {
  if (hung_) {
    frozen_.arrived.push_back(job);
    return Admission::waiting;
  }
  if (resetting_) return Admission::broken;
  if (busy_ < behaviour_.concurrency) {
    ++busy_;
    return Admission::served;
  }
  if (waiting_.size() >= behaviour_.queue) return Admission::overloaded;
  waiting_.push(job);
  return Admission::waiting;
}

int BackendModel::finish(JobId job) {
  if (hung_) {
    frozen_.finished.push_back(job);
    return 0;
  }
  --busy_;
  return error_ratio_ > 0 && prng_.unit() < error_ratio_ ? 500 : 200;
}

std::optional<JobId> BackendModel::next_waiting() {
  if (hung_ || busy_ >= behaviour_.concurrency) return std::nullopt;
  const std::optional<JobId> job = waiting_.pop();
  if (job) ++busy_;
  return job;
}

Duration BackendModel::draw_service_time() {
  const Duration drawn = scenario::sample(behaviour_.service_time, prng_);
  if (slow_factor_ == 1) return drawn;
  return Duration{static_cast<std::int64_t>(static_cast<double>(drawn.count()) * slow_factor_)};
}

void BackendModel::note_latency(Duration latency) {
  latencies_[latency_count_++ % kLatenciesKept] = latency;
}

LoadReport BackendModel::load() const {
  LoadReport report{.in_flight = busy_ + static_cast<std::uint32_t>(waiting_.size())};
  const std::size_t count = std::min(latency_count_, kLatenciesKept);
  for (std::size_t i = 0; i < count; ++i) report.latency += latencies_[i];
  if (count > 0) report.latency /= static_cast<std::int64_t>(count);
  return report;
}

void BackendModel::strike(const scenario::Fault& fault) {
  using scenario::FaultKind;
  switch (fault.kind) {
    case FaultKind::crash:
      up_ = false;
      hung_ = refusing_ = resetting_ = false;
      slow_factor_ = 1;  // A process that starts again knows nothing of its former troubles.
      error_ratio_ = 0;
      busy_ = 0;
      latency_count_ = 0;
      ++epoch_;
      while (waiting_.pop()) {
      }
      frozen_ = {};
      break;
    case FaultKind::hang: hung_ = true; break;
    case FaultKind::refuse: refusing_ = true; break;
    case FaultKind::reset: resetting_ = true; break;
    case FaultKind::slow: slow_factor_ = fault.factor; break;
    case FaultKind::error_ratio: error_ratio_ = fault.ratio; break;
    case FaultKind::recover:
      up_ = true;
      hung_ = refusing_ = resetting_ = false;
      slow_factor_ = 1;
      error_ratio_ = 0;
      break;
  }
}

BackendModel::Thawed BackendModel::thaw() { return std::exchange(frozen_, {}); }

}  // namespace lb::sim
