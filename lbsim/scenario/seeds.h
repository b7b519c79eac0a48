// Where each part of a scenario starts its draws. Both worlds take them from here, so that the same
// clients send the same requests to backends with the same service times; and a change to one part
// leaves the draws of the others as they were.
#pragma once

#include <cstdint>
#include <string_view>

#include "lbcore/hash.h"

namespace lb::scenario {

[[nodiscard]] inline std::uint64_t load_seed(std::uint64_t scenario_seed, std::size_t load_index) {
  return combine(combine(scenario_seed, 1), load_index);
}

[[nodiscard]] inline std::uint64_t backend_seed(std::uint64_t scenario_seed, std::string_view id) {
  return combine(combine(scenario_seed, 2), hash_bytes(id));
}

// The same part in a later life: that of a process which was started again.
[[nodiscard]] inline std::uint64_t in_life(std::uint64_t seed, std::uint32_t life) {
  return life == 0 ? seed : combine(seed, life);
}

// Of a brain in the simulator; lbd's start where the machine says.
[[nodiscard]] inline std::uint64_t brain_seed(std::uint64_t scenario_seed, std::uint32_t brain) {
  return combine(combine(scenario_seed, 3), brain);
}

// Of the control brain of each daemon in the simulator.
[[nodiscard]] inline std::uint64_t control_seed(std::uint64_t scenario_seed, std::uint32_t daemon) {
  const std::uint64_t first = combine(scenario_seed, 4);
  return daemon == 0 ? first : combine(first, daemon);
}

// Of the splits of routes in the simulator.
[[nodiscard]] inline std::uint64_t split_seed(std::uint64_t scenario_seed) {
  return combine(scenario_seed, 5);
}

// Of an event of the scenario that comes at random, by its place in the file.
[[nodiscard]] inline std::uint64_t event_seed(std::uint64_t scenario_seed, std::size_t event) {
  return combine(combine(scenario_seed, 6), event);
}

// Of the ways of clients to daemons.
[[nodiscard]] inline std::uint64_t fleet_seed(std::uint64_t scenario_seed) {
  return combine(scenario_seed, 16);
}

// Of how long daemons take to notice that a name has other addresses.
[[nodiscard]] inline std::uint64_t resolver_seed(std::uint64_t scenario_seed) {
  return combine(scenario_seed, 18);
}

// Of how long before the run a daemon was started.
[[nodiscard]] inline std::uint64_t age_seed(std::uint64_t scenario_seed, std::uint32_t daemon) {
  return combine(combine(scenario_seed, 17), daemon);
}

}  // namespace lb::scenario
