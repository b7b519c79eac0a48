#include "lbcore/config/route_fields.h"

#include <algorithm>
#include <map>

#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"
#include "lbcore/routing/match_checks.h"
#include "lbcore/routing/route_checks.h"
#include "lbcore/routing/shadowed_routes.h"

namespace lb::config {
namespace {

// A value inside a route: by keys and, for elements of lists, by [number].
Place place_of(const Place& route, const std::vector<std::string>& keys) {
  const Node* node = &route.node;
  std::string path = route.path;
  for (const std::string& key : keys) {
    const bool is_index = key.starts_with('[');
    if (is_index && node->kind == Node::Kind::scalar) continue;  // One that could be a list.
    path += is_index ? key : '.' + key;
    const Node* inner = nullptr;
    if (!is_index) {
      inner = node->find(key);
    } else if (const auto index = std::stoul(key.substr(1)); index < node->items.size()) {
      inner = &node->items[index];
    }
    if (inner != nullptr) node = inner;
  }
  return route.child(*node, path);
}

Place place_of_route(const Place& list, std::size_t i) {
  const bool there = list.node.kind == Node::Kind::list && i < list.node.items.size();
  return list.child(there ? list.node.items[i] : list.node, list.path + at_index(i));
}

class RouteListChecks {
 public:
  RouteListChecks(const Place& place, const std::vector<RouteConfig>& routes,
                  const std::vector<std::string_view>& clusters)
      : place_(place), routes_(routes), clusters_(clusters) {}

  void run(AmbiguousPaths ambiguous_paths) {
    const std::size_t problem_count = place_.problems.size();
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      for (const RouteProblem& problem : check_route(routes_[i])) {
        place_of(place_of_route(place_, i), problem.keys).problem(problem.message);
      }
      check_clusters(i);
      check_name(i);
    }
    const bool all_good = place_.problems.size() == problem_count;
    if (all_good && ambiguous_paths == AmbiguousPaths::refuse) check_ambiguous_paths();
  }

 private:
  void check_clusters(std::size_t i) {
    const RouteConfig& route = routes_[i];
    if (!route.cluster.empty()) check_cluster(route.cluster, i, {"cluster"});
    for (std::size_t side = 0; side < route.split.size(); ++side) {
      if (route.split[side].cluster.empty()) continue;  // Reported as missing.
      check_cluster(route.split[side].cluster, i, {"split", at_index(side), "cluster"});
    }
  }

  void check_cluster(const std::string& name, std::size_t i, const std::vector<std::string>& keys) {
    if (std::find(clusters_.begin(), clusters_.end(), name) != clusters_.end()) return;
    place_of(place_of_route(place_, i), keys)
        .problem("there is no cluster \"" + name + '"' + did_you_mean(name, clusters_));
  }

  void check_name(std::size_t i) {
    const std::string& name = routes_[i].name;
    if (name.empty() || names_.emplace(name, i).second) return;
    place_of(place_of_route(place_, i), {"name"})
        .problem("another route of this listener is named \"" + name + "\" already");
  }

  void check_ambiguous_paths() {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      const RouteMatchConfig& match = routes_[i].match;
      if (!has_ambiguous_path(match)) continue;
      place_of(place_of_route(place_, i), {"match", match.path.empty() ? "path_prefix" : "path"})
          .problem(
              "servers read this path in different ways, so every request for it is refused; "
              "the listener may have \"ambiguous_paths: allow\"");
    }
  }

  const Place& place_;
  const std::vector<RouteConfig>& routes_;
  const std::vector<std::string_view>& clusters_;
  std::map<std::string_view, std::size_t> names_;
};

}  // namespace

void read(const Place& place, OptionalText& value, Range) { read(place, value.text, kAboveZero); }

Json write(Writing, const OptionalText& value) {
  return value.text.empty() ? Json{} : Json(value.text);
}

std::string type_words(const OptionalText&, Range) { return "text"; }

Json schema_of(Definitions& definitions, const OptionalText&, Range) {
  return name_schema(definitions);
}

void read(const Place& place, HostPatterns& value, Range) {
  if (place.node.kind == Node::Kind::list) return read(place, value.patterns, kAboveZero);
  std::string pattern;
  read(place, pattern, kAboveZero);
  value.patterns = {std::move(pattern)};
}

Json write(Writing, const HostPatterns& value) {
  if (value.patterns.empty()) return nullptr;
  return value.patterns.size() == 1 ? Json(value.patterns.front())
                                    : write(Writing{}, value.patterns);
}

std::string type_words(const HostPatterns&, Range) { return "text or list of texts"; }

Json schema_of(Definitions& definitions, const HostPatterns&, Range) {
  return any_of_schemas(
      {name_schema(definitions), schema_of(definitions, std::vector<std::string>{}, kAboveZero)});
}

void read(const Place& place, NamedValues& value, Range) {
  if (place.node.kind != Node::Kind::map) {
    return place.problem("expected an object of names and values, found " +
                         describe_found(place.node));
  }
  value.items.clear();
  for (const Node::Entry& entry : place.node.entries) {
    std::string text;
    read(place.child(entry.value, place.path + '.' + entry.key), text);
    value.items.push_back({entry.key, std::move(text)});
  }
}

Json write(Writing, const NamedValues& value) {
  if (value.items.empty()) return nullptr;
  Json object = Json::object();
  for (const NamedValue& item : value.items) object[item.name] = item.value;
  return object;
}

std::string type_words(const NamedValues&, Range) { return "object of names and texts"; }

Json schema_of(Definitions& definitions, const NamedValues&, Range) {
  return map_schema(schema_of(definitions, std::string{}));
}

void check_routes(const Place& place, const std::vector<RouteConfig>& routes,
                  AmbiguousPaths ambiguous_paths, const std::vector<std::string_view>& clusters) {
  RouteListChecks(place, routes, clusters).run(ambiguous_paths);
}

void warn_of_routes(const Place& place, const std::vector<RouteConfig>& routes) {
  const bool all_good = std::all_of(routes.begin(), routes.end(), [](const RouteConfig& route) {
    return check_route(route).empty();
  });
  if (!all_good) return;
  for (const Shadowed& shadowed : shadowed_routes(routes)) {
    const std::string& name = routes[shadowed.by].name;
    const std::string by =
        "routes" + at_index(shadowed.by) + (name.empty() ? "" : ", \"" + name + "\",");
    place_of_route(place, shadowed.route)
        .problem("no request gets here: " + by + " takes all that this is for");
  }
}

}  // namespace lb::config
