// Page: docs/validation.md, out of the same runs as the tests.
#pragma once

#include <string>

namespace lb::validation {

// Runs what has not been run yet in this process.
[[nodiscard]] std::string page();

}  // namespace lb::validation
