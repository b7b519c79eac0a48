// How a backend serves, as a text of its own: what the harness hands to each fake backend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// JSON with the keys of one backend under "backends"; what was written reads back as the same.
[[nodiscard]] std::string write_behaviour(const Behaviour& behaviour);

// The keys that fake backends cannot act out, of those that are set: they are processes with places
// and a queue, not machines.
[[nodiscard]] std::vector<std::string_view> simulated_only(const Behaviour& behaviour);
inline constexpr std::string_view kSimulatedOnly =
    "only lbsim can play this; fake backends cannot do it";

inline constexpr std::string_view kOneDaemonOnly =
    "only lbsim can play this; the harness has one daemon, which runs all the time";

struct LoadedBehaviour {
  Behaviour behaviour;
  std::string problems;  // One formatted line each; empty when it may be used.
};
// YAML or JSON, by the ending of the name. What only the simulator can play is a problem.
[[nodiscard]] LoadedBehaviour load_behaviour(std::string_view text, const std::string& file_name,
                                             const ReadFile& read_file);

}  // namespace lb::scenario
