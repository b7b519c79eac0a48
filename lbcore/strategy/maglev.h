// DESCRIPTION  The key of a request names an entry of a table, and the table a backend. Each
//   backend has its own order of preference among the entries, made from its id, and they take
//   turns in claiming the first that is still free, as often as their weights say: Maglev (Eisenbud
//   et al.: "Maglev: a fast and reliable software network load balancer", NSDI 2016, section 3.4).
//   Not open, or with `balance_factor` above its bound (bounded_load.h): that of the next entry.
// GUARANTEES   With equal weights numbers of entries differ by one at most: with a hundred entries
//   a backend, shares of the keys by one percent. With other weights a backend has at most one
//   entry too many, and everybody has one: a table with fewer entries than backends is replaced by
//   one with a prime number of two to four times as many entries as there are backends. No draw.
//   O(1).
// COST         4 bytes an entry. A rebuild claims every entry anew: some milliseconds for 65537.
// WEAKNESS     When a backend leaves, its keys move and some others with them: of 65537 entries
//   0.3 % with ten backends and 0.6 % with a hundred or a thousand, by measurement (Envoy's
//   documentation says: as many again as its own, which is about so for a hundred). Larger tables
//   move fewer; ring_hash and rendezvous move none.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbcore/strategy/bounded_load.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct MaglevConfig {
  static constexpr std::string_view kName = "maglev";

  KeyExpression key;
  // A prime number, or some orders of preference would not reach every entry. The paper's choice:
  // it is a hundred times as many as 650 backends.
  std::uint32_t table_size = 65537;
  std::optional<double> balance_factor;

  bool operator==(const MaglevConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("key", key, "what of a request names the backend");
    fields.optional("table_size", table_size, {.min = 2, .max = 5'000'011},
                    "entries of the table, a prime number; a hundred times the backends or more");
    fields.optional("balance_factor", balance_factor, {.min = 1, .max = BoundedLoad::kFactorMax},
                    "times its fair share of what is in flight that a backend may have; no bound "
                    "without it");
  }
};

// The least prime number that is n or more: what a table_size has to be equal to.
[[nodiscard]] std::uint32_t next_prime(std::uint32_t n);

// How a backend claims entries: offset, offset + skip, offset + 2 skip, … modulo the table's size.
struct MaglevClaim {
  std::uint32_t offset = 0;  // Below the size.
  std::uint32_t skip = 1;    // From 1 to below the size.
  std::uint32_t weight = 1;
};

// Of each entry, which claim has got it. REQUIRES: `size` is prime, and not below the claims.
[[nodiscard]] std::vector<std::uint32_t> maglev_table(std::span<const MaglevClaim> claims,
                                                      std::uint32_t size);

// REQUIRES: config.table_size is prime; the configuration loader has refused anything else.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const MaglevConfig& config);

}  // namespace lb
