// DESCRIPTION  The client's address names the backend, in proportion to weight: one client stays
//   on one backend for as long as the eligible set does not change.
// GUARANTEES   Same key, same set: same backend. No draw. O(1) when all weights are equal,
//   O(log n) otherwise.
// WEAKNESS     When a backend comes or goes most clients move, not only those of that backend;
//   clients behind one address all land on one backend.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct IpHashConfig {
  static constexpr std::string_view kName = "ip_hash";
  bool operator==(const IpHashConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const IpHashConfig& config);

}  // namespace lb
