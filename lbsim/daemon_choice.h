// DaemonChoice: to which daemon of a fleet a client's request goes.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/hash.h"
#include "lbcore/prng.h"
#include "lbsim/scenario/fleet.h"

namespace lb::sim {

class DaemonChoice {
 public:
  DaemonChoice(const scenario::Fleet& fleet, std::uint64_t seed);

  // For the next request of a client with this address. O(log n) for n daemons, O(1) for one.
  [[nodiscard]] std::uint32_t next(HashKey client);

  // One that found a daemon closed goes to another: it knows the addresses of all. Of clients by
  // hash each knows one address, behind which the network chose.
  [[nodiscard]] bool knows_all() const { return by_ != scenario::ClientsBy::hash; }
  [[nodiscard]] std::uint32_t after(std::uint32_t daemon) const {
    return daemon + 1 < ends_.size() ? daemon + 1 : 0;
  }

 private:
  scenario::ClientsBy by_;
  std::vector<std::uint64_t> ends_;  // By daemon: where its part of the row of all shares ends.
  std::uint64_t seed_;               // A hash of its own: workers are chosen by the address, too.
  std::uint64_t turn_ = 0;
  Prng prng_;
};

}  // namespace lb::sim
