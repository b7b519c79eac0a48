#include "lbsim/backend_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lbcore/hash.h"

namespace lb::sim {

BackendModel::BackendModel(std::string id, const scenario::Behaviour& behaviour, std::uint64_t seed)
    : prng_(seed), behaviour_(behaviour), id_(std::move(id)) {
  places_ = behaviour.concurrency;
  if (behaviour.discipline == scenario::Discipline::processor_sharing) {
    places_ = std::min(places_, static_cast<std::uint32_t>(std::ceil(behaviour.cores)));
  }
  if (behaviour.cold_start) cold_start_.emplace(behaviour.cold_start->decay);
  changes_ = behaviour.cold_start.has_value() || !behaviour.drift.empty();
  shares_ = behaviour.discipline == scenario::Discipline::processor_sharing ||
            behaviour.contention.has_value();
  if (!shares_ && behaviour.disturbances.empty()) return;
  pace_ = std::make_unique<Pace>(behaviour_, combine(seed, 1));
}

void BackendModel::set_loads(const std::vector<scenario::Load>& loads) {
  if (behaviour_.classes.empty()) return;
  for (const scenario::Load& load : loads) {
    const auto known = behaviour_.classes.find(load.request_class);
    service_times_.push_back(known == behaviour_.classes.end() ? behaviour_.service_time
                                                               : known->second);
  }
}

BackendModel::Admission BackendModel::admit(JobId job) {
  if (hung_) {
    frozen_.arrived.push_back(job);
    return Admission::waiting;
  }
  if (resetting_) return Admission::broken;
  if (black_hole_) return Admission::failing;
  if (busy_ < behaviour_.concurrency) {
    ++busy_;
    return Admission::served;
  }
  if (waiting_.size() >= behaviour_.queue) return Admission::overloaded;
  waiting_.push(job);
  return Admission::waiting;
}

int BackendModel::finish(JobId job) {
  if (hold(job)) return 0;
  if (!spoils_answers_) leave();
  return error_ratio_ > 0 && prng_.unit() < error_ratio_ ? 500 : 200;
}

Duration BackendModel::draw_service_time(const Start& start) {
  Duration drawn = scenario::sample(
      service_times_.empty() ? behaviour_.service_time : service_times_[start.load], prng_);
  if (start.fresh_connection) drawn += behaviour_.connection_cost;
  const double factor = slowness(start.now);
  if (factor == 1) return drawn;
  return Duration{static_cast<std::int64_t>(static_cast<double>(drawn.count()) * factor)};
}

// Of a job that starts now: what changes slowly is the same for the whole of it.
double BackendModel::slowness(Duration now) const {
  double factor = slow_factor_;
  if (!changes_) return factor;
  if (cold_start_) {
    factor *= 1 + (behaviour_.cold_start->factor - 1) * cold_start_->left_after(now - started_);
  }
  const std::vector<scenario::DriftPoint>& drift = behaviour_.drift;
  if (drift.empty()) return factor;
  const auto next = std::upper_bound(
      drift.begin(), drift.end(), now,
      [](Duration at, const scenario::DriftPoint& point) { return at < point.at; });
  if (next == drift.begin()) return factor * drift.front().factor;
  if (next == drift.end()) return factor * drift.back().factor;
  const scenario::DriftPoint& before = *(next - 1);
  const double share = static_cast<double>((now - before.at).count()) /
                       static_cast<double>((next->at - before.at).count());
  return factor * (before.factor + share * (next->factor - before.factor));
}

double BackendModel::utilisation() const {
  const bool shares = behaviour_.discipline == scenario::Discipline::processor_sharing;
  const double places = shares ? behaviour_.cores : behaviour_.concurrency;
  return std::min(static_cast<double>(busy_), places) / places;
}

LoadReport BackendModel::load() {
  if (!latencies_) latencies_ = std::make_unique<scenario::LatencyEstimate>();
  return {.in_flight = in_flight(), .latency = latencies_->of_next(in_flight())};
}

void BackendModel::strike(const scenario::Fault& fault, Duration now) {
  using scenario::FaultKind;
  switch (fault.kind) {
    case FaultKind::crash:
      up_ = false;
      end_troubles();  // A process that starts again knows nothing of them.
      busy_ = 0;
      if (latencies_) latencies_->clear();
      ++epoch_;
      while (waiting_.pop()) {
      }
      if (pace_) {
        pace_->shared.clear();
        ++pace_->version;
      }
      frozen_ = {};
      break;
    case FaultKind::hang: hung_ = true; break;
    case FaultKind::refuse: refusing_ = true; break;
    case FaultKind::reset: resetting_ = true; break;
    case FaultKind::slow:
      slow_factor_ = fault.factor;
      answer_delay_ = fault.add;
      break;
    case FaultKind::loss:
    case FaultKind::partition: break;  // Of the network: see paths.h.
    case FaultKind::black_hole: black_hole_ = fault.in; break;
    case FaultKind::fail_probes: failing_probes_ = true; break;
    case FaultKind::error_ratio: error_ratio_ = fault.ratio; break;
    case FaultKind::truncate:
      spoils_answers_ = true;
      truncate_ratio_ = fault.ratio;
      truncates_by_reset_ = fault.reset;
      break;
    case FaultKind::drip:
      spoils_answers_ = true;
      drips_ = fault.over;
      break;
    case FaultKind::recover:
      if (!up_) started_ = now;
      up_ = true;
      end_troubles();
      break;
  }
}

void BackendModel::end_troubles() {
  hung_ = refusing_ = resetting_ = failing_probes_ = spoils_answers_ = false;
  black_hole_.reset();
  answer_delay_ = drips_ = Duration{};
  slow_factor_ = 1;
  error_ratio_ = truncate_ratio_ = 0;
}

BackendModel::Thawed BackendModel::thaw() { return std::exchange(frozen_, {}); }

}  // namespace lb::sim
