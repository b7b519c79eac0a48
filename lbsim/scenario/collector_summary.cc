// The figures of a part of the run that a report has, and how sure they are.
#include "lbcore/observables.h"
#include "lbsim/scenario/collector.h"

namespace lb::scenario {
namespace {

using At = PartCuts::At;

SeriesIntervals not_steady() {
  constexpr Interval kNone{Confidence::not_steady};
  SeriesIntervals intervals{.mean_latency = kNone, .error_ratio = kNone};
  intervals.quantiles.fill(kNone);
  intervals.ratios.fill(kNone);
  return intervals;
}

// An average and shares are those of requests by the time of their sending.
SeriesIntervals intervals_of(const Part& part) {
  SeriesIntervals intervals = part.total_batches.intervals(0, part.total.latency);
  intervals.mean_latency = part.batches.mean_latency();
  intervals.error_ratio = part.batches.error_ratio();
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    intervals.ratios[i] = part.batches.ratio(static_cast<ClientResult>(i));
  }
  return intervals;
}

Levels::OfBackend level_of(const PartCuts& cuts, std::size_t place) {
  const auto of = [place](auto member) {
    return [place, member](const At& at) { return at.cut->backends[place].*member; };
  };
  const auto mean_of = [&](LevelReading Cut::OfBackend::*member) {
    return cuts.mean([&](const At& at) { return (at.cut->backends[place].*member).integral; });
  };
  const auto peak_of = [&](LevelReading Cut::OfBackend::*member) {
    return cuts.peak([&](const Cut& cut) { return cut.backends[place].*member; });
  };
  Levels::OfBackend level{
      .in_flight_mean = mean_of(&Cut::OfBackend::in_flight),
      .in_flight_max = peak_of(&Cut::OfBackend::in_flight),
      .queue = {mean_of(&Cut::OfBackend::waiting), peak_of(&Cut::OfBackend::waiting)},
      .utilisation = std::nullopt,
      .out_mean = cuts.ratio(of(&Cut::OfBackend::out), of(&Cut::OfBackend::brains))};
  const Cut::OfBackend& begin = cuts.all.front().cut->backends[place];
  if (cuts.all.back().cut->backends[place].places > begin.places) {
    level.utilisation = cuts.ratio(of(&Cut::OfBackend::busy), of(&Cut::OfBackend::places));
  }
  return level;
}

}  // namespace

// Of its requests alone.
Summary Collector::slice_summary_of(const Part& part) const {
  const bool steady = is_steady(part);
  const Interval none{Confidence::not_steady};
  Summary summary{.from = part.from, .to = part.end};
  summary.clients = steady ? intervals_of(part) : not_steady();
  summary.throughput = {static_cast<double>(part.total.count(ClientResult::ok)) / part.seconds(),
                        steady ? part.batches.throughput() : none};
  summary.in_system_mean = {static_cast<double>(part.in_system) * 1e-9 / part.seconds(),
                            steady ? part.batches.in_system() : none};
  return summary;
}

Summary Collector::summary_of(const Part& part) const {
  Summary summary = slice_summary_of(part);
  summary.backends = shares_of(part);
  summary.fairness = fairness_of(part);
  summary.levels = levels_of(part);
  summary.effort = effort_of(part);
  return summary;
}

std::map<std::string, Summary::OfBackend> Collector::shares_of(const Part& part) const {
  static const Series kNothing;
  const bool steady = is_steady(part);
  const std::vector<Series>& all = part.backends.all();
  double answered = 0;
  for (const Series& series : all) answered += static_cast<double>(series.answers());
  const InBatches answers = part.backend_batches.answers();
  std::map<std::string, Summary::OfBackend> shares;
  for (std::size_t place = 0; place < names_.size(); ++place) {
    const Series& series = place < all.size() ? all[place] : kNothing;
    Summary::OfBackend& backend = shares[names_[place]];
    backend = {not_steady(), {0, {Confidence::not_steady}}};
    if (answered > 0) backend.share.value = static_cast<double>(series.answers()) / answered;
    if (!steady) continue;
    backend.clients = part.backend_batches.intervals(place, series.latency);
    backend.share.interval = interval_of_share(part.backend_batches.answers(place), answers);
  }
  return shares;
}

std::map<std::string, Estimate> Collector::fairness_of(const Part& part) const {
  struct Members {
    std::vector<double> answers;  // By weight.
    std::vector<InBatches> batches;
    std::uint64_t count = 0;
  };
  const bool batched = part.reported && is_steady(part);
  std::map<std::string, Members> clusters;
  for (const Scenario::Member& member : members_) {
    const std::size_t place = places_.find(member.backend.id)->second;
    const std::uint64_t answers =
        place < part.backends.all().size() ? part.backends.all()[place].answers() : 0;
    Members& members = clusters[member.cluster];
    members.answers.push_back(static_cast<double>(answers) / member.backend.weight);
    members.count += answers;
    if (!batched) continue;
    members.batches.push_back(part.backend_batches.answers(place));
    for (double& batch : members.batches.back()) batch /= member.backend.weight;
  }
  std::map<std::string, Estimate> fairness;
  for (const auto& [cluster, members] : clusters) {
    if (members.count == 0) continue;
    Estimate& estimate = fairness[cluster];
    estimate = {jain_index(members.answers), {Confidence::not_steady}};
    if (!batched) continue;
    const bool enough = static_cast<double>(members.count) >= kGoodAnswersMin;
    estimate.interval = enough ? interval_of_fairness(members.batches) : Interval{};
  }
  return fairness;
}

std::optional<Levels> Collector::levels_of(const Part& part) const {
  const PartCuts cuts = cuts_of(part);
  if (!cuts.known() || !cuts.all.front().cut->levels) return std::nullopt;
  const std::size_t count = cuts.all.back().cut->backends.size();
  Levels levels;
  levels.queue = {cuts.mean([](const At& at) { return at.cut->queued.integral; }),
                  cuts.peak([](const Cut& cut) { return cut.queued; })};
  for (std::size_t place = 0; place < count; ++place) {
    levels.backends[names_[place]] = level_of(cuts, place);
  }
  const auto sum_of = [&](auto of) {
    return [of](const At& at) {
      std::uint64_t sum = 0;
      for (const Cut::OfBackend& backend : at.cut->backends) sum += of(backend);
      return sum;
    };
  };
  const auto places = sum_of([](const Cut::OfBackend& backend) { return backend.places; });
  levels.in_flight_mean =
      cuts.mean(sum_of([](const Cut::OfBackend& backend) { return backend.in_flight.integral; }));
  if (places(cuts.all.back()) > places(cuts.all.front())) {
    levels.utilisation =
        cuts.ratio(sum_of([](const Cut::OfBackend& backend) { return backend.busy; }), places);
  }
  return levels;
}

std::optional<Effort> Collector::effort_of(const Part& part) const {
  const PartCuts cuts = cuts_of(part);
  if (!cuts.known()) return std::nullopt;
  const auto requests = [](const At& at) { return at.cut->balancer.requests; };
  const auto attempts = [](const At& at) { return at.cut->balancer.attempts; };
  Effort effort{
      .retry_ratio = cuts.ratio([](const At& at) { return at.cut->balancer.retries; }, requests),
      .refused_ratio =
          cuts.ratio([](const At& at) { return at.cut->balancer.refused(); }, requests),
      .amplification = {.interval = {Confidence::not_steady}}};
  const std::uint64_t wanted = part.total.count();
  if (wanted > 0) {
    effort.amplification.value =
        static_cast<double>(attempts(cuts.all.back()) - attempts(cuts.all.front())) /
        static_cast<double>(wanted);
  }
  if (!cuts.batched()) return effort;
  std::vector<Batch> batches;
  const std::vector<double> sent = part.batches.requests();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    batches.push_back(
        {static_cast<double>(attempts(cuts.all[i + 1]) - attempts(cuts.all[i])), sent[i]});
  }
  effort.amplification.interval = PartCuts::interval_where_some(batches);
  return effort;
}

}  // namespace lb::scenario
