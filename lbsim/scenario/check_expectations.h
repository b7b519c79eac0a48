// Whether what windows and expectations name is in the scenario, and when they say is within it.
#pragma once

#include "lbcore/config/reader.h"
#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// REQUIRES: the scenario was read without problems.
void check_windows(const config::ObjectReader& reader, const Scenario& scenario);
void check_expectations(const config::ObjectReader& reader, const Scenario& scenario);

}  // namespace lb::scenario
