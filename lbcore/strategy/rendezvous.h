// DESCRIPTION  Key and backend together are hashed to a score, and the highest wins: rendezvous
//   hashing, or highest random weight (Thaler, Ravishankar: "Using name-based mappings to increase
//   hit rates", IEEE/ACM ToN 1998). With weights the score is weight / -ln(u), u being the hash as
//   a number from 0 to 1 (Resch: "New hashing algorithms for data storage", SDC 2015).
//   Not open, or with `balance_factor` above its bound (bounded_load.h): the next highest score.
// GUARANTEES   A backend that leaves moves its own keys and no others, to everybody else in
//   proportion to weight; one that comes or gets heavier takes keys from the others and moves none
//   between them. Shares are exactly in proportion to weight, but for chance. No draw, no table.
// COST         O(n): a hash of each backend for each pick, 1 to 2 ns.
// WEAKNESS     Just that. Above some hundred backends maglev or ring_hash is the better choice.
#pragma once

#include <memory>
#include <optional>

#include "lbcore/request_attributes.h"
#include "lbcore/strategy/bounded_load.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct RendezvousConfig {
  static constexpr std::string_view kName = "rendezvous";

  KeyExpression key;
  std::optional<double> balance_factor;

  bool operator==(const RendezvousConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("key", key, "what of a request names the backend");
    fields.optional("balance_factor", balance_factor, {.min = 1, .max = BoundedLoad::kFactorMax},
                    "times its fair share of what is in flight that a backend may have; no bound "
                    "without it");
  }
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const RendezvousConfig& config);

}  // namespace lb
