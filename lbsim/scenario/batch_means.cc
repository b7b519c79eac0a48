#include "lbsim/scenario/batch_means.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

constexpr double kT = 2.045229642;  // Student's t, 29 degrees of freedom, 0.975.
constexpr double kOneSidedNormal = 1.644853627;

// Of deviations that sum to zero. Of n independent ones it is about normal, with mean -1/n and
// variance 1/n.
double lag_one_correlation(std::span<const double> deviations) {
  double squares = 0;
  double products = 0;
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    squares += deviations[i] * deviations[i];
    if (i > 0) products += deviations[i - 1] * deviations[i];
  }
  return squares == 0 ? 0 : products / squares;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Do the first `cut` values have another mean than the others, so far off that it matters?
bool differ(std::span<const double> values, std::size_t cut) {
  const auto rest = values.subspan(cut);
  const double mean = mean_of(rest);
  std::vector<double> deviations;
  double squares = 0;
  for (const double value : rest) {
    deviations.push_back(value - mean);
    squares += deviations.back() * deviations.back();
  }
  const auto n = static_cast<double>(rest.size());
  const double r = std::clamp(lag_one_correlation(deviations), 0.0, 0.95);
  const double variance = squares / (n - 1) * (1 + r) / (1 - r);
  const double error = std::sqrt(variance * (1 / n + 1 / static_cast<double>(cut)));
  constexpr double kErrors = 5;
  constexpr double kMatters = 0.01;  // Of the mean of all.
  return std::abs(mean_of(values.first(cut)) - mean) > kErrors * error &&
         std::abs(mean_of(values) - mean) > kMatters * mean;
}

}  // namespace

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::told: return "told";
    case Confidence::too_few: return "too_few";
    case Confidence::correlated: return "correlated";
    case Confidence::not_steady: return "not_steady";
  }
  return "?";
}

Interval interval_of(std::span<const double> deviations, double count) {
  LB_ASSERT(deviations.size() == BatchMeans::kBatches);
  constexpr auto kCount = static_cast<double>(BatchMeans::kBatches);
  const double limit = -1 / kCount + kOneSidedNormal / std::sqrt(kCount);
  if (lag_one_correlation(deviations) > limit) return {Confidence::correlated};
  double squares = 0;
  for (const double deviation : deviations) squares += deviation * deviation;
  const double error = std::sqrt(squares / (kCount - 1) * kCount) / count;
  return {Confidence::told, kT * error};
}

Interval interval_of(std::span<const Batch> batches) {
  Batch all;
  for (const Batch& batch : batches) {
    if (batch.count == 0) return {Confidence::too_few};
    all.sum += batch.sum;
    all.count += batch.count;
  }
  const double average = all.sum / all.count;
  std::vector<double> deviations;
  for (const Batch& batch : batches) {
    const double deviation = batch.sum - average * batch.count;
    // What rounding leaves where all batches agree is no correlation.
    const bool rounding = std::abs(deviation) < 1e-12 * std::abs(all.sum);
    deviations.push_back(rounding ? 0 : deviation);
  }
  return interval_of(deviations, all.count);
}

std::size_t mser(std::span<const double> values) {
  // From the end, so that each step adds one value (Welford's sums).
  double mean = 0;
  double squares = 0;
  double least = 0;
  std::size_t best = 0;
  for (std::size_t i = values.size(); i-- > 0;) {
    const auto n = static_cast<double>(values.size() - i);
    const double distance = values[i] - mean;
    mean += distance / n;
    squares += distance * (values[i] - mean);
    if (i > values.size() / 2) continue;
    const double statistic = squares / (n * n);
    if (i == values.size() / 2 || statistic <= least) {
      least = statistic;
      best = i;
    }
  }
  return best;
}

BatchMeans::BatchMeans(Duration from, Duration to)
    : from_(from),
      length_(std::max((to - from) / static_cast<std::int64_t>(kSlots), Duration{1})),
      last_begin_(from),
      slots_(kSlots) {
  LB_ASSERT(from < to);
}

template <class Of>
std::vector<Batch> BatchMeans::batches(Of of) const {
  std::vector<Batch> batches(kBatches);
  for (std::size_t i = 0; i < kSlots; ++i) {
    const Batch part = of(slots_[i]);
    batches[i / kSlotsPerBatch].sum += part.sum;
    batches[i / kSlotsPerBatch].count += part.count;
  }
  return batches;
}

Interval BatchMeans::mean_latency() const {
  const std::vector<Batch> all = batches([](const Slot& slot) {
    return Batch{static_cast<double>(slot.latency) * 1e-9,
                 static_cast<double>(slot.results[static_cast<std::size_t>(ClientResult::ok)])};
  });
  double answers = 0;
  for (const Batch& batch : all) answers += batch.count;
  if (answers < kGoodAnswersMin) return {Confidence::too_few};
  return interval_of(all);
}

Interval BatchMeans::ratio(ClientResult result) const {
  const std::vector<Batch> all = batches([&](const Slot& slot) {
    Batch part{static_cast<double>(slot.results[static_cast<std::size_t>(result)]), 0};
    for (const std::uint32_t count : slot.results) part.count += count;
    return part;
  });
  Batch sum;
  for (const Batch& batch : all) {
    sum.sum += batch.sum;
    sum.count += batch.count;
  }
  if (std::min(sum.sum, sum.count - sum.sum) < kCountedMin) return {Confidence::too_few};
  return interval_of(all);
}

Interval BatchMeans::error_ratio() const { return ratio(ClientResult::ok); }

Interval BatchMeans::throughput() const {
  const std::vector<Batch> all = batches([&](const Slot& slot) {
    return Batch{static_cast<double>(slot.results[static_cast<std::size_t>(ClientResult::ok)]),
                 seconds() / kSlotsPerBatch};
  });
  double answers = 0;
  for (const Batch& batch : all) answers += batch.sum;
  if (answers < kGoodAnswersMin) return {Confidence::too_few};
  return interval_of(all);
}

Interval BatchMeans::in_system() const {
  const std::vector<double> sent = requests();
  if (std::accumulate(sent.begin(), sent.end(), 0.0) < kGoodAnswersMin) {
    return {Confidence::too_few};
  }
  return interval_of(batches([&](const Slot& slot) {
    return Batch{static_cast<double>(slot.in_system) * 1e-9, seconds() / kSlotsPerBatch};
  }));
}

std::vector<double> BatchMeans::requests() const {
  std::vector<double> requests;
  for (const Batch& batch : batches([](const Slot& slot) {
         return Batch{.count = static_cast<double>(std::accumulate(
                          slot.results.begin(), slot.results.end(), std::uint64_t{0}))};
       })) {
    requests.push_back(batch.count);
  }
  return requests;
}

std::optional<Duration> BatchMeans::warmup_missing() const {
  std::vector<double> means;
  std::vector<std::size_t> slots;
  for (std::size_t i = 0; i < kSlots; ++i) {
    const auto answers = slots_[i].results[static_cast<std::size_t>(ClientResult::ok)];
    if (answers == 0) continue;
    means.push_back(static_cast<double>(slots_[i].latency) / answers);
    slots.push_back(i);
  }
  if (means.size() < kSlots / 2) return std::nullopt;
  const std::size_t cut = mser(means);
  if (cut == 0 || !differ(means, cut)) return std::nullopt;
  return length_ * static_cast<std::int64_t>(slots[cut]);
}

}  // namespace lb::scenario
