#include "lbcore/outlier.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lb {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

// The longest row that ends in `next` or lies inside of it, when `in_row` failures came before;
// `in_row` becomes what goes on after it.
std::uint32_t join(std::uint32_t& in_row, const FailureRun& next) {
  FailureRun run{.leading = in_row, .trailing = in_row, .longest = in_row};
  run.append(next);
  in_row = run.trailing;
  return run.longest;
}

// The multiplier from which on an ejection would not become longer.
std::int64_t multiplier_max(const OutlierEjectionConfig& config) {
  return (config.max_ejection_time - Duration{1}) / config.base_ejection_time + 1;
}

Duration ejection_time(const OutlierEjectionConfig& config, std::int64_t multiplier) {
  // Divided, not multiplied: long times must not overflow.
  const bool capped = multiplier > config.max_ejection_time / config.base_ejection_time;
  return capped ? config.max_ejection_time : config.base_ejection_time * multiplier;
}

}  // namespace

OutlierDetector::OutlierDetector(Instant now, const OutlierEjectionConfig& config)
    : config_(config), interval_end_(now + config.interval) {}

void OutlierDetector::handle_config(Instant now, const OutlierEjectionConfig& config) {
  if (config.interval != config_.interval) interval_end_ = now + config.interval;
  config_ = config;
}

void OutlierDetector::handle_members(std::span<const Member> members) {
  std::vector<Monitor> next;
  next.reserve(members.size());
  for (const Member& member : members) {
    const Monitor* known = find(member.id);
    next.push_back(known == nullptr ? Monitor{.id = member.id} : *known);
  }
  std::sort(next.begin(), next.end(),
            [](const Monitor& left, const Monitor& right) { return left.id < right.id; });
  monitors_ = std::move(next);
  for (const Member& member : members) {
    Monitor& monitor = *find(member.id);
    if (monitor.in_service != member.in_service) change_service(monitor);
  }
  count_members();
}

void OutlierDetector::handle_in_service(BackendId backend, bool in_service) {
  Monitor* monitor = find(backend);
  if (monitor == nullptr || monitor->in_service == in_service) return;
  change_service(*monitor);
  if (!monitor->ejection) in_service ? ++serving_count_ : --serving_count_;
}

// What it did before says nothing of how it comes back.
void OutlierDetector::change_service(Monitor& monitor) {
  monitor.in_service = !monitor.in_service;
  monitor.served_since_tick = false;
  monitor.failures_in_row = monitor.gateway_failures_in_row = 0;
  monitor.successes = monitor.failures = 0;
}

void OutlierDetector::count_members() {
  ejected_count_ = serving_count_ = 0;
  uneject_next_.reset();
  for (const Monitor& monitor : monitors_) {
    if (monitor.serves()) ++serving_count_;
    if (!monitor.ejection) continue;
    ++ejected_count_;
    const Instant until = monitor.ejection->until;
    uneject_next_ = uneject_next_ ? std::min(*uneject_next_, until) : until;
  }
}

void OutlierDetector::handle_tallies(Instant now, std::span<const Tally> tallies) {
  for (const Tally& tally : tallies) {
    Monitor* monitor = find(tally.backend);
    if (monitor == nullptr || !monitor->serves()) continue;
    monitor->successes += tally.successes;
    monitor->failures += tally.failures;
    judge_rows(now, *monitor, tally);
  }
}

// The narrower rule first, as its name says more of what was wrong.
void OutlierDetector::judge_rows(Instant now, Monitor& monitor, const Tally& tally) {
  const std::uint32_t gateway = join(monitor.gateway_failures_in_row, tally.gateway_run);
  const std::uint32_t failures = join(monitor.failures_in_row, tally.failure_run);
  const auto too_long = [](std::uint32_t row, std::uint32_t limit) {
    return limit > 0 && row >= limit;
  };
  if (too_long(gateway, config_.consecutive_gateway_failures)) {
    monitor.gateway_failures_in_row = 0;
    detect(now, monitor, OutlierRule::consecutive_gateway_failures);
  }
  if (monitor.serves() && too_long(failures, config_.consecutive_failures)) {
    monitor.failures_in_row = 0;
    detect(now, monitor, OutlierRule::consecutive_failures);
  }
}

Instant OutlierDetector::poll_timeout() const {
  return uneject_next_ ? std::min(*uneject_next_, interval_end_) : interval_end_;
}

void OutlierDetector::handle_timeout(Instant now) {
  if (uneject_next_ && *uneject_next_ <= now) {
    for (Monitor& monitor : monitors_) {
      if (monitor.ejection && monitor.ejection->until <= now) uneject(monitor);
    }
    count_members();
  }
  if (interval_end_ <= now) {
    judge_rates(now);
    end_interval(now);
  }
}

void OutlierDetector::judge_rates(Instant now) {
  struct Rated {
    std::uint32_t rate;  // Of success, in millionths.
    std::size_t index;
  };
  std::vector<Rated> rated;
  std::vector<std::uint32_t> rates;
  for (std::size_t i = 0; i < monitors_.size(); ++i) {
    const Monitor& monitor = monitors_[i];
    const std::uint64_t requests = monitor.successes + monitor.failures;
    if (!monitor.serves() || requests == 0 || requests < config_.min_requests) continue;
    rates.push_back(static_cast<std::uint32_t>(monitor.successes * kMillion / requests));
    rated.push_back({rates.back(), i});
  }
  if (rated.empty() || rated.size() < config_.min_backends) return;
  // The worst first: it goes before the others have used up what may be out.
  std::stable_sort(rated.begin(), rated.end(),
                   [](const Rated& left, const Rated& right) { return left.rate < right.rate; });
  const RateSpread spread(rates);
  for (const Rated& each : rated) {
    if (config_.success_rate_stdev <= 0) break;
    if (!spread.is_outlier(each.rate, config_.success_rate_stdev)) break;
    detect(now, monitors_[each.index], OutlierRule::success_rate);
  }
  for (const Rated& each : rated) {
    Monitor& monitor = monitors_[each.index];
    const std::uint64_t requests = monitor.successes + monitor.failures;
    const bool fails = monitor.failures * 100 > config_.failure_percent * requests;
    if (config_.failure_percent == 0 || !fails || !monitor.serves()) continue;
    detect(now, monitor, OutlierRule::failure_percent);
  }
}

void OutlierDetector::end_interval(Instant now) {
  for (Monitor& monitor : monitors_) {
    monitor.successes = monitor.failures = 0;
    if (monitor.served_since_tick && monitor.multiplier > 0) --monitor.multiplier;
    monitor.served_since_tick = monitor.serves();
  }
  // Whoever comes late (a suspended machine) has ended one interval, not many.
  interval_end_ += (now - interval_end_) / config_.interval * config_.interval + config_.interval;
}

void OutlierDetector::detect(Instant now, Monitor& monitor, OutlierRule rule) {
  ++counters_.detected[static_cast<std::size_t>(rule)];
  if (config_.detect_only) return;
  if (!may_eject()) {
    ++counters_.refused;
    return;
  }
  ++counters_.enforced[static_cast<std::size_t>(rule)];
  eject(now, monitor, rule);
}

bool OutlierDetector::may_eject() const {
  if (serving_count_ <= 1 || config_.max_ejected_percent == 0) return false;
  return ejected_count_ == 0 ||
         (ejected_count_ + 1) * 100 <= config_.max_ejected_percent * monitors_.size();
}

// REQUIRES: it serves.
void OutlierDetector::eject(Instant now, Monitor& monitor, OutlierRule rule) {
  monitor.multiplier = std::min(monitor.multiplier + 1, multiplier_max(config_));
  monitor.served_since_tick = false;
  monitor.failures_in_row = monitor.gateway_failures_in_row = 0;
  const Duration duration = ejection_time(config_, monitor.multiplier);
  monitor.ejection = EjectionChange{monitor.id, true, rule, duration, now + duration};
  ++ejected_count_;
  --serving_count_;
  uneject_next_ = std::min(uneject_next_.value_or(Instant::max()), monitor.ejection->until);
  changes_.push(*monitor.ejection);
}

void OutlierDetector::uneject(Monitor& monitor) {
  monitor.ejection->ejected = false;
  changes_.push(*monitor.ejection);
  monitor.ejection.reset();
  monitor.successes = monitor.failures = 0;
}

std::optional<EjectionChange> OutlierDetector::ejection(BackendId backend) const {
  const Monitor* monitor = find(backend);
  return monitor == nullptr ? std::nullopt : monitor->ejection;
}

const OutlierDetector::Monitor* OutlierDetector::find(BackendId backend) const {
  const auto place =
      std::lower_bound(monitors_.begin(), monitors_.end(), backend,
                       [](const Monitor& monitor, BackendId id) { return monitor.id < id; });
  return place == monitors_.end() || place->id != backend ? nullptr : &*place;
}

OutlierDetector::Monitor* OutlierDetector::find(BackendId backend) {
  return const_cast<Monitor*>(std::as_const(*this).find(backend));
}

// The deviation by integers: n sum(r^2) - sum(r)^2 is n^2 times the variance, and exactly zero when
// all rates are equal, so that nobody is an outlier by a rounding error.
RateSpread::RateSpread(std::span<const std::uint32_t> rates) : count_(rates.size()) {
  __extension__ using Wide = unsigned __int128;
  Wide squares = 0;
  for (const std::uint32_t rate : rates) {
    sum_ += rate;
    squares += Wide{rate} * rate;
  }
  const Wide scaled_variance = squares * count_ - Wide{sum_} * sum_;
  scaled_stdev_ = std::sqrt(static_cast<double>(scaled_variance));
}

double RateSpread::mean() const {
  return static_cast<double>(sum_) / static_cast<double>(count_) / 1e6;
}

double RateSpread::stdev() const { return scaled_stdev_ / static_cast<double>(count_) / 1e6; }

bool RateSpread::is_outlier(std::uint32_t rate, double factor) const {
  const auto scaled = static_cast<double>(count_ * rate);
  return scaled < static_cast<double>(sum_) - factor * scaled_stdev_;
}

std::string_view to_string(OutlierRule rule) {
  switch (rule) {
    case OutlierRule::consecutive_failures: return "consecutive_failures";
    case OutlierRule::consecutive_gateway_failures: return "consecutive_gateway_failures";
    case OutlierRule::success_rate: return "success_rate";
    case OutlierRule::failure_percent: return "failure_percent";
  }
  return "?";
}

}  // namespace lb
