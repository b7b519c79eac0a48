// WeightedDraw: an index drawn in proportion to weight, in constant time. Shared by the strategies
// that draw.
//
// The alias method (Walker: "An efficient method for generating discrete random variables with
// general distributions", TOMS 1977) in whole numbers, so that proportions are exact. Every backend
// has a column as high as the sum of all weights; n columns hold n times every weight, cut so that
// a column has two owners at most: its backend below the cut, one other above it.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/strategy/strategy.h"

namespace lb {

class WeightedDraw {
 public:
  // O(n); 16 bytes a backend, none when all weights are equal. Call whenever the eligible set or a
  // weight changed. REQUIRES: n times the sum of the weights below 2^64.
  void rebuild(EligibleView eligible);

  // Without bias: prng.below(points()), and the owner of that point. REQUIRES: a rebuild() before.
  [[nodiscard]] std::size_t draw(Prng& prng) const {
    Point point = point_at(prng.next());
    while (point.rest < rejected_below_) point = point_at(prng.next());
    return owner(point);
  }

  // The same again and again until it is open, a few times at most: with nearly all of them closed
  // the answer may be a closed one.
  [[nodiscard]] std::size_t draw_open(Prng& prng, const OpenSet& open) const {
    std::size_t index = draw(prng);
    if (open.all()) return index;
    for (int n = 0; n < kRedrawsMax && !open.contains(index); ++n) index = draw(prng);
    return index;
  }

  // The index that owns the point `key` falls on when 2^64 keys are spread over all points; the
  // deterministic cousin of draw(). A backend's share of the keys is off by less than
  // points() / 2^64 of itself.
  [[nodiscard]] std::size_t owner(HashKey key) const { return owner(point_at(key)); }

  // Points there are, the same number of them for each unit of weight.
  [[nodiscard]] std::uint64_t points() const { return column_count_ * height_; }
  [[nodiscard]] bool equal_weights() const { return columns_.empty(); }

  static constexpr int kRedrawsMax = 8;

 private:
  __extension__ using Wide = unsigned __int128;

  struct Column {
    std::uint64_t cut = 0;    // Points below it are the column's own backend's.
    std::uint32_t other = 0;  // The owner of those above.
  };
  struct Point {
    std::uint64_t column;
    std::uint64_t offset;
    std::uint64_t rest;
  };

  // bits * points() / 2^64, taken apart. Two multiplications do what a division by the height
  // would: the fraction left over by the column number names the offset in the column.
  [[nodiscard]] Point point_at(std::uint64_t bits) const {
    const Wide column = static_cast<Wide>(bits) * column_count_;
    const Wide offset = static_cast<Wide>(static_cast<std::uint64_t>(column)) * height_;
    return {static_cast<std::uint64_t>(column >> 64U), static_cast<std::uint64_t>(offset >> 64U),
            static_cast<std::uint64_t>(offset)};
  }

  [[nodiscard]] std::size_t owner(const Point& point) const {
    if (columns_.empty()) return point.column;
    const Column& column = columns_[point.column];
    // A mask, not a branch: which of the two it is cannot be guessed.
    const std::uint64_t above = 0 - std::uint64_t{point.offset >= column.cut};
    return point.column ^ ((point.column ^ column.other) & above);
  }

  std::uint64_t column_count_ = 0;
  std::uint64_t height_ = 0;          // The sum of the weights; 1 when all are equal.
  std::uint64_t rejected_below_ = 0;  // 2^64 modulo points(): see Prng::below.
  std::vector<Column> columns_;       // Empty when all weights are equal.
};

}  // namespace lb
