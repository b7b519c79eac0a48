// How a backend serves, as a text of its own: what the harness hands to each fake backend.
#pragma once

#include <string>
#include <string_view>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// JSON with the keys of one backend under "backends"; what was written reads back as the same.
[[nodiscard]] std::string write_behaviour(const Behaviour& behaviour);

struct LoadedBehaviour {
  Behaviour behaviour;
  std::string problems;  // One formatted line each; empty when it may be used.
};
// YAML or JSON, by the ending of the name.
[[nodiscard]] LoadedBehaviour load_behaviour(std::string_view text, const std::string& file_name,
                                             const ReadFile& read_file);

}  // namespace lb::scenario
