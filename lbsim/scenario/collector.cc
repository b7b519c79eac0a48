#include "lbsim/scenario/collector.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

bool has_level_rate(const Arrivals& arrivals) {
  if (const auto* poisson = std::get_if<Poisson>(&arrivals)) return poisson->rate.level();
  if (const auto* constant = std::get_if<ConstantRate>(&arrivals)) return constant->rate.level();
  return !std::holds_alternative<Replay>(arrivals);
}

}  // namespace

bool Report::passed() const {
  return std::all_of(expectations.begin(), expectations.end(), [](const ExpectationResult& result) {
    return result.passed || !result.measured;
  });
}

Collector::Collector(const Scenario& scenario, bool over_time)
    : scenario_(scenario), members_(scenario.all_backends()) {
  for (const auto& member : members_) static_cast<void>(place_of(member.backend.id));
  part_of(scenario.warmup, std::nullopt, Part::kEveryLoad, true);
  parts_.front().backends.resize(names_.size());
  for (std::uint32_t load = 0; load < scenario.load.size(); ++load) {
    const bool all = scenario.load.size() == 1;
    load_parts_.push_back(
        part_of(scenario.warmup, std::nullopt, all ? Part::kEveryLoad : load, false));
  }
  for (const Window& window : scenario.windows) {
    window_parts_.push_back(part_of(window.from, window.to, Part::kEveryLoad, true));
  }
  for (Part& part : parts_) part.report();
  for (const Expectation& expectation : scenario.expect) {
    questions_.push_back(question_of(expectation));
    if (questions_.back().recovery) recoveries_.push_back(questions_.size() - 1);
  }
  for (const Part& part : parts_) {
    const std::size_t batches = part.reported ? BatchMeans::kBatches : 1;
    for (std::size_t i = 0; i <= batches; ++i) {
      cut_times_.push_back(part.batch_time(i * BatchMeans::kBatches / batches));
    }
  }
  std::sort(cut_times_.begin(), cut_times_.end());
  cut_times_.erase(std::unique(cut_times_.begin(), cut_times_.end()), cut_times_.end());
  cuts_.resize(cut_times_.size());
  if (over_time) series_.emplace(scenario.duration);
}

std::size_t Collector::part_of(Duration from, std::optional<Duration> to, std::uint32_t load,
                               bool by_backend) {
  const Duration end = std::min(to.value_or(scenario_.duration), scenario_.duration);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    if (part.from != from || part.end != end || part.load != load) continue;
    part.by_backend = part.by_backend || by_backend;
    return i;
  }
  const bool open = end == scenario_.duration;
  parts_.emplace_back(from, open ? Duration::max() : end, end, load, by_backend);
  return parts_.size() - 1;
}

Collector::Question Collector::question_of(const Expectation& expectation) {
  Question question;
  std::uint32_t load = Part::kEveryLoad;
  for (std::uint32_t i = 0; i < scenario_.load.size() && scenario_.load.size() > 1; ++i) {
    if (scenario_.load[i].name == expectation.load) load = i;
  }
  Duration from = expectation.from.value_or(scenario_.warmup);
  std::optional<Duration> to = expectation.to;
  for (const Window& window : scenario_.windows) {
    if (window.name != expectation.window) continue;
    from = window.from;
    to = window.to;
  }
  if (expectation.metric == Metric::recovery_time) {
    question.recovery.emplace(expectation,
                              std::min(to.value_or(scenario_.duration), scenario_.duration));
    to.reset();
  }
  const bool by_backend = !expectation.backend.empty() || expectation.metric == Metric::fairness;
  question.part = part_of(from, to, load, by_backend);
  return question;
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
  time_in_system_ += static_cast<std::uint64_t>(sample.latency.count());
  for (Part& part : parts_) part.add(sample, place);
  if (series_) series_->add(sample, place);
  for (const std::size_t question : recoveries_) {
    const Part& part = parts_[questions_[question].part];
    if (part.load != Part::kEveryLoad && part.load != sample.load) continue;
    questions_[question].recovery->add(sample);
  }
}

const Cut* Collector::cut_at(Duration time) const {
  const auto found = std::lower_bound(cut_times_.begin(), cut_times_.end(), time);
  LB_ASSERT(found != cut_times_.end() && *found == time);
  const auto& cut = cuts_[static_cast<std::size_t>(found - cut_times_.begin())];
  return cut ? &*cut : nullptr;
}

PartCuts Collector::cuts_of(const Part& part) const {
  PartCuts cuts;
  const std::size_t count = part.reported && is_steady(part) ? BatchMeans::kBatches : 1;
  for (std::size_t i = 0; i <= count; ++i) {
    const Duration time = part.batch_time(i * BatchMeans::kBatches / count);
    cuts.all.push_back({cut_at(time), time});
  }
  std::erase_if(cuts.all, [&](const PartCuts::At& at) {
    return at.cut == nullptr && at.time != part.from && at.time != part.end;
  });
  // The highest of a level is that of all cuts, each of which says so since the one before.
  for (std::size_t i = 0; i < cuts_.size(); ++i) {
    const bool within = cut_times_[i] > part.from && cut_times_[i] <= part.end;
    if (within && cuts_[i]) cuts.within.push_back(&*cuts_[i]);
  }
  return cuts;
}

// Has it a long-run average at all?
bool Collector::is_steady(const Part& part) const {
  for (const Load& load : scenario_.load) {
    if (!has_level_rate(load.arrivals)) return false;
  }
  for (const auto& [_, behaviour] : scenario_.backends) {
    if (!behaviour.drift.empty()) return false;
  }
  return std::none_of(scenario_.events.begin(), scenario_.events.end(), [&](const Event& event) {
    return event.at > part.from && event.at < part.end;
  });
}

std::map<std::string, Series> Collector::backends_of(const Part& part) const {
  std::map<std::string, Series> backends;
  for (std::size_t place = 0; place < names_.size(); ++place) {
    backends[names_[place]] =
        place < part.backends.all().size() ? part.backends.all()[place] : Series{};
  }
  return backends;
}

void Collector::add_standing(Report& report) const {
  if (!standing_) return;
  report.standing.emplace();
  for (std::size_t place = 0; place < names_.size(); ++place) {
    (*report.standing)[names_[place]] = {
        standing_->exits(place, scenario_.warmup, scenario_.duration),
        standing_->out(place, scenario_.duration), standing_->changes(place)};
  }
}

void Collector::add_warnings(Report& report) const {
  const Part& whole = parts_.front();
  const auto missing = is_steady(whole) ? whole.batches.warmup_missing() : std::nullopt;
  if (missing) {
    report.warnings.push_back(fmt::format(
        "the start of the run differs from the rest: a \"warmup\" of {:.3g}s is too short, and by "
        "MSER-5 one of {:.3g}s would do",
        seconds(scenario_.warmup), seconds(scenario_.warmup + *missing)));
  }
  const auto unknown =
      std::count_if(report.expectations.begin(), report.expectations.end(),
                    [](const ExpectationResult& result) { return !result.measured; });
  if (unknown > 0) {
    report.warnings.push_back(
        fmt::format("{} of {} expectations could not be measured here: lbsim can tell", unknown,
                    report.expectations.size()));
  }
}

Report Collector::finish(std::string world, const BalancerTotals& balancer) {
  for (Part& part : parts_) part.finish();
  Report report;
  report.world = std::move(world);
  report.scenario = scenario_.name;
  report.why = scenario_.why;
  report.seed = scenario_.seed;
  report.duration = scenario_.duration;
  report.warmup = scenario_.warmup;
  const Part& whole = parts_.front();
  report.total = whole.total;
  report.backends = backends_of(whole);
  report.summary = summary_of(whole);
  for (std::size_t i = 0; i < load_parts_.size(); ++i) {
    const Part& part = parts_[load_parts_[i]];
    report.loads.push_back({scenario_.load[i].name, part.total, {}, slice_summary_of(part)});
  }
  for (std::size_t i = 0; i < window_parts_.size(); ++i) {
    const Part& part = parts_[window_parts_[i]];
    report.windows.push_back(
        {scenario_.windows[i].name, part.total, backends_of(part), summary_of(part)});
  }
  report.balancer = balancer;
  if (count_ > 0) {
    report.amplification = static_cast<double>(balancer.attempts) / static_cast<double>(count_);
  }
  add_standing(report);
  if (series_) {
    report.series = series_->finish(names_);
    std::vector<TimeSeries::Mark>& marks = report.series->marks;
    for (const Event& event : scenario_.events) marks.push_back({event.at, describe_event(event)});
    std::stable_sort(marks.begin(), marks.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
  }
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    report.expectations.push_back(judge(scenario_.expect[i], questions_[i], balancer));
  }
  add_warnings(report);
  return report;
}

}  // namespace lb::scenario
