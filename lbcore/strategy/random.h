// DESCRIPTION  A random backend, in proportion to weight.
// GUARANTEES   Proportions are exact, not rounded. One draw a pick while all are open, and a few
//   more when it falls on one that is not; picks are independent of each other and of load. O(1),
//   by an alias table (Walker, TOMS 1977).
// WEAKNESS     Uneven over short times: after n picks on n backends the busiest has about
//   ln n / ln ln n of them. Useful when many balancers must not march in step.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct RandomConfig {
  static constexpr std::string_view kName = "random";
  bool operator==(const RandomConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const RandomConfig& config);

}  // namespace lb
