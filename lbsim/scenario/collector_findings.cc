// What an expectation asks for, out of what was collected.
#include <cmath>
#include <limits>

#include "lbsim/scenario/collector.h"

namespace lb::scenario {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double latency_of(const Histogram& latency, Metric metric) {
  switch (metric) {
    case Metric::latency_mean: return seconds(latency.mean());
    case Metric::latency_p50: return seconds(latency.quantile(0.5));
    case Metric::latency_p90: return seconds(latency.quantile(0.9));
    case Metric::latency_p99: return seconds(latency.quantile(0.99));
    case Metric::latency_p999: return seconds(latency.quantile(0.999));
    default: return seconds(latency.max());
  }
}

double value_of(const Series& series, Metric metric, double length) {
  const auto count = [&](ClientResult result) { return static_cast<double>(series.count(result)); };
  switch (metric) {
    case Metric::requests: return static_cast<double>(series.count());
    case Metric::ok: return count(ClientResult::ok);
    case Metric::server_error: return count(ClientResult::server_error);
    case Metric::timed_out: return count(ClientResult::timed_out);
    case Metric::failed: return count(ClientResult::failed);
    case Metric::error_ratio: return series.error_ratio();
    case Metric::ok_ratio: return series.ratio(ClientResult::ok);
    case Metric::server_error_ratio: return series.ratio(ClientResult::server_error);
    case Metric::timed_out_ratio: return series.ratio(ClientResult::timed_out);
    case Metric::failed_ratio: return series.ratio(ClientResult::failed);
    case Metric::throughput: return count(ClientResult::ok) / length;
    default: return latency_of(series.latency, metric);
  }
}

double share_of(const std::vector<Series>& backends, std::size_t place) {
  std::uint64_t all = 0;
  for (const Series& each : backends) all += each.answers();
  if (all == 0 || place >= backends.size()) return 0;
  return static_cast<double>(backends[place].answers()) / static_cast<double>(all);
}

}  // namespace

ExpectationResult Collector::judge(const Expectation& expectation, const Question& question,
                                   const BalancerTotals& balancer) const {
  Finding finding = find(expectation, question, balancer);
  ExpectationResult result{.expectation = expectation,
                           .value = finding.value,
                           .passed = finding.remark.empty(),
                           .measured = finding.measured,
                           .remark = std::move(finding.remark)};
  if (!result.remark.empty()) result.value = std::nan("");
  if (expectation.min && result.value < *expectation.min) result.passed = false;
  if (expectation.max && result.value > *expectation.max) result.passed = false;
  return result;
}

Collector::Finding Collector::find(const Expectation& expectation, const Question& question,
                                   const BalancerTotals& balancer) const {
  const Part& part = parts_[question.part];
  switch (traits(expectation.metric).origin) {
    case Origin::clients: return find_clients(expectation, question);
    case Origin::balancer: return find_balancer(expectation, part, balancer);
    case Origin::standing: return find_standing(expectation, part);
    case Origin::simulated: return find_level(expectation, part);
  }
  return {};
}

// Nothing to look at is not a pass: an expectation of a window without requests has not been met,
// it has not been tested.
Collector::Finding Collector::find_clients(const Expectation& expectation,
                                           const Question& question) const {
  const Metric metric = expectation.metric;
  const Finding nothing{0, "no request to judge by"};
  const Part& part = parts_[question.part];
  if (metric == Metric::recovery_time) {
    if (question.recovery->count() == 0) return nothing;
    const auto time = question.recovery->time();
    return {time ? seconds(*time) : kNever};
  }
  if (metric == Metric::in_system_mean) {
    return {static_cast<double>(part.in_system) * 1e-9 / part.seconds()};
  }
  const bool counts = traits(metric).unit == Unit::count;
  if (part.total.count() == 0 && !counts) return nothing;
  if (metric == Metric::share)
    return {share_of(part.backends.all(), place_in(expectation.backend))};
  if (metric == Metric::fairness) {
    const auto fairness = fairness_of(part);
    const auto found =
        expectation.cluster.empty() ? fairness.begin() : fairness.find(expectation.cluster);
    return found == fairness.end() ? nothing : Finding{found->second.value};
  }
  static const Series kNothing;
  const std::size_t place = place_in(expectation.backend);
  const Series& series = expectation.backend.empty()          ? part.total
                         : place < part.backends.all().size() ? part.backends.all()[place]
                                                              : kNothing;
  if (series.count() == 0 && !counts && metric != Metric::throughput) return nothing;
  if (is_latency(metric) && series.latency.count() == 0) return nothing;
  return {value_of(series, metric, part.seconds())};
}

Collector::Finding Collector::find_balancer(const Expectation& expectation, const Part& part,
                                            const BalancerTotals& whole_run) const {
  BalancerTotals totals = whole_run;
  if (expectation.from || expectation.to || !expectation.window.empty()) {
    const Cut* begin = cut_at(part.from);
    const Cut* end = cut_at(part.end);
    if (begin == nullptr || end == nullptr) return {0, "not measured", false};
    totals = end->balancer.since(begin->balancer);
  }
  if (expectation.metric == Metric::outcomes) {
    return {static_cast<double>(totals.outcome(expectation.outcome))};
  }
  if (totals.requests == 0) return {0, "no request to judge by"};
  switch (expectation.metric) {
    case Metric::outcome_ratio: return {totals.outcome_ratio(expectation.outcome)};
    case Metric::refused_ratio: return {totals.refused_ratio()};
    case Metric::amplification:
      return {static_cast<double>(totals.attempts) / static_cast<double>(count_)};
    default: return {totals.retry_ratio()};
  }
}

Collector::Finding Collector::find_standing(const Expectation& expectation,
                                            const Part& part) const {
  if (!standing_) return {0, "not measured", false};
  const std::size_t place = place_in(expectation.backend);
  if (expectation.metric == Metric::ejections) {
    std::uint64_t exits = 0;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (expectation.backend.empty() || i == place) {
        exits += standing_->exits(i, part.from, part.end);
      }
    }
    return {static_cast<double>(exits)};
  }
  const bool leaves = expectation.metric == Metric::time_to_eject;
  if (!leaves && !standing_->was_out(place, *expectation.after)) {
    return {0, expectation.backend + " was never out"};
  }
  const auto time = leaves ? standing_->time_to_leave(place, *expectation.after)
                           : standing_->time_to_return(place, *expectation.after);
  return {time ? seconds(*time) : kNever};
}

Collector::Finding Collector::find_level(const Expectation& expectation, const Part& part) const {
  const std::optional<Levels> levels = levels_of(part);
  if (!levels) return {0, "not measured", false};
  const auto backend = levels->backends.find(expectation.backend);
  const bool of_backend = backend != levels->backends.end();
  const Levels::Queue& queue = of_backend ? backend->second.queue : levels->queue;
  switch (expectation.metric) {
    case Metric::in_flight_mean:
      return {(of_backend ? backend->second.in_flight_mean : levels->in_flight_mean).value};
    case Metric::in_flight_max: return {static_cast<double>(backend->second.in_flight_max)};
    case Metric::queue_mean: return {queue.mean.value};
    case Metric::queue_max: return {static_cast<double>(queue.max)};
    case Metric::out_mean: return {backend->second.out_mean.value};
    default: break;
  }
  const auto& utilisation = of_backend ? backend->second.utilisation : levels->utilisation;
  if (!utilisation) return {0, "no backend was there"};
  return {utilisation->value};
}

std::size_t Collector::place_in(const std::string& backend) const {
  const auto found = places_.find(backend);
  return found == places_.end() ? kNobody : found->second;
}

}  // namespace lb::scenario
