// The order in which load-aware strategies compare two backends, in whole numbers: a quotient of
// floating point could differ in its last bit between compilers, and a pick with it.
#pragma once

#include "lbcore/strategy/strategy.h"

namespace lb {

// Fewer in flight per unit of weight: a/wa < b/wb, multiplied out.
[[nodiscard]] inline bool less_loaded(const BackendView& a, const BackendView& b) {
  return std::uint64_t{a.in_flight} * b.weight < std::uint64_t{b.in_flight} * a.weight;
}

}  // namespace lb
