#include "lbcore/observables.h"

#include <algorithm>

namespace lb {

double jain_index(std::span<const double> values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) sum += value, squares += value * value;
  return squares == 0 ? 1.0 : sum * sum / (static_cast<double>(values.size()) * squares);
}

void ErrorTrend::record(Instant now, bool failed) {
  const std::int64_t slice = slice_of(now);
  if (slice != newest_) {
    const std::int64_t stale = std::min(slice - newest_, kSliceCount);
    for (std::int64_t n = 0; n < stale; ++n) {
      slices_[static_cast<std::size_t>((slice - n) % kSliceCount)] = {};
    }
    newest_ = slice;
  }
  Slice& current = slices_[static_cast<std::size_t>(slice % kSliceCount)];
  ++current.attempts;
  current.failures += failed ? 1 : 0;
}

ErrorTrend::Reading ErrorTrend::read(Instant now) const {
  const std::int64_t present = slice_of(now);
  std::array<Slice, 2> halves{};  // The newer, the older.
  for (std::int64_t age = 0; age < kSliceCount; ++age) {
    const std::int64_t number = present - age;
    if (number > newest_ || number <= newest_ - kSliceCount || number < 0) continue;
    const Slice& slice = slices_[static_cast<std::size_t>(number % kSliceCount)];
    Slice& half = halves[age < kSliceCount / 2 ? 0 : 1];
    half.attempts += slice.attempts;
    half.failures += slice.failures;
  }
  Reading reading{halves[0].attempts + halves[1].attempts, halves[0].failures + halves[1].failures,
                  std::nullopt};
  if (halves[0].attempts > 0 && halves[1].attempts > 0) {
    reading.change = static_cast<double>(halves[0].failures) / halves[0].attempts -
                     static_cast<double>(halves[1].failures) / halves[1].attempts;
  }
  return reading;
}

}  // namespace lb
