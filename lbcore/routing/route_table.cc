#include "lbcore/routing/route_table.h"

#include <algorithm>

#include "lbcore/routing/normal_path.h"

namespace lb {
namespace {

bool depends_on_path(const RouteConfig& config) {
  const RouteMatchConfig& match = config.match;
  const bool rewrites =
      config.rewrite &&
      (!config.rewrite->path.empty() || !config.rewrite->prefix.empty() || config.rewrite->regex);
  return !match.path.empty() || !match.path_prefix.empty() || !match.path_regex.empty() || rewrites;
}

// But for those the rules speak of already.
void add_security_headers(bool secure, HeaderRulesConfig& rules) {
  for (NamedValue& field : security_headers(secure).items) {
    const auto names_it = [&](const NamedValue& rule) {
      return equal_in_any_case(rule.name, field.name);
    };
    const auto in = [&](const NamedValues& values) {
      return std::any_of(values.items.begin(), values.items.end(), names_it);
    };
    const bool removed =
        std::any_of(rules.remove.begin(), rules.remove.end(),
                    [&](const auto& name) { return equal_in_any_case(name, field.name); });
    if (removed || in(rules.set) || in(rules.add) || in(rules.defaults)) continue;
    rules.defaults.items.push_back(std::move(field));
  }
}

Route make_route(const RouteConfig& config, std::size_t index,
                 const RouteTable::ResolveCluster& resolve, bool secure) {
  Route route;
  route.label = config.name.empty() ? "routes[" + std::to_string(index) + ']' : config.name;
  if (!config.cluster.empty()) {
    route.split.emplace(Split::Sides{{resolve(config.cluster), 1}}, std::nullopt);
  } else if (!config.split.empty()) {
    Split::Sides sides;
    for (const SplitTarget& target : config.split) {
      sides.push_back({resolve(target.cluster), target.weight});
    }
    route.split.emplace(sides, config.split_key);
  }
  route.priority = config.priority;
  if (config.redirect) route.redirect.emplace(*config.redirect, config.match);
  route.respond = config.respond;
  if (config.rewrite) {
    route.rewrite = PathRewrite(*config.rewrite, config.match);
    route.rewritten_host = config.rewrite->host;
  }
  if (config.request_headers) route.request_headers = HeaderRules(*config.request_headers);
  HeaderRulesConfig response_headers = config.response_headers.value_or(HeaderRulesConfig{});
  if (config.security_headers) add_security_headers(secure, response_headers);
  route.response_headers = HeaderRules(response_headers);
  if (config.cors) route.cors.emplace(*config.cors);
  return route;
}

bool fits(std::string_view wanted, std::optional<std::string_view> found) {
  return found && (wanted == "*" || *found == wanted);
}

// Unlike a cookie or a key, a parameter may be there without a value.
std::optional<std::string_view> parameter(const RequestAttributes& request, std::string_view name) {
  if (const auto value = request.query_value(name)) return value;
  for (std::string_view rest = request.query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    if (rest.substr(0, end) == name) return std::string_view{};
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return std::nullopt;
}

template <class Find>
bool all_fit(const std::vector<NamedValue>& wanted, Find&& find) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const NamedValue& condition) {
    return fits(condition.value, find(condition.name));
  });
}

}  // namespace

RouteTable::RouteTable(const std::vector<RouteConfig>& routes, AmbiguousPaths ambiguous_paths,
                       const ResolveCluster& resolve, bool secure)
    : ambiguous_paths_(ambiguous_paths), index_(routes) {
  for (const RouteConfig& config : routes) {
    looks_at_paths_ = looks_at_paths_ || depends_on_path(config);
    Conditions& conditions = conditions_.emplace_back();
    const RouteMatchConfig& match = config.match;
    if (!match.path_regex.empty()) conditions.path_regex.emplace(match.path_regex);
    conditions.methods = match.methods;
    conditions.headers = match.headers.items;
    conditions.cookies = match.cookies.items;
    conditions.query = match.query.items;
    conditional_.push_back(!conditions.empty());
    routes_.push_back(make_route(config, routes_.size(), resolve, secure));
  }
}

bool RouteTable::Conditions::hold(const RequestAttributes& request, std::string_view path) const {
  if (!methods.empty() &&
      std::find(methods.begin(), methods.end(), request.method) == methods.end()) {
    return false;
  }
  return all_fit(headers, [&](std::string_view name) { return request.header(name); }) &&
         all_fit(cookies, [&](std::string_view name) { return request.cookie(name); }) &&
         all_fit(query, [&](std::string_view name) { return parameter(request, name); }) &&
         (!path_regex || path_regex->matches_all_of(path));  // Last: it costs the most.
}

std::optional<std::uint32_t> RouteTable::find(const RequestAttributes& request,
                                              std::string_view path) const {
  return index_.first(request.host, path,
                      [&](std::uint32_t route) { return conditions_[route].hold(request, path); });
}

Routed RouteTable::route(const RequestAttributes& request, PathScratch& scratch) const {
  Routed routed;
  routed.path = request.path;
  const PathShape shape = looks_at_paths_ ? shape_of(request.path) : PathShape{};
  const bool strict = ambiguous_paths_ == AmbiguousPaths::refuse;
  if (shape.malformed && strict) {
    routed.result = Routed::Result::bad_path;
    return routed;
  }
  if (!shape.normal) {
    write_normal_path(request.path, scratch.normal);
    routed.path = scratch.normal;
  }
  const auto found = find(request, routed.path);
  if (shape.ambiguous && strict) {
    write_liberal_path(request.path, scratch.liberal);
    if (find(request, scratch.liberal) != found) {
      routed.result = Routed::Result::bad_path;
      return routed;
    }
  }
  if (!found) return routed;
  routed.result = Routed::Result::matched;
  routed.index = *found;
  routed.route = &routes_[*found];
  return routed;
}

}  // namespace lb
