// IMPLEMENTATION  One sweep over the light (at most a column) and one over the heavy, without any
//   list of either (Hübschle-Schneider, Sanders: "Parallel weighted random sampling", ESA 2019).
//   The heavy one in hand tops up the columns of light ones until what is left of it fits into its
//   own, which the next heavy one tops up.
#include "lbcore/strategy/weighted_draw.h"

#include <limits>

#include "lbcore/assert.h"

namespace lb {

void WeightedDraw::rebuild(EligibleView eligible) {
  const std::size_t count = eligible.size();
  column_count_ = count;
  height_ = 0;
  columns_.clear();
  bool equal = true;
  for (const BackendView& view : eligible) {
    height_ += view.weight;
    equal = equal && view.weight == eligible.front().weight;
  }
  if (equal) height_ = 1;
  if (count == 0) return;
  LB_ASSERT(height_ <= std::numeric_limits<std::uint64_t>::max() / count);
  rejected_below_ = (0 - points()) % points();
  if (equal) return;

  const auto points_of = [&](std::size_t i) { return std::uint64_t{eligible[i].weight} * count; };
  const auto next = [&](std::size_t i, bool heavy) {
    while (i < count && (points_of(i) > height_) != heavy) ++i;
    return i;
  };
  columns_.assign(count, Column{height_, 0});
  std::size_t light = next(0, false);
  std::size_t heavy = next(0, true);
  std::uint64_t left = points_of(heavy);  // Of the heavy one in hand. Weights differ: there is one.
  for (;;) {
    if (left > height_) {
      columns_[light] = {points_of(light), static_cast<std::uint32_t>(heavy)};
      left -= height_ - points_of(light);
      light = next(light + 1, false);
    } else {
      const std::size_t following = next(heavy + 1, true);
      if (following == count) break;
      columns_[heavy] = {left, static_cast<std::uint32_t>(following)};
      left = points_of(following) - (height_ - left);
      heavy = following;
    }
  }
}

}  // namespace lb
