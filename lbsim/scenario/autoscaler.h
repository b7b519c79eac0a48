// Autoscaler: a cluster that grows and shrinks with what its backends have to do, as a Horizontal
// Pod Autoscaler of Kubernetes makes it.
#pragma once

#include <cstdint>
#include <string>

#include "lbcore/cluster_config.h"

namespace lb::scenario {

struct Autoscaler {
  std::string cluster;
  std::uint32_t min = 1;
  std::uint32_t max = 10;
  double target_utilisation = 0.7;                     // Of the places of its backends.
  Duration interval = std::chrono::seconds{15};        // Between decisions.
  Duration start_delay = std::chrono::seconds{30};     // From a decision to a backend that is up.
  Duration stabilisation = std::chrono::seconds{300};  // It shrinks to the most it wanted in it.

  // Backend number n of those it may start, from 1: "web-1".
  [[nodiscard]] BackendConfig backend(std::uint32_t n) const {
    std::string id = cluster;
    id.append("-").append(std::to_string(n));
    std::string address = "10.255.";
    address.append(std::to_string(n / 250)).append(".").append(std::to_string(n % 250 + 1));
    return {.id = std::move(id), .address = address.append(":80")};
  }
};

}  // namespace lb::scenario
