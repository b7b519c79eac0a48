#include "lbd/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "lbnet/descriptors.h"

namespace lb::daemon {

std::uint32_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(std::min(limit.rlim_cur, kMost));
}

net::Admission::Limits admission_limits(const config::ConnectionLimitsConfig& config,
                                        std::uint32_t descriptors, std::uint32_t in_use) {
  const std::uint32_t ours = in_use + net::kReservedDescriptors;
  const std::uint32_t possible = descriptors > ours + 2 ? (descriptors - ours) / 2 : 1;
  const std::uint32_t wanted = config.max_connections;
  return {.connections = wanted == 0 ? possible : std::min(wanted, possible),
          .per_client = config.max_connections_per_client,
          .descriptors = descriptors - std::min(descriptors, net::kReservedDescriptors)};
}

}  // namespace lb::daemon
