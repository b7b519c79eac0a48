// RouteTable: where a request goes. Built once from the configuration, never changed, shared by all
// workers.
//
// DESCRIPTION  Routes are tried in the order of the file and the first that fits is taken. An index
//   (route_index.h) leaves only those whose host and path fit; methods, headers, cookies, query and
//   regexes are tried on these. Paths are compared in their normal form (normal_path.h), and go on
//   as they came unless the route rewrites them; a rewritten path is made from the normal form.
// GUARANTEES   The answer depends on the arguments alone, and is that of a walk over all routes.
//   Cost grows with the host and the path of the request, not with the number of routes, unless
//   many share them: about 50 ns among ten, 150 ns among ten thousand, which caches do not hold. No
//   allocation, but for what a regex learns and for a path whose normal form is the first to
//   outgrow `scratch`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/ids.h"
#include "lbcore/request_attributes.h"
#include "lbcore/routing/cors.h"
#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/path_rewrite.h"
#include "lbcore/routing/regex.h"
#include "lbcore/routing/route_config.h"
#include "lbcore/routing/route_index.h"
#include "lbcore/routing/split.h"

namespace lb {

// A route, ready for use. Exactly one of split, redirect and respond is set.
struct Route {
  std::string label;           // Its name, or its place: routes[3].
  std::optional<Split> split;  // A single cluster is a split with one side.
  std::optional<RedirectTarget> redirect;
  std::optional<RespondConfig> respond;
  std::uint32_t priority = 0;
  PathRewrite rewrite;
  std::string rewritten_host;  // Empty: the request's.
  HeaderRules request_headers;
  HeaderRules response_headers;
  std::optional<Cors> cors;
};

// Room for the forms of a path that is not in its normal form already. Keep it from one request to
// the next.
struct PathScratch {
  std::string normal;
  std::string liberal;
};

struct Routed {
  enum class Result : std::uint8_t {
    matched,
    no_route,  // To be answered with 404.
    bad_path,  // To be answered with 400: malformed, or read by others as one of another route.
  };
  Result result = Result::no_route;
  std::uint32_t index = 0;       // Of the route, in the order of the file.
  const Route* route = nullptr;  // Only when matched; lives as long as the table.
  // In normal form, for rewrites. In the request or the scratch.
  std::string_view path;

  explicit operator bool() const { return result == Result::matched; }
};

class RouteTable {
 public:
  using ResolveCluster = std::function<ClusterId(const std::string& name)>;

  // REQUIRES: check_routes() found nothing wrong. `resolve` is called once for every cluster named.
  // `secure`: clients come by TLS.
  RouteTable(const std::vector<RouteConfig>& routes, AmbiguousPaths ambiguous_paths,
             const ResolveCluster& resolve, bool secure = false);

  // `request.host` may be in any case; no port.
  [[nodiscard]] Routed route(const RequestAttributes& request, PathScratch& scratch) const;

  [[nodiscard]] std::size_t size() const { return routes_.size(); }

 private:
  // What the index does not know of a match.
  struct Conditions {
    std::optional<Regex> path_regex;
    std::vector<std::string> methods;
    std::vector<NamedValue> headers;
    std::vector<NamedValue> cookies;
    std::vector<NamedValue> query;

    [[nodiscard]] bool empty() const {
      return !path_regex && methods.empty() && headers.empty() && cookies.empty() && query.empty();
    }
    [[nodiscard]] bool hold(const RequestAttributes& request, std::string_view path) const;
  };

  [[nodiscard]] std::optional<std::uint32_t> find(const RequestAttributes& request,
                                                  std::string_view path) const;

  AmbiguousPaths ambiguous_paths_;
  bool looks_at_paths_ = false;  // Some route depends on the path, or rewrites it.
  std::vector<Route> routes_;
  std::vector<Conditions> conditions_;
  std::vector<bool>
      conditional_;  // Most have none: a bit is nearer at hand than all they could be.
  RouteIndex index_;
};

}  // namespace lb
