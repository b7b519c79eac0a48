// DESCRIPTION  Draws `choice_count` different backends, in proportion to weight, and picks the
//   one with the fewest requests in flight per unit of weight: the power of two choices
//   (Mitzenmacher, TPDS 2001).
// GUARANTEES   Ties go to the earlier draw, so an idle cluster is shared by weight. With two
//   backends or `choice_count` of them all, every pick compares them all. When weights are equal
//   every set of `choice_count` is drawn equally often, with as many draws. Whoever is not open is
//   not compared. O(choice_count), by an alias table when weights differ.
// WEAKNESS     Sees counts, not latency: a backend that fails fast looks idle. Yet where several
//   balancers share stale counts it herds far less than an exact minimum does.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct LeastRequestConfig {
  static constexpr std::string_view kName = "least_request";
  static constexpr std::uint32_t kChoiceCountMax = 16;

  // Two gives nearly all there is to gain; more only costs draws and herds on stale counts.
  std::uint32_t choice_count = 2;

  bool operator==(const LeastRequestConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("choice_count", choice_count, {.min = 1, .max = kChoiceCountMax},
                    "how many different backends are drawn and compared");
  }
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const LeastRequestConfig& config);

}  // namespace lb
