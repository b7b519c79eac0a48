// ClientDraw: which of the clients of an open loop sends next. All alike, or some far more often
// than others (Zipf); for good, or for a session after which another takes the place.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/prng.h"

namespace lb::scenario {

struct Clients {
  std::uint32_t count = 100;
  double zipf = 0;     // Client number k, from 0 on, weighs 1 / (k + 1)^zipf.
  double session = 0;  // Requests of one client on average; 0: it stays.

  Clients() = default;
  Clients(std::uint32_t all) : count(all) {}  // Implicit: mostly they are a number.
  bool operator==(const Clients&) const = default;
};

// Numbers in proportion to weights, in O(1): Walker's alias method as Vose builds it ("A linear
// algorithm for generating random numbers with a given distribution", IEEE TSE 17, 1991).
class AliasTable {
 public:
  explicit AliasTable(const std::vector<double>& weights);  // REQUIRES: one of them is above 0.

  // Two draws of the generator.
  [[nodiscard]] std::uint32_t draw(Prng& prng) const;

 private:
  struct Cell {
    double own = 1;           // The share of this cell that is its own number's.
    std::uint32_t other = 0;  // Whose the rest is.
  };
  std::vector<Cell> cells_;
};

class ClientDraw {
 public:
  explicit ClientDraw(const Clients& clients);  // REQUIRES: clients.count > 0.

  // The number of a client: its place among `count`, and `count` more for each that had this place
  // before. One draw of the generator, one more with a Zipf and one more with sessions.
  [[nodiscard]] std::uint32_t draw(Prng& prng);

 private:
  std::uint32_t count_;
  double leaves_ = 0;             // Probability that a request is the last one of its session.
  std::vector<AliasTable> zipf_;  // One, or none.
  std::vector<std::uint32_t> present_;  // With sessions: who has each place.
};

}  // namespace lb::scenario
