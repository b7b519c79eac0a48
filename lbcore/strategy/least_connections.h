// DESCRIPTION  The backend with the fewest requests in flight per unit of weight, of them all.
// GUARANTEES   Exact, among those that are open too. Ties go to the one picked longest ago, so an
//   idle cluster is shared evenly and not by position. No draw. A pick and a change of load are
//   O(log n) each; a pick looks at more only below backends that are least and not open.
// WEAKNESS     A backend that just joined or just emptied gets everything until it is level; and
//   balancers that do not know of each other's requests all choose the same one.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct LeastConnectionsConfig {
  static constexpr std::string_view kName = "least_connections";
  bool operator==(const LeastConnectionsConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const LeastConnectionsConfig& config);

}  // namespace lb
