#include "lbsim/scenario/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lbcore/assert.h"

namespace lb::scenario {
namespace {

constexpr unsigned kSplitBits = 9;  // 512 buckets for each power of two.

std::size_t bucket_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= kSplitBits + 1) return value;
  const unsigned shift = width - (kSplitBits + 1);
  return (std::size_t{shift} << kSplitBits) + (value >> shift);
}

constexpr unsigned kStepBits = kSplitBits - 2;
constexpr std::size_t kStep = std::size_t{1} << kStepBits;  // Buckets in a step.

std::uint64_t middle_of(std::size_t bucket) {
  if (bucket < (std::size_t{2} << kSplitBits)) return bucket;
  const std::size_t shift = (bucket >> kSplitBits) - 1;
  const std::uint64_t low = (bucket - (shift << kSplitBits)) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1U);
}

}  // namespace

void Histogram::add(Duration value) {
  LB_ASSERT(value.count() >= 0);
  const auto nanoseconds = static_cast<std::uint64_t>(value.count());
  const std::size_t bucket = bucket_of(nanoseconds);
  const std::size_t step = bucket >> kStepBits;
  if (step >= steps_.size()) {
    steps_.resize(step + 1);
    buckets_.resize((step + 1) * kStep);
  }
  if (++buckets_[bucket] == 0) ++overflows_[bucket];
  ++steps_[step];
  ++count_;
  sum_ += nanoseconds;
  max_ = std::max(max_, value);
}

void Histogram::prefetch(Duration value) const {
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(value.count()));
  if (bucket >= buckets_.size()) return;
  __builtin_prefetch(&buckets_[bucket], 1);
  __builtin_prefetch(&steps_[bucket >> kStepBits], 1);
}

std::uint64_t Histogram::count_in(std::size_t bucket) const {
  const auto overflow = overflows_.find(bucket);
  return buckets_[bucket] + (overflow == overflows_.end() ? 0 : overflow->second << 16U);
}

Duration Histogram::mean() const {
  return count_ == 0 ? Duration{} : Duration{static_cast<std::int64_t>(sum_ / count_)};
}

Duration Histogram::quantile(double q) const {
  if (count_ == 0) return {};
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  std::size_t step = 0;
  // By steps first: a report asks for thousands of quantiles.
  while (seen + steps_[step] < rank) seen += steps_[step++];
  std::size_t bucket = step * kStep;
  while ((seen += count_in(bucket)) < rank) ++bucket;
  return std::min(Duration{static_cast<std::int64_t>(middle_of(bucket))}, max_);
}

}  // namespace lb::scenario
