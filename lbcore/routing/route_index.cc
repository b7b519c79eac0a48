#include "lbcore/routing/route_index.h"

#include <algorithm>
#include <set>

namespace lb {
namespace {

// "example.com" to "moc.elpmaxe", "*.example.com" to "moc.elpmaxe.".
std::string host_key(std::string_view pattern) {
  std::string key = to_lower(without_final_dot(pattern));
  if (key.starts_with('*')) key.erase(0, 1);
  std::reverse(key.begin(), key.end());
  return key;
}

}  // namespace

std::string_view prefix_without_slash(std::string_view prefix) {
  return prefix.size() > 1 && prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
}

RouteIndex::RouteIndex(const std::vector<RouteConfig>& routes) {
  PathMap any_host;
  std::map<std::string, PathMap> by_host;
  for (std::uint32_t i = 0; i < routes.size(); ++i) {
    const RouteMatchConfig& match = routes[i].match;
    const auto add_to = [&](PathMap& paths) {
      if (!match.path.empty()) {
        paths[match.path].exact.push_back(i);
      } else {
        // A regex may fit any path, like nothing at all: both are under the empty prefix.
        paths[std::string{prefix_without_slash(match.path_prefix)}].prefix.push_back(i);
      }
    };
    std::set<std::string> keys;
    for (const std::string& pattern : match.host.patterns) keys.insert(host_key(pattern));
    for (const std::string& key : keys) add_to(by_host[key]);
    if (keys.empty()) add_to(any_host);
  }
  any_host_ = add_paths(any_host);
  std::vector<PrefixTrie::Key> hosts;
  for (const auto& [key, paths] : by_host) {
    hosts.push_back({key, static_cast<std::uint32_t>(groups_.size())});
    groups_.push_back({add_paths(paths), key.ends_with('.')});
  }
  host_root_ = hosts_.add(std::move(hosts));
}

PrefixTrie::Root RouteIndex::add_paths(const PathMap& paths) {
  std::vector<PrefixTrie::Key> keys;
  for (const auto& [path, routes] : paths) {
    keys.push_back({path, static_cast<std::uint32_t>(spots_.size())});
    spots_.push_back({add_list(routes.exact), add_list(routes.prefix)});
  }
  return paths_.add(std::move(keys));
}

RouteIndex::List RouteIndex::add_list(const std::vector<std::uint32_t>& routes) {
  const auto begin = static_cast<std::uint32_t>(candidates_.size());
  candidates_.insert(candidates_.end(), routes.begin(), routes.end());
  return {begin, static_cast<std::uint32_t>(candidates_.size())};
}

}  // namespace lb
