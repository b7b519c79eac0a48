// What is wrong with routes: all that can be said without knowing the rest of the configuration.
#pragma once

#include <string>
#include <vector>

#include "lbcore/routing/route_config.h"

namespace lb {

struct RouteProblem {
  // Where in the route, key by key: {"match", "path_regex"}, {"split", "[1]", "weight"}.
  std::vector<std::string> keys;
  std::string message;
};

[[nodiscard]] std::vector<RouteProblem> check_route(const RouteConfig& route);

}  // namespace lb
