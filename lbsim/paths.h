// Paths: what is wrong with the network between each daemon and each backend.
#pragma once

#include <cstdint>
#include <vector>

#include "lbcore/prng.h"
#include "lbsim/scenario/scenario.h"

namespace lb::sim {

class Paths {
 public:
  Paths(const scenario::Scenario& scenario, std::uint32_t daemons);

  // Losses and partitions begin or end; other faults are not of the network. A fault that names no
  // daemons is between the backend and all of them. O(daemons).
  void strike(std::uint32_t backend, const scenario::Fault& fault);

  // Nothing passes between these two.
  [[nodiscard]] bool cut(std::uint32_t backend, std::uint32_t daemon) const {
    return !troubled_[backend].empty() && troubled_[backend][daemon].cut;
  }
  [[nodiscard]] bool sound(std::uint32_t backend) const { return troubled_[backend].empty(); }

  // How long a message between these two is on its way beyond the usual, for being lost.
  [[nodiscard]] Duration draw_loss_delay(std::uint32_t backend, std::uint32_t daemon) {
    return troubled_[backend].empty() ? Duration{} : draw(backend, troubled_[backend][daemon]);
  }

 private:
  struct Path {
    bool cut = false;
    double loss = 0;
    Duration retransmit{};
  };
  [[nodiscard]] Duration draw(std::uint32_t backend, const Path& path);

  std::uint32_t daemons_;
  std::vector<std::vector<Path>> troubled_;  // By backend and daemon; empty where all is well.
  std::vector<Prng> prngs_;  // By backend, of their own: what is lost changes no service time.
};

}  // namespace lb::sim
