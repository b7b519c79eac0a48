// DESCRIPTION  Each backend in turn, weights ignored.
// GUARANTEES   While the eligible set does not change, counts differ by at most one. A change
//   does not restart the turn: the next pick is the one after the last picked. Whoever is not open
//   loses its turn and none but that. O(1).
// WEAKNESS     Blind to load: a slow backend gets as much as a fast one, and its queue grows.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct RoundRobinConfig {
  static constexpr std::string_view kName = "round_robin";
  bool operator==(const RoundRobinConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const RoundRobinConfig& config);

}  // namespace lb
