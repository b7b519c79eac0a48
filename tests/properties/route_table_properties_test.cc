// Goal: the route table answers as a plain walk over all routes would, whatever routes and requests
// there are; and the forms of a path keep what normal_path.h promises.
// Method: generated routes and requests out of few words, so that they meet often, beside a matcher
// that is written for being obviously right.
#include <rapidcheck.h>

#include <algorithm>
#include <array>

#include "lbcore/routing/normal_path.h"
#include "lbcore/routing/route_checks.h"
#include "lbcore/routing/route_table.h"
#include "lbcore/routing/shadowed_routes.h"
#include "tests/testing/property.h"
#include "tests/testing/requests.h"

namespace lb::testing {
namespace {

template <class T>
T one_of(std::initializer_list<T> values) {
  return *rc::gen::elementOf(std::vector<T>(values));
}
// The smallest draw, which a failure shrinks to, is the plainest case: no.
bool one_in(int count) { return *rc::gen::inRange(0, count) == count - 1; }

// -- What is generated

std::string any_host_pattern() {
  return one_of<std::string>({"a.org", "b.a.org", "*.a.org", "*.org", "*.b.a.org", "xa.org", "org",
                              "B.A.org", "*.A.org", "a.org."});
}
std::string any_host() {
  return one_of<std::string>({"a.org", "b.a.org", "c.b.a.org", "xa.org", "org", "A.ORG", "b.A.org",
                              "a.org.", "", "x.org", ".org", "a.orgx"});
}

// Paths in normal form, for routes.
std::string any_compared_path() {
  std::string path;
  for (int i = 0, count = *rc::gen::inRange(0, 4); i < count; ++i) {
    path += one_of<std::string>({"/a", "/b", "/ab", "/a.b", "/%2F", "/@"});
  }
  if (path.empty() || one_in(4)) path += '/';
  return path;
}

// Whatever a client might send.
std::string any_path() {
  if (one_in(30)) return "*";
  std::string path;
  for (int i = 0, count = *rc::gen::inRange(0, 6); i < count; ++i) {
    path += one_of<std::string>({"/a",   "/a", "/b",      "/b",   "/ab",  "/a.b", "/",     "/%61",
                                 "/..",  "/.", "/%2e%2E", "/%2f", "%2Fa", "\\b",  "/a;x",  ";",
                                 "/%40", "/@", "b",       "%",    "%zz",  "/%00", "/%2561"});
  }
  return path.starts_with('/') ? path : '/' + path;
}

NamedValues any_values(std::initializer_list<std::string> names) {
  NamedValues values;
  for (const std::string& name : names) {
    if (one_in(6)) values.items.push_back({name, one_of<std::string>({"1", "2", "*"})});
  }
  return values;
}

// Expressions, and what fits them in plain words.
struct Pattern {
  const char* regex;
  bool (*fits)(std::string_view path);
};
constexpr std::array<Pattern, 4> kPatterns{{
    {"/a.*", [](std::string_view path) { return path.starts_with("/a"); }},
    {".*b", [](std::string_view path) { return path.ends_with('b'); }},
    {"/(a|b)/?",
     [](std::string_view path) {
       return path == "/a" || path == "/b" || path == "/a/" || path == "/b/";
     }},
    {"/[^/]+", [](std::string_view path) { return path.size() > 1 && path.rfind('/') == 0; }},
}};

RouteConfig any_route() {
  RouteConfig route;
  for (int i = 0, count = *rc::gen::inRange(0, 3); i < count; ++i) {
    route.match.host.patterns.push_back(any_host_pattern());
  }
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
    case 1: route.match.path = any_compared_path(); break;
    case 2:
    case 3:
    case 4: route.match.path_prefix = any_compared_path(); break;
    case 5: route.match.path_regex = kPatterns[*rc::gen::inRange<std::size_t>(0, 4)].regex; break;
    default: break;
  }
  if (one_in(5)) route.match.methods = {one_of<std::string>({"GET", "PUT"})};
  route.match.headers = any_values({"x", "Y"});
  route.match.cookies = any_values({"c"});
  route.match.query = any_values({"q"});
  route.cluster = "web";
  return route;
}

FakeRequest any_request() {
  FakeRequest request;
  request.target = any_path();
  if (one_in(3)) request.target += one_of<std::string>({"?q=1", "?q", "?p=1&q=2", "?", "?qq=1"});
  request.host = any_host();
  request.method = one_of<std::string>({"GET", "PUT", "POST"});
  for (const char* name : {"X", "y"}) {
    if (one_in(3)) request.fields.add(name, one_of<std::string>({"1", "2", ""}));
  }
  if (one_in(3)) request.fields.add("Cookie", one_of<std::string>({"c=1", "b=1; c=2", "cc=1"}));
  return request;
}

// -- The matcher that is obviously right

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return to_lower(c); });
  if (text.ends_with('.')) text.pop_back();
  return text;
}

bool host_fits(const std::string& pattern, const std::string& host) {
  const std::string wanted = lower(pattern);
  const std::string found = lower(host);
  if (!wanted.starts_with("*.")) return wanted == found;
  return found.size() > wanted.size() - 1 && found.ends_with(wanted.substr(1));
}

bool prefix_fits(std::string prefix, const std::string& path) {
  if (prefix == "/") return path.starts_with('/');
  if (prefix.ends_with('/')) prefix.pop_back();
  return path == prefix || path.starts_with(prefix + '/');
}

bool path_fits(const RouteMatchConfig& match, const std::string& path) {
  if (!match.path.empty()) return path == match.path;
  if (!match.path_prefix.empty()) return prefix_fits(match.path_prefix, path);
  for (const Pattern& pattern : kPatterns) {
    if (match.path_regex == pattern.regex) return pattern.fits(path);
  }
  return true;
}

bool values_fit(const NamedValues& wanted,
                const std::function<std::optional<std::string>(std::string)>& find) {
  for (const NamedValue& each : wanted.items) {
    const auto found = find(each.name);
    if (!found || (each.value != "*" && each.value != *found)) return false;
  }
  return true;
}

bool fits(const RouteMatchConfig& match, const FakeRequest& request, const std::string& path) {
  const auto& hosts = match.host.patterns;
  const bool host = hosts.empty() || std::any_of(hosts.begin(), hosts.end(), [&](const auto& each) {
                      return host_fits(each, request.host);
                    });
  const bool method = match.methods.empty() || match.methods.front() == request.method;
  const RequestAttributes attributes = request.attributes();
  const auto header = [&](const std::string& name) -> std::optional<std::string> {
    const auto value = request.fields.find(name);
    return value ? std::optional{std::string{*value}} : std::nullopt;
  };
  const auto cookie = [&](const std::string&) -> std::optional<std::string> {
    const std::string all = header("cookie").value_or("");
    return all == "c=1"        ? std::optional<std::string>{"1"}
           : all == "b=1; c=2" ? std::optional<std::string>{"2"}
                               : std::nullopt;
  };
  const auto parameter = [&](const std::string&) -> std::optional<std::string> {
    return attributes.query == "q=1"       ? std::optional<std::string>{"1"}
           : attributes.query == "p=1&q=2" ? std::optional<std::string>{"2"}
           : attributes.query == "q"       ? std::optional<std::string>{""}
                                           : std::nullopt;
  };
  return host && method && path_fits(match, path) && values_fit(match.headers, header) &&
         values_fit(match.cookies, cookie) && values_fit(match.query, parameter);
}

constexpr int kNone = -1;
constexpr int kBadPath = -2;

int walk(const std::vector<RouteConfig>& routes, const FakeRequest& request,
         const std::string& path) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (fits(routes[i].match, request, path)) return static_cast<int>(i);
  }
  return kNone;
}

int expected(const std::vector<RouteConfig>& routes, const FakeRequest& request, bool refuse) {
  const std::string path{request.attributes().path};
  const bool about_paths = std::any_of(routes.begin(), routes.end(), [](const RouteConfig& route) {
    return !route.match.path.empty() || !route.match.path_prefix.empty() ||
           !route.match.path_regex.empty();
  });
  if (!about_paths) return walk(routes, request, path);
  if (refuse && shape_of(path).malformed) return kBadPath;
  std::string normal, liberal;
  write_normal_path(path, normal);
  write_liberal_path(path, liberal);
  const int route = walk(routes, request, normal);
  return refuse && walk(routes, request, liberal) != route ? kBadPath : route;
}

int answer_of(const RouteTable& table, const FakeRequest& request, PathScratch& scratch) {
  const Routed routed = table.route(request.attributes(), scratch);
  if (routed.result == Routed::Result::bad_path) return kBadPath;
  return routed ? static_cast<int>(routed.index) : kNone;
}

std::vector<RouteConfig> any_routes() {
  std::vector<RouteConfig> routes;
  for (int i = 0, count = *rc::gen::inRange(0, 12); i < count; ++i) routes.push_back(any_route());
  return routes;
}

RouteTable table_of(const std::vector<RouteConfig>& routes, AmbiguousPaths ambiguous) {
  for (const RouteConfig& route : routes) {
    for (const RouteProblem& problem : check_route(route)) RC_FAIL(problem.message);
  }
  return {routes, ambiguous, [](const std::string&) { return ClusterId{}; }};
}

std::string words_for(const FakeRequest& request, const std::vector<RouteConfig>& routes) {
  std::string words = request.method + ' ' + request.host + ' ' + request.target;
  for (const RouteConfig& route : routes) {
    const RouteMatchConfig& match = route.match;
    words += "\n  ";
    for (const std::string& host : match.host.patterns) words += " host " + host;
    words += " path " + match.path + " prefix " + match.path_prefix + " regex " + match.path_regex;
    for (const NamedValues* values : {&match.headers, &match.cookies, &match.query}) {
      for (const NamedValue& each : values->items) words += ' ' + each.name + '=' + each.value;
    }
    for (const std::string& method : match.methods) words += ' ' + method;
  }
  return words;
}

// One request for each set of routes: with more of them a failure would take hours to shrink.
TEST(RouteTableProperty, AnswersAsAWalkOverAllRoutesWould) {
  expect_property(
      [] {
        const std::vector<RouteConfig> routes = any_routes();
        const FakeRequest request = any_request();
        const auto ambiguous = one_of({AmbiguousPaths::refuse, AmbiguousPaths::allow});
        PathScratch scratch;
        const int found = answer_of(table_of(routes, ambiguous), request, scratch);
        const int wanted = expected(routes, request, ambiguous == AmbiguousPaths::refuse);
        if (found == wanted) return;
        RC_FAIL("found " + std::to_string(found) + ", expected " + std::to_string(wanted) + ": " +
                words_for(request, routes));
      },
      20'000);
}

TEST(RouteTableProperty, NoRequestReachesAShadowedRoute) {
  expect_property(
      [] {
        const std::vector<RouteConfig> routes = any_routes();
        const FakeRequest request = any_request();
        PathScratch scratch;
        const int found = answer_of(table_of(routes, AmbiguousPaths::allow), request, scratch);
        for (const Shadowed& shadowed : shadowed_routes(routes)) {
          RC_ASSERT(shadowed.by < shadowed.route);
          // The * of OPTIONS is not below the prefix "/": nobody minds a warning about that.
          if (found != static_cast<int>(shadowed.route) || request.target == "*") continue;
          RC_FAIL(std::to_string(found) + " is reached: " + words_for(request, routes));
        }
      },
      5'000);
}

TEST(NormalPathProperty, IsNormalAndStaysSo) {
  expect_property(
      [] {
        const std::string path = any_path();
        std::string normal, twice, liberal;
        write_normal_path(path, normal);
        write_normal_path(normal, twice);
        RC_ASSERT(twice == normal);
        const PathShape shape = shape_of(path);
        if (shape.malformed) return;
        RC_ASSERT(shape.normal == (normal == path));
        RC_ASSERT(shape_of(normal).normal);
        write_liberal_path(path, liberal);
        if (!shape.ambiguous) RC_ASSERT(liberal == normal);
        write_liberal_path(liberal, twice);
        RC_ASSERT(twice == liberal);
        for (const char* gone : {"/../", "/./", "//", ";", "\\", "%2F", "%5C"}) {
          RC_ASSERT(liberal.find(gone) == std::string::npos);
        }
      },
      2000);
}

TEST(NormalPathProperty, CopesWithAnyBytes) {
  expect_property(
      [] {
        const std::string path = '/' + *rc::gen::arbitrary<std::string>();
        std::string normal, twice;
        write_normal_path(path, normal);
        write_normal_path(normal, twice);
        RC_ASSERT(normal.starts_with('/') && twice == normal);
        RC_ASSERT(
            std::all_of(normal.begin(), normal.end(), [](char c) { return c > 0x20 && c < 0x7f; }));
        write_liberal_path(path, twice);
        RC_ASSERT(twice.starts_with('/'));
      },
      2000);
}

}  // namespace
}  // namespace lb::testing
