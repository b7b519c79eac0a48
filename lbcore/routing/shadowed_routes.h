// Routes that no request can reach.
#pragma once

#include <cstddef>
#include <vector>

#include "lbcore/routing/route_config.h"

namespace lb {

// An earlier route takes all that fits this one.
struct Shadowed {
  std::size_t route = 0;
  std::size_t by = 0;
};
// REQUIRES: check_route() found nothing wrong with any of them. Compares hosts and paths; a route
// that is hidden by several others together, or by one with the same other conditions, is not
// found.
[[nodiscard]] std::vector<Shadowed> shadowed_routes(const std::vector<RouteConfig>& routes);

}  // namespace lb
