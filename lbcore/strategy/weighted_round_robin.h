// DESCRIPTION  Smooth weighted round robin: picks in proportion to weight, spread as evenly as
//   whole picks allow. Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
// GUARANTEES   Over one cycle (as many picks as the weights add up to) each backend gets exactly
//   its weight. Ties go to the earlier backend. Whoever is not open loses its turn.
// COST         O(log of the number of different weights), amortised: some 20 ns for four of them,
//   below 100 ns for ten thousand.
// WEAKNESS     Blind to load, like round_robin.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct WeightedRoundRobinConfig {
  static constexpr std::string_view kName = "weighted_round_robin";
  bool operator==(const WeightedRoundRobinConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const WeightedRoundRobinConfig& config);

}  // namespace lb
