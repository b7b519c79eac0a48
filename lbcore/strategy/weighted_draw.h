// WeightedDraw: an index drawn in proportion to weight. Shared by the strategies that draw.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/strategy/strategy.h"

namespace lb {

class WeightedDraw {
 public:
  // O(n). Call whenever the eligible set or a weight changed.
  void rebuild(EligibleView eligible);

  // One draw: O(1) when all weights are equal, O(log n) otherwise. REQUIRES: a rebuild() before.
  [[nodiscard]] std::size_t draw(Prng& prng) const { return at(prng.below(total_)); }

  // The index that owns the position `key` falls on; the deterministic cousin of draw().
  [[nodiscard]] std::size_t owner(HashKey key) const { return at(key % total_); }

 private:
  [[nodiscard]] std::size_t at(std::uint64_t position) const;

  std::uint64_t total_ = 0;
  std::uint64_t equal_weight_ = 0;   // The weight all share, or 0 when they differ.
  std::vector<std::uint64_t> ends_;  // Running sums of the weights; empty when all are equal.
};

}  // namespace lb
