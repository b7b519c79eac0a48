// Timeline: what the planned events of a scenario come to. Some come at random times, and those are
// made from the seed.
#pragma once

#include <cstddef>
#include <optional>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// Makes scenario.events out of scenario.plan, its seed and its duration. The number of an event
// that would happen more than kOccurrencesMax times, if one would; then there are no events.
[[nodiscard]] std::optional<std::size_t> make_timeline(Scenario& scenario);

// The same scenario with another seed. REQUIRES: it came out of load_scenario().
void reseed(Scenario& scenario, std::uint64_t seed);

}  // namespace lb::scenario
