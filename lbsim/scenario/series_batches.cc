#include "lbsim/scenario/series_batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lbcore/assert.h"
#include "lbcore/observables.h"

namespace lb::scenario {
namespace {

constexpr auto kOk = static_cast<std::size_t>(ClientResult::ok);
constexpr auto kServerError = static_cast<std::size_t>(ClientResult::server_error);

double sum_of(const InBatches& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

template <class Batches, class Of>
InBatches each(const Batches& batches, Of of) {
  InBatches values;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(of(batches[i]));
  return values;
}

Interval interval_of_ratio(const InBatches& sums, const InBatches& counts) {
  std::array<Batch, BatchMeans::kBatches> batches;
  for (std::size_t i = 0; i < batches.size(); ++i) batches[i] = {sums[i], counts[i]};
  return interval_of(batches);
}

// How sure the share of values below a step is, as a multiple of sqrt(p (1 - p)) for a share of p.
// Nothing where too few are on one of its sides.
struct Spread {
  Interval interval{Confidence::too_few};

  Spread(const InBatches& below, const InBatches& counts) {
    const double all = sum_of(counts);
    const double part = sum_of(below);
    if (std::min(part, all - part) < kCountedMin) return;
    interval = interval_of_ratio(below, counts);
    interval.half_width /= std::sqrt(part / all * (1 - part / all));
  }
};

}  // namespace

void SeriesBatches::end_batch(std::span<const Series> all) {
  LB_ASSERT(ended() < BatchMeans::kBatches);
  End& end = ends_.emplace_back();
  end.counts.reserve(all.size());
  for (const Series& series : all) {
    Counts& counts = end.counts.emplace_back();
    counts.latency = series.latency.sum();
    for (std::size_t i = 0; i < kClientResultCount; ++i) {
      counts.results[i] = static_cast<std::uint32_t>(series.results[i]);
    }
    const std::vector<std::uint64_t>& steps = series.latency.steps();
    const auto first = std::find_if(steps.begin(), steps.end(), [](auto n) { return n > 0; });
    counts.first_step = static_cast<std::uint32_t>(first - steps.begin());
    counts.steps_begin = static_cast<std::uint32_t>(end.steps.size());
    std::uint32_t sum = 0;
    for (auto step = first; step != steps.end(); ++step) {
      end.steps.push_back(sum += static_cast<std::uint32_t>(*step));
    }
  }
  end.steps.shrink_to_fit();
}

SeriesBatches::Batches SeriesBatches::batches_of(std::size_t place) const {
  LB_ASSERT(ended() == BatchMeans::kBatches);
  Batches batches;
  Counts before;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const std::vector<Counts>& counts = ends_[i].counts;
    const Counts now = place < counts.size() ? counts[place] : Counts{};
    batches[i].latency = now.latency - before.latency;
    for (std::size_t result = 0; result < kClientResultCount; ++result) {
      batches[i].results[result] = now.results[result] - before.results[result];
    }
    before = now;
  }
  return batches;
}

// Values that are below a step, in each batch.
InBatches SeriesBatches::below(std::size_t place, std::size_t step) const {
  InBatches values{};
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& [counts, steps] = ends_[i];
    if (place >= counts.size() || counts[place].first_step >= step) continue;
    const std::size_t begin = counts[place].steps_begin;
    const std::size_t end =
        place + 1 < counts.size() ? counts[place + 1].steps_begin : steps.size();
    if (begin == end) continue;  // Nothing so far.
    const std::uint32_t now = steps[std::min(begin + step - counts[place].first_step, end) - 1];
    values[i] = static_cast<double>(now - before);
    before = now;
  }
  return values;
}

InBatches SeriesBatches::answers(std::size_t place) const {
  return each(batches_of(place), [](const Counts& batch) {
    return std::uint64_t{batch.results[kOk]} + batch.results[kServerError];
  });
}

InBatches SeriesBatches::answers() const {
  InBatches all{};
  for (std::size_t place = 0; place < ends_.back().counts.size(); ++place) {
    const InBatches own = answers(place);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += own[i];
  }
  return all;
}

SeriesIntervals SeriesBatches::intervals(std::size_t place, const Histogram& latency) const {
  const Batches batches = batches_of(place);
  const InBatches all = each(batches, [](const Counts& batch) {
    return std::accumulate(batch.results.begin(), batch.results.end(), std::uint64_t{0});
  });
  const auto ended = [&](std::size_t result) {
    return each(batches, [&](const Counts& batch) { return batch.results[result]; });
  };
  SeriesIntervals intervals;
  for (std::size_t result = 0; result < kClientResultCount; ++result) {
    intervals.ratios[result] = interval_of_share(ended(result), all);
  }
  intervals.error_ratio = intervals.ratios[kOk];
  if (static_cast<double>(latency.count()) < kGoodAnswersMin) return intervals;
  intervals.mean_latency = interval_of_ratio(
      each(batches, [](const Counts& batch) { return static_cast<double>(batch.latency) * 1e-9; }),
      ended(kOk));
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    intervals.quantiles[i] = quantile({place, latency, ended(kOk)}, kQuantiles[i]);
  }
  return intervals;
}

Interval SeriesBatches::quantile(const Values& of, double q) const {
  const Histogram& latency = of.latency;
  const auto all = static_cast<double>(latency.count());
  if (all * std::min(q, 1 - q) < kCountedMin) return {};
  // The step that the quantile is in: so many are below it, and so many in it.
  const std::vector<std::uint64_t>& steps = latency.steps();
  std::size_t step = 0;
  double under = 0;
  for (; under + static_cast<double>(steps[step]) < q * all; ++step) {
    under += static_cast<double>(steps[step]);
  }
  const double into = (q * all - under) / static_cast<double>(steps[step]);
  const Interval lower = Spread(below(of.place, step), of.counts).interval;
  const Interval upper = Spread(below(of.place, step + 1), of.counts).interval;
  if (lower.confidence == Confidence::too_few && upper.confidence == Confidence::too_few) return {};
  const bool nearer_is_lower = upper.confidence == Confidence::too_few ||
                               (lower.confidence != Confidence::too_few && into < 0.5);
  const Interval& nearer = nearer_is_lower ? lower : upper;
  const Interval& other = nearer_is_lower ? upper : lower;
  if (nearer.confidence != Confidence::told) return nearer;
  double spread = nearer.half_width;
  if (other.confidence == Confidence::told) {
    spread = std::lerp(lower.half_width, upper.half_width, into);
  }
  const double share = spread * std::sqrt(q * (1 - q));
  // Answers of a tail come together: how many there are says less than how far they scatter.
  if (share > std::min(q, 1 - q) / 2) return {};
  const Duration width = latency.quantile(q + share) - latency.quantile(q - share);
  return {Confidence::told, std::chrono::duration<double>(width).count() / 2};
}

Interval interval_of_share(const InBatches& part, const InBatches& whole) {
  const double counted = sum_of(part);
  if (std::min(counted, sum_of(whole) - counted) < kCountedMin) return {};
  return interval_of_ratio(part, whole);
}

Interval interval_of_fairness(std::span<const InBatches> parts) {
  constexpr auto kBatches = static_cast<double>(BatchMeans::kBatches);
  std::vector<double> all;
  for (const InBatches& part : parts) all.push_back(sum_of(part));
  // Without one batch each.
  InBatches without;
  std::vector<double> rest(all.size());
  for (std::size_t batch = 0; batch < without.size(); ++batch) {
    for (std::size_t i = 0; i < all.size(); ++i) rest[i] = all[i] - parts[i][batch];
    if (std::all_of(rest.begin(), rest.end(), [](double x) { return x <= 0; })) return {};
    without[batch] = jain_index(rest);
  }
  const double mean = sum_of(without) / kBatches;
  const double bias = (kBatches - 1) * (mean - jain_index(all));
  const InBatches deviations =
      each(without, [&](double value) { return (kBatches - 1) * (mean - value); });
  Interval interval = interval_of(deviations, kBatches);
  interval.half_width += std::abs(bias);
  return interval;
}

}  // namespace lb::scenario
