#include "lbsim/scenario/time_series.h"

#include <algorithm>

namespace lb::scenario {
namespace {

constexpr std::int64_t kIntervalsMax = 240;

void count(std::vector<std::uint32_t>& counts, std::size_t place) {
  if (place >= counts.size()) counts.resize(place + 1);
  ++counts[place];
}

std::uint64_t at(const std::vector<std::uint32_t>& counts, std::size_t place) {
  return place < counts.size() ? counts[place] : 0;
}

}  // namespace

Duration interval_for(Duration duration) {
  const auto fits = [&](std::int64_t interval) {
    return (duration.count() + interval - 1) / interval <= kIntervalsMax;
  };
  for (std::int64_t unit = 1;; unit *= 10) {
    for (const std::int64_t times : {1, 2, 5}) {
      if (fits(unit * times)) return Duration{unit * times};
    }
  }
}

TimeSeriesCollector::TimeSeriesCollector(Duration duration) : interval_(interval_for(duration)) {
  intervals_.resize(static_cast<std::size_t>((duration + interval_ - Duration{1}) / interval_));
}

void TimeSeriesCollector::add(const Sample& sample, std::size_t place) {
  const auto number = static_cast<std::size_t>(sample.sent / interval_);
  if (number >= intervals_.size()) return;
  Interval& interval = intervals_[number];
  ++interval.results[static_cast<std::size_t>(sample.result)];
  if (sample.result == ClientResult::ok) interval.latency.add(sample.latency);
  const bool answered =
      sample.result == ClientResult::ok || sample.result == ClientResult::server_error;
  if (!answered || place == ~std::size_t{0}) return;
  count(interval.answers, place);
  if (sample.result == ClientResult::server_error) count(interval.errors, place);
}

void TimeSeriesCollector::look(const Snapshot& snapshot) { snapshots_.push_back(snapshot); }

TimeSeries TimeSeriesCollector::finish(const std::vector<std::string>& names) const {
  TimeSeries series{
      .interval = interval_, .intervals = {}, .queued = {}, .backends = {}, .marks = marks_};
  series.backends.resize(names.size());
  for (const Interval& interval : intervals_) {
    const Histogram& latency = interval.latency;
    series.intervals.push_back({interval.results, latency.quantile(0.5), latency.quantile(0.9),
                                latency.quantile(0.99), latency.quantile(0.999)});
    for (std::size_t place = 0; place < names.size(); ++place) {
      series.backends[place].answers.push_back(at(interval.answers, place));
      series.backends[place].errors.push_back(at(interval.errors, place));
    }
  }
  for (std::size_t place = 0; place < names.size(); ++place) {
    series.backends[place].id = names[place];
    for (const Snapshot& snapshot : snapshots_) {
      const auto now =
          place < snapshot.backends.size() ? snapshot.backends[place] : Snapshot::OfBackend{};
      series.backends[place].in_flight.push_back(now.in_flight);
      series.backends[place].state.emplace_back(now.state);
    }
  }
  for (const Snapshot& snapshot : snapshots_) series.queued.push_back(snapshot.queued);
  return series;
}

}  // namespace lb::scenario
