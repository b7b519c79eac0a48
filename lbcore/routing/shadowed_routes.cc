#include "lbcore/routing/shadowed_routes.h"

#include <algorithm>
#include <string>

#include "lbcore/routing/route_index.h"

namespace lb {
namespace {

bool only_host_and_path(const RouteMatchConfig& match) {
  return match.path_regex.empty() && match.methods.empty() && match.headers.items.empty() &&
         match.cookies.items.empty() && match.query.items.empty();
}

// A host that fits the pattern, and no exact one that anybody configures.
std::string sample_host(std::string_view pattern) {
  return pattern.starts_with('*') ? "\x01" + std::string{pattern.substr(1)} : std::string{pattern};
}

std::string sample_path(const RouteMatchConfig& match) {
  if (!match.path.empty()) return match.path;
  const std::string_view prefix = prefix_without_slash(match.path_prefix);
  return std::string{prefix == "/" ? "" : prefix} + "/\x01";
}

}  // namespace

// A route takes all that fits a later one if it takes a request that has what the later one asks
// for and nothing else in common with any route.
std::vector<Shadowed> shadowed_routes(const std::vector<RouteConfig>& routes) {
  const RouteIndex index(routes);
  std::vector<Shadowed> shadowed;
  const auto taker_of = [&](const std::string& host, const RouteMatchConfig& match) {
    return index.first(host, sample_path(match), [&](std::uint32_t candidate) {
      return only_host_and_path(routes[candidate].match);
    });
  };
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const RouteMatchConfig& match = routes[i].match;
    std::vector<std::string> hosts;
    for (const std::string& pattern : match.host.patterns) hosts.push_back(sample_host(pattern));
    if (hosts.empty()) hosts.emplace_back("\x01");
    std::size_t latest = 0;
    const bool all_taken = std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
      const auto taker = taker_of(host, match);
      latest = std::max<std::size_t>(latest, taker.value_or(i));
      return taker && *taker < i;
    });
    if (all_taken) shadowed.push_back({i, latest});
  }
  return shadowed;
}

}  // namespace lb
