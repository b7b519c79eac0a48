// DESCRIPTION  Each backend has many virtual nodes on a ring, in proportion to weight; the key of a
//   request is a point of the ring, and the next node names the backend: consistent hashing (Karger
//   et al., STOC 1997) as ketama made it known. Not open, or with `balance_factor` above its bound
//   (bounded_load.h): the next node of another backend.
// GUARANTEES   A node's place is made from the backend's id and the number of the node alone. So
//   one that leaves moves its own keys and no others, and one that comes takes keys and moves none
//   between others. No draw. O(1) in the mean, in one line of memory: a key's slot is computed, not
//   searched.
//   Where that would make more than kNodesMax nodes everybody has its share of so many, or one.
//   Then a change moves about twice the keys it has to.
// COST         10 bytes a node: 16 kB for ten backends of weight 1, 2.6 MB at most. A rebuild takes
//   about 30 ns a node, 8 ms at most. Slow start takes its share of the keys, so that the ring need
//   not be rebuilt at every step.
// WEAKNESS     Chance makes the arcs: with v nodes shares deviate by about 1/sqrt(v), 8 % by
//   default and more where nodes have become fewer than configured; maglev is more even.
#pragma once

#include <memory>
#include <optional>

#include "lbcore/request_attributes.h"
#include "lbcore/strategy/bounded_load.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct RingHashConfig {
  static constexpr std::string_view kName = "ring_hash";
  static constexpr std::uint64_t kNodesMax = std::uint64_t{1} << 18U;

  KeyExpression key;
  // ketama's number: four nodes in each of forty hashes.
  std::uint32_t virtual_nodes = 160;
  std::optional<double> balance_factor;

  bool operator==(const RingHashConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("key", key, "what of a request names the backend");
    fields.optional("virtual_nodes", virtual_nodes, {.min = 1, .max = 4096},
                    "places on the ring for each unit of weight; more are more even");
    fields.optional("balance_factor", balance_factor, {.min = 1, .max = BoundedLoad::kFactorMax},
                    "times its fair share of what is in flight that a backend may have; no bound "
                    "without it");
  }
};

// Where the n-th node of a backend is, as a part of 2^64.
[[nodiscard]] std::uint64_t ring_place(BackendId id, std::uint64_t node);

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const RingHashConfig& config);

}  // namespace lb
