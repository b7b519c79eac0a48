// DESCRIPTION  The client's address names the backend, in proportion to weight: one client stays
//   on one backend for as long as the eligible set does not change. Not open, or with
//   `balance_factor` above its bound (bounded_load.h): the next one in order of id.
// GUARANTEES   Same key, same set, and room: same backend. Every backend owns its share of the
//   keys to one part in 2^64 / (n * sum of weights). No draw. O(1), by the alias table that
//   `random` draws from.
// WEAKNESS     When a backend comes or goes most clients move, not only those of that backend
//   (ring_hash, maglev and rendezvous are for that); clients behind one address all land on one
//   backend.
#pragma once

#include <memory>
#include <optional>

#include "lbcore/strategy/bounded_load.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct IpHashConfig {
  static constexpr std::string_view kName = "ip_hash";

  // Not set: an address that asks for more than its share gets it, from one backend.
  std::optional<double> balance_factor;

  bool operator==(const IpHashConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("balance_factor", balance_factor, {.min = 1, .max = BoundedLoad::kFactorMax},
                    "times its fair share of what is in flight that a backend may have; no bound "
                    "without it");
  }
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const IpHashConfig& config);

}  // namespace lb
