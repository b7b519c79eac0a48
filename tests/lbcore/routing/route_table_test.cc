// Goal: the first route of the file whose conditions all hold is taken, and no spelling of a host
// or a path gets past it.
// Method: small tables of routes, each route named, against requests and the name expected.
#include "lbcore/routing/route_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "lbcore/routing/route_checks.h"
#include "tests/testing/requests.h"

namespace lb {
namespace {

using testing::FakeFields;
using testing::FakeRequest;

// Clusters are numbered in the order in which they are asked for.
class Routes {
 public:
  explicit Routes(const std::vector<RouteConfig>& routes,
                  AmbiguousPaths ambiguous = AmbiguousPaths::refuse)
      : table_(routes, ambiguous, [this](const std::string& name) {
          return clusters_.emplace(name, ClusterId{static_cast<std::uint32_t>(clusters_.size())})
              .first->second;
        }) {
    for (const RouteConfig& route : routes) EXPECT_TRUE(check_route(route).empty()) << route.name;
  }

  // The label of the route that is taken, or "404" or "400".
  std::string of(const FakeRequest& request) {
    const Routed routed = table_.route(request.attributes(), scratch_);
    if (routed.result == Routed::Result::bad_path) return "400";
    return routed ? routed.route->label : "404";
  }
  std::string of_path(const std::string& target) { return of({.target = target}); }
  std::string of_host(const std::string& host) { return of({.host = host}); }

  const RouteTable& table() const { return table_; }
  PathScratch& scratch() { return scratch_; }

 private:
  std::map<std::string, ClusterId> clusters_;
  RouteTable table_;
  PathScratch scratch_;
};

RouteConfig route(const std::string& name, RouteMatchConfig match) {
  return {.name = name, .match = std::move(match), .cluster = "web"};
}

TEST(RouteTable, TakesTheFirstThatFits) {
  Routes routes({route("first", {.path_prefix = "/a"}), route("second", {.path = "/a"}),
                 route("third", {.path_prefix = "/"}), route("fourth", {})});
  EXPECT_EQ(routes.of_path("/a"), "first");
  EXPECT_EQ(routes.of_path("/b"), "third");
  EXPECT_EQ(routes.of_path("*"), "fourth") << "the * of OPTIONS is not below /";
}

TEST(RouteTable, OrderWinsOverLength) {
  Routes routes({route("long", {.path_prefix = "/a/b/c"}), route("short", {.path_prefix = "/a"}),
                 route("never", {.path_prefix = "/a/b"}), route("rest", {})});
  EXPECT_EQ(routes.of_path("/a/b/c/d"), "long");
  EXPECT_EQ(routes.of_path("/a/b"), "short");
  EXPECT_EQ(routes.of_path("/b"), "rest");
}

TEST(RouteTable, WithoutRoutesNothingFits) {
  Routes routes({});
  EXPECT_EQ(routes.of_path("/"), "404");
}

TEST(RouteTable, NamesARouteByItsPlaceWhenItHasNoName) {
  Routes routes({route("", {.path = "/a"}), route("", {})});
  EXPECT_EQ(routes.of_path("/a"), "routes[0]");
  EXPECT_EQ(routes.of_path("/b"), "routes[1]");
  const Routed routed =
      routes.table().route(FakeRequest{.target = "/b"}.attributes(), routes.scratch());
  EXPECT_EQ(routed.index, 1u);
}

TEST(RouteTable, ComparesPrefixesBySegments) {
  for (const char* prefix : {"/api", "/api/"}) {
    Routes routes({route("api", {.path_prefix = prefix})});
    for (const char* path : {"/api", "/api/", "/api/x", "/api?q=/", "/api/x/y?z"}) {
      EXPECT_EQ(routes.of_path(path), "api") << path;
    }
    for (const char* path : {"/", "/apix", "/ap", "/x/api", "/API", "/api%2Ex", "/api-x"}) {
      EXPECT_EQ(routes.of_path(path), "404") << path;
    }
  }
}

TEST(RouteTable, ComparesWholePaths) {
  Routes routes({route("a", {.path = "/a"}), route("root", {.path = "/"})});
  EXPECT_EQ(routes.of_path("/a"), "a");
  EXPECT_EQ(routes.of_path("/a?b=c"), "a");
  EXPECT_EQ(routes.of_path("/"), "root");
  EXPECT_EQ(routes.of_path("/a/"), "404");
  EXPECT_EQ(routes.of_path("/a/b"), "404");
}

TEST(RouteTable, MatchesRegexesAgainstTheWholePath) {
  Routes routes(
      {route("id", {.path_regex = "/users/[0-9]+"}), route("any", {.path_regex = "/u.*"})});
  EXPECT_EQ(routes.of_path("/users/42"), "id");
  EXPECT_EQ(routes.of_path("/users/42?x"), "id");
  EXPECT_EQ(routes.of_path("/users/%34%32"), "id") << "in normal form";
  EXPECT_EQ(routes.of_path("/users/42/x"), "any");
  EXPECT_EQ(routes.of_path("/x/users/42"), "404");
}

TEST(RouteTable, ComparesHosts) {
  Routes routes(
      {route("exact", {.host = {{"example.com"}}}), route("below", {.host = {{"*.example.com"}}}),
       route("two", {.host = {{"one.org", "*.two.org"}}}), route("v6", {.host = {{"[::1]"}}})});
  const std::map<std::string, std::string> expected{{"example.com", "exact"},
                                                    {"EXAMPLE.Com", "exact"},
                                                    {"example.com:8080", "exact"},
                                                    {"example.com.", "exact"},
                                                    {"example.com.:80", "exact"},
                                                    {"a.example.com", "below"},
                                                    {"A.Example.COM.", "below"},
                                                    {"a.b.example.com:1", "below"},
                                                    {"one.org", "two"},
                                                    {"x.two.org", "two"},
                                                    {"two.org", "404"},
                                                    {"x.one.org", "404"},
                                                    {"notexample.com", "404"},
                                                    {".example.com", "404"},
                                                    {"example.co", "404"},
                                                    {"example.com.evil", "404"},
                                                    {"example.comm", "404"},
                                                    {"com", "404"},
                                                    {"", "404"},
                                                    {"[::1]", "v6"},
                                                    {"[::1]:80", "v6"},
                                                    {"[::2]", "404"},
                                                    {"example.com..", "404"}};
  for (const auto& [host, label] : expected) EXPECT_EQ(routes.of_host(host), label) << host;
}

TEST(RouteTable, AWildcardIsNoMoreSpecificThanItsPlace) {
  Routes routes({route("wide", {.host = {{"*.com"}}}), route("deep", {.host = {{"*.example.com"}}}),
                 route("exact", {.host = {{"a.example.com"}}}), route("any", {})});
  EXPECT_EQ(routes.of_host("a.example.com"), "wide");
  EXPECT_EQ(routes.of_host("com"), "any");
}

TEST(RouteTable, AHostPatternIsInAnyCase) {
  Routes routes({route("a", {.host = {{"WWW.Example.COM", "*.UPPER.org."}}})});
  EXPECT_EQ(routes.of_host("www.example.com"), "a");
  EXPECT_EQ(routes.of_host("x.upper.org"), "a");
}

TEST(RouteTable, LooksAtMethods) {
  Routes routes({route("read", {.methods = {"GET", "HEAD"}}), route("rest", {})});
  EXPECT_EQ(routes.of({.method = "GET"}), "read");
  EXPECT_EQ(routes.of({.method = "HEAD"}), "read");
  EXPECT_EQ(routes.of({.method = "POST"}), "rest");
  EXPECT_EQ(routes.of({.method = "get"}), "rest") << "methods have a case";
}

TEST(RouteTable, LooksAtHeaders) {
  Routes routes({route("one", {.headers = {{{"X-Canary", "1"}}}}),
                 route("some", {.headers = {{{"x-canary", "*"}}}}), route("none", {})});
  const auto with = [&](FakeFields fields) { return routes.of({.fields = std::move(fields)}); };
  EXPECT_EQ(with({{"x-canary", "1"}}), "one");
  EXPECT_EQ(with({{"X-CANARY", "1"}}), "one");
  EXPECT_EQ(with({{"x-canary", "2"}}), "some");
  EXPECT_EQ(with({{"x-canary", ""}}), "some");
  EXPECT_EQ(with({{"x-canary", "2"}, {"x-canary", "1"}}), "some") << "the first counts";
  EXPECT_EQ(with({{"x-canar", "1"}}), "none");
  EXPECT_EQ(with({}), "none");
}

TEST(RouteTable, LooksAtCookies) {
  Routes routes({route("beta", {.cookies = {{{"beta", "on"}}}}),
                 route("known", {.cookies = {{{"sid", "*"}}}}), route("none", {})});
  const auto with = [&](const char* cookie) { return routes.of({.fields = {{"cookie", cookie}}}); };
  EXPECT_EQ(with("beta=on"), "beta");
  EXPECT_EQ(with("a=b; beta=on; c=d"), "beta");
  EXPECT_EQ(with("beta=off"), "none");
  EXPECT_EQ(with("xbeta=on"), "none");
  EXPECT_EQ(with("a=b; sid=7"), "known");
  EXPECT_EQ(routes.of({}), "none");
}

TEST(RouteTable, LooksAtTheQuery) {
  Routes routes({route("v2", {.query = {{{"version", "2"}}}}),
                 route("debug", {.query = {{{"debug", "*"}}}}), route("none", {})});
  EXPECT_EQ(routes.of_path("/?version=2"), "v2");
  EXPECT_EQ(routes.of_path("/?a=b&version=2&c"), "v2");
  EXPECT_EQ(routes.of_path("/?version=21"), "none");
  EXPECT_EQ(routes.of_path("/?aversion=2"), "none");
  EXPECT_EQ(routes.of_path("/?debug=1"), "debug");
  EXPECT_EQ(routes.of_path("/?debug"), "debug") << "a parameter may have no value";
  EXPECT_EQ(routes.of_path("/?a&debug"), "debug");
  EXPECT_EQ(routes.of_path("/?debugger"), "none");
  EXPECT_EQ(routes.of_path("/debug"), "none");
}

TEST(RouteTable, AsksForAllConditionsAtOnce) {
  Routes routes({route("all", {.host = {{"a.org"}},
                               .path_prefix = "/x",
                               .methods = {"GET"},
                               .headers = {{{"h", "1"}}},
                               .cookies = {{{"c", "2"}}},
                               .query = {{{"q", "3"}}}})});
  const FakeRequest good{.target = "/x?q=3",
                         .host = "a.org",
                         .method = "GET",
                         .fields = {{"h", "1"}, {"cookie", "c=2"}}};
  EXPECT_EQ(routes.of(good), "all");
  std::vector<FakeRequest> spoilt(6, good);
  spoilt[0].target = "/y?q=3";
  spoilt[1].target = "/x?q=4";
  spoilt[2].host = "b.org";
  spoilt[3].method = "PUT";
  spoilt[4].fields = {{"h", "1"}};
  spoilt[5].fields = {{"cookie", "c=2"}};
  for (const FakeRequest& request : spoilt) EXPECT_EQ(routes.of(request), "404");
}

// -- What somebody might try

TEST(RouteTable, NoSpellingOfAPathSlipsPastARule) {
  Routes routes({route("guarded", {.path_prefix = "/admin"}), route("rest", {})});
  for (const char* path :
       {"/admin", "/%61dmin", "/%61%64%6d%69%6E", "/x/../admin", "/./admin", "/../admin/y",
        "/x/%2e%2e/admin", "/x/.%2E/admin/", "/admin/../admin", "/admin/%2e"}) {
    EXPECT_EQ(routes.of_path(path), "guarded") << path;
  }
  for (const char* path :
       {"//admin", "/x/..%2fadmin", "/x/..%5Cadmin", "/x\\..\\admin", "/x/..;/admin", "/admin;x",
        "/admin;x/y", "/x//..;a=b/../admin", "/%5cadmin", "/admin%2fx", "/admin%3Bx", "/%", "/%2",
        "/%zzadmin", "/%00", "/admin%00", "/x/%u0061dmin"}) {
    EXPECT_EQ(routes.of_path(path), "400") << path;
  }
  for (const char* path : {"/x", "/admin/..", "/administrator", "/x%2fy", "/a//b", "/a;b", "/%40x",
                           "/%2561dmin", "/x/..%252fadmin"}) {
    EXPECT_EQ(routes.of_path(path), "rest") << path;
  }
}

TEST(RouteTable, AnAmbiguousPathIsGoodWhereAllReadingsAgree) {
  Routes routes({route("npm", {.path_prefix = "/npm"}), route("rest", {})});
  EXPECT_EQ(routes.of_path("/npm/@scope%2fpackage"), "npm");
  EXPECT_EQ(routes.of_path("/npm//x"), "npm");
  EXPECT_EQ(routes.of_path("/files/a%2Fb;v=1"), "rest");
}

TEST(RouteTable, AnAmbiguousPathNeverFitsWhereOnlyOneReadingDoes) {
  Routes routes({route("api", {.path_prefix = "/api"})});
  EXPECT_EQ(routes.of_path("/api/..%2fadmin"), "400");
  EXPECT_EQ(routes.of_path("//api"), "400");
  EXPECT_EQ(routes.of_path("//x"), "404");
}

TEST(RouteTable, AllowsAmbiguousPathsWhenTold) {
  Routes routes({route("project", {.path_regex = "/projects/[^/]+/issues"}), route("rest", {})},
                AmbiguousPaths::allow);
  EXPECT_EQ(routes.of_path("/projects/group%2fname/issues"), "project");
  EXPECT_EQ(routes.of_path("//projects/x/issues"), "rest");
  EXPECT_EQ(routes.of_path("/%zz"), "rest");
  EXPECT_EQ(routes.of_path("/x/../projects/y/issues"), "project") << "dots are no matter of taste";
}

TEST(RouteTable, LeavesPathsAloneThatDecideNothing) {
  Routes routes({route("a", {.host = {{"a.org"}}}), route("rest", {})});
  EXPECT_EQ(routes.of_path("/x/..%2fadmin"), "rest");
  EXPECT_EQ(routes.of_path("/%zz"), "rest");
  const FakeRequest request{.target = "/x/../y"};
  EXPECT_EQ(routes.table().route(request.attributes(), routes.scratch()).path, "/x/../y");
}

TEST(RouteTable, HandsOutTheNormalForm) {
  Routes routes({route("a", {.path_prefix = "/a"})});
  const FakeRequest plain{.target = "/a/b"};
  const RequestAttributes attributes = plain.attributes();
  EXPECT_EQ(routes.table().route(attributes, routes.scratch()).path.data(), attributes.path.data())
      << "no copy of what is normal already";
  const FakeRequest odd{.target = "/x/../%61/c%7e?q"};
  EXPECT_EQ(routes.table().route(odd.attributes(), routes.scratch()).path, "/a/c~");
}

// -- Many of them

TEST(RouteTable, FindsEachOfManyHostsAndPaths) {
  std::vector<RouteConfig> configs;
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    configs.push_back(route("h" + n, {.host = {{"host" + n + ".example.com"}}}));
    configs.push_back(route("p" + n, {.path_prefix = "/service" + n + "/v1"}));
  }
  Routes routes(configs);
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(routes.of_host("host" + n + ".example.com"), "h" + n);
    EXPECT_EQ(routes.of_path("/service" + n + "/v1/x"), "p" + n);
    EXPECT_EQ(routes.of_path("/service" + n + "/v2"), "404");
  }
  EXPECT_EQ(routes.of_host("host.example.com"), "404");
}

}  // namespace
}  // namespace lb
