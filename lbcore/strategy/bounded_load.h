// Consistent hashing that no popular key overloads (Mirrokni, Thorup, Zadimoghaddam: "Consistent
// hashing with bounded loads", SODA 2018).
//
// With a factor f no backend takes a request that would bring it above
//   ceil(f * (in flight in all + 1) * weight / sum of weights).
// The bounds add up to more than there is in flight, so somebody always has room. Shared by the
// strategies that hash; each walks on in its own order of hashes.
#pragma once

#include <cstdint>
#include <optional>

#include "lbcore/assert.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

class BoundedLoad {
 public:
  static constexpr std::int64_t kFactorMax = 100;

  // No factor: no bound. It counts to the millionth, so that 1.1 is eleven tenths exactly.
  explicit BoundedLoad(std::optional<double> factor) {
    if (!factor) return;
    LB_ASSERT(*factor >= 1 && *factor <= static_cast<double>(kFactorMax));
    millionths_ = static_cast<std::uint64_t>(*factor * kMillion + 0.5);
  }

  void rebuild(EligibleView eligible) {
    weights_ = 0;
    for (const BackendView& view : eligible) weights_ += view.weight;
  }

  // May it take one more? For a whole number a and any x, a + 1 <= ceil(x) is a < x.
  [[nodiscard]] bool admits(const PickContext& context, std::size_t index) const {
    if (millionths_ == 0) return true;
    const BackendView& view = context.eligible[index];
    return Wide{view.in_flight} * weights_ * kMillion <
           Wide{context.in_flight + 1} * view.weight * millionths_;
  }

  [[nodiscard]] bool accepts(const PickContext& context, std::size_t index) const {
    return context.open.contains(index) && admits(context, index);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::uint32_t kMillion = 1'000'000;

  std::uint64_t millionths_ = 0;  // The factor; 0 for no bound.
  std::uint64_t weights_ = 0;     // Their sum.
};

// Of `owner` and then what next() names, time after time, the first that is open and below its
// bound. A ring is a long walk when nearly all of them are closed, so after kStepsMax and twice as
// many as there are backends the rest is searched by position. When nobody is both, the first that
// is open: a bound is no reason to refuse. REQUIRES: one or more open.
template <class Next>
[[nodiscard]] Pick pick_in_hash_order(const PickContext& context, const BoundedLoad& bound,
                                      std::size_t owner, Next next) {
  if (bound.accepts(context, owner)) return {owner, PickReason::hashed};
  constexpr std::size_t kStepsMax = 1000;
  const std::size_t count = context.eligible.size();
  std::optional<std::size_t> first_open;
  if (context.open.contains(owner)) first_open = owner;
  const auto accept = [&](std::size_t index) {
    if (!context.open.contains(index)) return false;
    if (!first_open) first_open = index;
    return bound.admits(context, index);
  };
  for (std::size_t n = 0; n < kStepsMax + 2 * count; ++n) {
    const std::size_t index = next();
    if (accept(index)) return {index, PickReason::moved_on};
  }
  for (std::size_t n = 1; n < count; ++n) {
    const std::size_t index = (owner + n) % count;
    if (accept(index)) return {index, PickReason::moved_on};
  }
  return {*first_open, *first_open == owner ? PickReason::hashed : PickReason::moved_on};
}

}  // namespace lb
