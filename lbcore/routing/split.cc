#include "lbcore/routing/split.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb {
namespace {

// A hashing strategy may have the same key: the side a client is on must not decide its backend.
// The same for all routes: a client is on the same side of all splits with the same shares.
constexpr std::uint64_t kSalt = 0x73706c6974ULL;

// The point of [0, bound) that 64 uniform bits name (Lemire: "Fast random integer generation in an
// interval", TOMACS 2019); without the rejection, for which weights are too small to matter.
std::uint64_t scale(std::uint64_t bits, std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(bits) * bound >> 64U);
}

}  // namespace

Split::Split(const Sides& sides, const std::optional<KeyExpression>& key) : key_(key) {
  LB_ASSERT(!sides.empty());
  std::uint64_t sum = 0;
  for (const Side& side : sides) {
    LB_ASSERT(side.weight > 0);
    sum += side.weight;
    ends_.push_back({side.cluster, sum});
  }
}

ClusterId Split::pick(const RequestAttributes& request, std::uint64_t draw) const {
  if (trivial()) return ends_.front().cluster;
  const std::uint64_t bits = key_ ? combine(kSalt, key_of(*key_, request)) : draw;
  const std::uint64_t point = scale(bits, ends_.back().weight);
  const auto end = std::find_if(ends_.begin(), ends_.end(),
                                [&](const End& candidate) { return point < candidate.weight; });
  return end->cluster;
}

}  // namespace lb
