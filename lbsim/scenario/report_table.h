// The tables of a report: backends, loads, windows and when backends were out.
#pragma once

#include <string>

#include "lbsim/scenario/report.h"

namespace lb::scenario {

// A line for each backend. Of many, those that have the least and the most of something, and one
// line for all the others.
[[nodiscard]] std::string backends_table(const Report& report);
// Empty for a single load.
[[nodiscard]] std::string loads_table(const Report& report);
[[nodiscard]] std::string windows_table(const Report& report);
// When backends left the set of those that get requests, and why; the first few.
[[nodiscard]] std::string standing_table(const Report& report);

}  // namespace lb::scenario
