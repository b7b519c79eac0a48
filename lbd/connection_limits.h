// How many connections of clients this process takes on, by the configuration and by the
// descriptors that it may have.
#pragma once

#include <cstdint>

#include "lbcore/config/daemon_config.h"
#include "lbnet/admission.h"

namespace lb::daemon {

// Raises the limit of open descriptors as far as the system lets us (RLIMIT_NOFILE, to its hard
// limit); returns what it is then.
std::uint32_t raise_descriptor_limit();

// A connection may need two, its own and one to a backend. What the process has `in_use` for itself
// and a reserve are not theirs. At least one connection is taken on.
[[nodiscard]] net::Admission::Limits admission_limits(const config::ConnectionLimitsConfig& config,
                                                      std::uint32_t descriptors,
                                                      std::uint32_t in_use);

}  // namespace lb::daemon
