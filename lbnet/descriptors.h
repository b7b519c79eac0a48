// How many descriptors the process has open, and whether there are enough for more.
#pragma once

#include <cstdint>

namespace lb::net {

// Those that connections leave free for health checks, logs and the admin address.
inline constexpr std::uint32_t kReservedDescriptors = 32;

// Open now; the largest number when that cannot be told. Costs a system call, or on kernels before
// 6.2 one for every few hundred descriptors: not for every connection.
[[nodiscard]] std::uint32_t open_descriptors();

// Whether none are left but the reserve, by the limit as it is now.
[[nodiscard]] bool short_of_descriptors();

}  // namespace lb::net
