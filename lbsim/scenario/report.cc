#include "lbsim/scenario/report.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

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

}  // namespace

std::string_view to_string(ClientResult result) {
  switch (result) {
    case ClientResult::ok: return "ok";
    case ClientResult::server_error: return "server_error";
    case ClientResult::timed_out: return "timed_out";
    case ClientResult::failed: return "failed";
  }
  return "?";
}

void Series::add(const Sample& sample) {
  ++results[static_cast<std::size_t>(sample.result)];
  if (sample.result == ClientResult::ok) latency.add(sample.latency);
}

std::uint64_t Series::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t result : results) sum += result;
  return sum;
}

double Series::error_ratio() const {
  if (count() == 0) return 0;
  return static_cast<double>(count() - count(ClientResult::ok)) / static_cast<double>(count());
}

bool Report::passed() const {
  return std::all_of(expectations.begin(), expectations.end(),
                     [](const ExpectationResult& result) { return result.passed; });
}

void Collector::Part::add(const Sample& sample, std::size_t place) {
  if (sample.sent < from || sample.sent >= to) return;
  total.add(sample);
  if (place == kNobody) return;
  if (place >= backends.size()) backends.resize(place + 1);
  backends[place].add(sample);
}

Collector::Collector(const Scenario& scenario, bool over_time)
    : scenario_(scenario), whole_{scenario.warmup, Duration::max(), {}, {}} {
  for (const auto& member : scenario.all_backends()) {
    static_cast<void>(place_of(member.backend.id));
  }
  whole_.backends.resize(names_.size());
  if (over_time) series_.emplace(scenario.duration);
  for (const Expectation& expectation : scenario.expect) {
    const bool own_window = expectation.from || expectation.to;
    const Duration from = expectation.from.value_or(scenario.warmup);
    const Duration to = expectation.to.value_or(Duration::max());
    parts_.push_back(own_window ? Part{from, to, {}, {}} : Part{Duration::max(), {}, {}, {}});
  }
}

// Somebody the scenario does not know may answer, too: a measured run goes through a real network.
std::size_t Collector::place_of(std::string_view backend) {
  if (backend.empty()) return kNobody;
  const auto known = places_.find(backend);
  if (known != places_.end()) return known->second;
  names_.emplace_back(backend);
  places_.emplace(names_.back(), names_.size() - 1);
  return names_.size() - 1;
}

void Collector::add(const Sample& sample, std::size_t place) {
  ++count_;
  whole_.add(sample, place);
  if (series_) series_->add(sample, place);
  for (Part& part : parts_) {
    if (part.from != Duration::max()) part.add(sample, place);
  }
}

double Collector::value_of(const Expectation& expectation, const Part& part,
                           const BalancerTotals& balancer) const {
  const Series& total = part.total;
  switch (expectation.metric) {
    case Metric::requests: return static_cast<double>(total.count());
    case Metric::error_ratio: return total.error_ratio();
    case Metric::throughput: {
      const Duration length = std::min(part.to, scenario_.duration) - part.from;
      return static_cast<double>(total.count(ClientResult::ok)) / seconds(length);
    }
    case Metric::share: {
      const auto place = places_.find(expectation.backend);
      if (place == places_.end() || place->second >= part.backends.size()) return 0;
      std::uint64_t all = 0;
      for (const Series& each : part.backends) all += each.answers();
      const std::uint64_t own = part.backends[place->second].answers();
      return all == 0 ? 0 : static_cast<double>(own) / static_cast<double>(all);
    }
    case Metric::retry_ratio:
      return balancer.requests == 0
                 ? 0
                 : static_cast<double>(balancer.retries) / static_cast<double>(balancer.requests);
    default: return latency_of(total.latency, expectation.metric);
  }
}

void BalancerTotals::add(const BalancerTotals& other) {
  requests += other.requests;
  attempts += other.attempts;
  retries += other.retries;
  connections_opened += other.connections_opened;
  connections_reused += other.connections_reused;
  for (const auto& [outcome, count] : other.outcomes) outcomes[outcome] += count;
}

Report Collector::finish(std::string world, const BalancerTotals& balancer) const {
  Report report;
  report.world = std::move(world);
  report.scenario = scenario_.name;
  report.why = scenario_.why;
  report.seed = scenario_.seed;
  report.duration = scenario_.duration;
  report.warmup = scenario_.warmup;
  report.total = whole_.total;
  for (std::size_t place = 0; place < whole_.backends.size(); ++place) {
    report.backends[names_[place]] = whole_.backends[place];
  }
  report.balancer = balancer;
  if (series_) {
    report.series = series_->finish(names_);
    for (const Event& event : scenario_.events) {
      report.series->marks.push_back({event.at, describe_event(event)});
    }
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Expectation& expectation = scenario_.expect[i];
    const Part& part = parts_[i].from == Duration::max() ? whole_ : parts_[i];
    ExpectationResult result{expectation, value_of(expectation, part, balancer), true};
    // Nothing to look at is not a pass: an expectation of a window without requests has not been
    // met, it has not been tested.
    const bool empty = part.total.count() == 0 && expectation.metric != Metric::requests;
    const bool no_latency = is_latency(expectation.metric) && part.total.latency.count() == 0;
    if (empty || no_latency) result.passed = false;
    if (expectation.min && result.value < *expectation.min) result.passed = false;
    if (expectation.max && result.value > *expectation.max) result.passed = false;
    report.expectations.push_back(std::move(result));
  }
  return report;
}

}  // namespace lb::scenario
