#include "lbsim/scenario/latency_estimate.h"

#include <algorithm>
#include <bit>

namespace lb::scenario {
namespace {

// Numbers below 16 have a cell each; above, there are eight for each power of two.
std::size_t cell_of(std::size_t number) {
  if (number < 16) return number;
  const auto shift = static_cast<std::size_t>(std::bit_width(number)) - 4;
  return 8 * shift + (number >> shift);
}

}  // namespace

void LatencyEstimate::note(std::size_t found, Duration latency) {
  const std::size_t place = cell_of(found);
  if (place >= cells_.size()) cells_.resize(place + 1);
  Cell& cell = cells_[place];
  cell.latencies[cell.count++ % kKept] = latency;
}

Duration LatencyEstimate::of_next(std::size_t finding) const {
  const std::size_t place = cell_of(finding);
  for (std::size_t below = std::min(place + 1, cells_.size()); below > 0; --below) {
    if (cells_[below - 1].count > 0) return cells_[below - 1].median();
  }
  for (std::size_t above = place + 1; above < cells_.size(); ++above) {
    if (cells_[above].count > 0) return cells_[above].median();
  }
  return {};
}

Duration LatencyEstimate::Cell::median() const {
  std::array<Duration, kKept> sorted = latencies;
  const auto size = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, kKept));
  const auto middle = sorted.begin() + (size - 1) / 2;
  std::nth_element(sorted.begin(), middle, sorted.begin() + size);
  return *middle;
}

}  // namespace lb::scenario
