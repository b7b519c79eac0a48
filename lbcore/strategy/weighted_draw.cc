#include "lbcore/strategy/weighted_draw.h"

#include <algorithm>

namespace lb {

void WeightedDraw::rebuild(EligibleView eligible) {
  ends_.clear();
  total_ = 0;
  equal_weight_ = eligible.empty() ? 0 : eligible.front().weight;
  for (const BackendView& view : eligible) {
    total_ += view.weight;
    if (view.weight != equal_weight_) equal_weight_ = 0;
    ends_.push_back(total_);
  }
  if (equal_weight_ == 0) return;
  // Positions then are whole backends, and no search is needed.
  total_ = eligible.size();
  ends_.clear();
}

std::size_t WeightedDraw::at(std::uint64_t position) const {
  if (equal_weight_ != 0) return position;
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), position);
  return static_cast<std::size_t>(end - ends_.begin());
}

}  // namespace lb
