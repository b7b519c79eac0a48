// Goal: what a route does to a request is what its configuration says: where it goes, what it is
// then asked for, which header fields it has; and no answer of ours leads where nobody meant.
// Method: tables for each part.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "lbcore/prng.h"
#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/path_rewrite.h"
#include "lbcore/routing/split.h"
#include "tests/testing/requests.h"

namespace lb {
namespace {

using testing::FakeRequest;

// -- Rewrites

std::string rewritten(const RewriteConfig& rewrite, const RouteMatchConfig& match,
                      std::string_view path) {
  std::string out = "what was here before";
  PathRewrite(rewrite, match).apply(path, out);
  return out;
}

TEST(PathRewrite, ReplacesThePrefixThatMatched) {
  struct Case {
    const char* old_prefix;
    const char* new_prefix;
    const char* path;
    const char* expected;
  };
  constexpr Case kCases[] = {{"/api", "/new", "/api", "/new"},
                             {"/api", "/new", "/api/", "/new/"},
                             {"/api", "/new", "/api/x", "/new/x"},
                             {"/api/", "/new/", "/api/x", "/new/x"},
                             {"/api/", "/new", "/api", "/new"},
                             {"/api", "/", "/api", "/"},
                             {"/api", "/", "/api/", "/"},
                             {"/api", "/", "/api/x/y", "/x/y"},
                             {"/api", "/", "/api//x", "/x"},
                             {"/", "/new", "/x", "/new/x"},
                             {"/", "/new", "/", "/new/"},
                             {"/", "/", "/x", "/x"},
                             {"/a/b", "/c/d/e", "/a/b/f", "/c/d/e/f"}};
  for (const Case& c : kCases) {
    EXPECT_EQ(rewritten({.prefix = c.new_prefix}, {.path_prefix = c.old_prefix}, c.path),
              c.expected)
        << c.old_prefix << " to " << c.new_prefix << " in " << c.path;
  }
}

TEST(PathRewrite, ReplacesTheWholePath) {
  EXPECT_EQ(rewritten({.path = "/new"}, {}, "/x/y"), "/new");
}

TEST(PathRewrite, ReplacesWhatARegexFinds) {
  const auto regex = [](const char* pattern, const char* replacement, const char* path) {
    return rewritten({.regex = RegexReplacement{pattern, replacement}}, {}, path);
  };
  EXPECT_EQ(regex("^/users/([0-9]+)$", "/u/\\1", "/users/42"), "/u/42");
  EXPECT_EQ(regex("^/([a-z]+)/v1/", "/v2/\\1/", "/shop/v1/x"), "/v2/shop/x");
  EXPECT_EQ(regex("-", "_", "/a-b-c"), "/a_b_c");
  EXPECT_EQ(regex("nowhere", "x", "/a"), "/a");
  EXPECT_EQ(regex("^/", "", "/a"), "/a") << "a path starts with a slash";
}

TEST(PathRewrite, LeavesTheStarOfOptionsAlone) {
  EXPECT_EQ(rewritten({.path = "/new"}, {}, "*"), "*");
  EXPECT_EQ(rewritten({}, {}, "/x"), "/x");
  EXPECT_TRUE(PathRewrite().empty());
}

// -- Redirects

std::string location(const RedirectConfig& redirect, const RedirectTarget::Request& request,
                     const RouteMatchConfig& match = {}) {
  std::string out = "what was here before";
  RedirectTarget(redirect, match).write_location(request, out);
  return out;
}

constexpr RedirectTarget::Request kRequest{"http", "example.com:8080", "/old/x", "a=b"};

TEST(RedirectTarget, KeepsWhatItDoesNotChange) {
  EXPECT_EQ(location({.scheme = "https"}, kRequest), "https://example.com/old/x?a=b")
      << "the port of http is not that of https";
  EXPECT_EQ(location({.scheme = "http"}, kRequest), "http://example.com:8080/old/x?a=b");
  EXPECT_EQ(location({.host = "new.org"}, kRequest), "http://new.org/old/x?a=b");
  EXPECT_EQ(location({.scheme = "https", .host = "new.org:8443"}, kRequest),
            "https://new.org:8443/old/x?a=b");
  EXPECT_EQ(location({.path = "/new"}, kRequest), "/new?a=b");
  EXPECT_EQ(location({.path = "/new?c=d"}, kRequest), "/new?c=d") << "a query of its own";
  EXPECT_EQ(location({.prefix = "/new"}, kRequest, {.path_prefix = "/old"}), "/new/x?a=b");
  EXPECT_EQ(location({.host = "new.org", .prefix = "/"}, kRequest, {.path_prefix = "/old"}),
            "http://new.org/x?a=b");
}

TEST(RedirectTarget, NeverLeadsToAHostThatTheClientNamed) {
  for (const char* path : {"//evil.org", "//evil.org/x", "///evil.org", "/old//evil.org"}) {
    const RedirectTarget::Request request{"http", "", path, ""};
    EXPECT_NE(location({.path = "/new"}, request).substr(0, 2), "//");
    const std::string by_prefix = location({.prefix = "/"}, request, {.path_prefix = "/"});
    EXPECT_NE(by_prefix.substr(0, 2), "//") << path;
  }
  EXPECT_EQ(location({.prefix = "/"}, {"http", "", "/old//evil.org", ""}, {.path_prefix = "/old"}),
            "/evil.org");
}

TEST(RedirectTarget, CopesWithoutAHost) {
  EXPECT_EQ(location({.scheme = "https"}, {"http", "", "/x", ""}), "/x");
  EXPECT_EQ(location({.host = "a.org"}, {"http", "", "*", ""}), "http://a.org/");
}

// -- Header fields

TEST(HeaderRules, DropWhatIsSetOrRemovedAndAddTheRest) {
  const HeaderRules rules({.set = {{{"X-A", "1"}}},
                           .add = {{{"X-B", "2"}, {"X-B", "3"}, {"X-Empty", ""}}},
                           .remove = {"Server"}});
  EXPECT_TRUE(rules.drops("x-a"));
  EXPECT_TRUE(rules.drops("SERVER"));
  EXPECT_FALSE(rules.drops("x-b"));
  EXPECT_FALSE(rules.drops("serve"));
  EXPECT_EQ(rules.lines(), "X-A: 1\r\nX-B: 2\r\nX-B: 3\r\nX-Empty: \r\n");
  EXPECT_FALSE(rules.empty());
  EXPECT_TRUE(HeaderRules().empty());
}

TEST(HeaderRules, RefuseToBuildALineThatIsTwo) {
  EXPECT_DEATH(HeaderRules({.set = {{{"x", "a\r\nb: c"}}}, .add = {}, .remove = {}}),
               "broken invariant");
  EXPECT_DEATH(HeaderRules({.set = {}, .add = {{{"x: y\r\nz", "a"}}}, .remove = {}}),
               "broken invariant");
  EXPECT_DEATH(HeaderRules({.set = {{{"Content-Length", "0"}}}, .add = {}, .remove = {}}),
               "broken invariant");
}

TEST(HeaderRules, KnowWhatTheProxyWritesItself) {
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "CONNECTION",
                           "keep-alive", "Upgrade", "TE", "Trailer", "Expect", "Proxy-Connection",
                           "X-Forwarded-For", "x-forwarded-anything", "Forwarded"}) {
    EXPECT_TRUE(why_reserved(name)) << name;
  }
  for (const char* name :
       {"X-Forwarded", "Server", "Content-Type", "Set-Cookie", "Authorization", "Hosts", "Via"}) {
    EXPECT_FALSE(why_reserved(name)) << name;
  }
}

TEST(HeaderRules, KnowAFieldWhenTheySeeOne) {
  for (const char* name : {"a", "X-A", "!#$%&'*+-.^_`|~09"}) EXPECT_TRUE(is_token(name)) << name;
  for (const char* name : {"", "a b", "a:", "a\n", "(a)", "\xc3\xa9", "a/b"}) {
    EXPECT_FALSE(is_token(name)) << name;
  }
  for (const char* value : {"", "a", "a b\tc", "\xc3\xa9", "\"q\"; a=b"}) {
    EXPECT_TRUE(is_field_value(value)) << value;
  }
  for (const std::string& value :
       {std::string{" a"}, std::string{"a\t"}, std::string{"a\r\nb"}, std::string{"a\nb"},
        std::string{"a\0b", 3}, std::string{"\x7f"}, std::string{"\x1b[1m"}}) {
    EXPECT_FALSE(is_field_value(value)) << value;
  }
}

// -- Splits

constexpr ClusterId kStable{1};
constexpr ClusterId kCanary{2};

TEST(Split, GivesEachSideItsPartOfTheNumbers) {
  const Split split({{kStable, 9}, {kCanary, 1}}, std::nullopt);
  const FakeRequest request;
  // Evenly spaced numbers: the shares are exact, whatever the draw does with them.
  std::map<ClusterId, int> counts;
  constexpr std::uint64_t kStep = ~std::uint64_t{0} / 1000;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ++counts[split.pick(request.attributes(), i * kStep + kStep / 2)];
  }
  EXPECT_EQ(counts[kStable], 900);
  EXPECT_EQ(counts[kCanary], 100);
  EXPECT_EQ(split.pick(request.attributes(), 0), kStable);
  EXPECT_EQ(split.pick(request.attributes(), ~std::uint64_t{0}), kCanary);
}

TEST(Split, AGrowingWeightOnlyMovesWhoHasTo) {
  const Split before({{kStable, 90}, {kCanary, 10}}, std::nullopt);
  const Split after({{kStable, 80}, {kCanary, 20}}, std::nullopt);
  const FakeRequest request;
  Prng prng{7};
  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t draw = prng.next();
    const ClusterId was = before.pick(request.attributes(), draw);
    const ClusterId is = after.pick(request.attributes(), draw);
    EXPECT_TRUE(was == kStable || is == kCanary) << "nobody goes back";
    moved += was != is ? 1 : 0;
  }
  EXPECT_NEAR(moved, 1000, 100);  // Ten in a hundred; the deviation is 30.
}

TEST(Split, AKeyKeepsAClientOnItsSide) {
  const Split split({{kStable, 1}, {kCanary, 1}},
                    KeyExpression{KeyExpression::Source::cookie, "user"});
  std::map<ClusterId, int> counts;
  for (int user = 0; user < 1000; ++user) {
    const FakeRequest request{.fields = {{"cookie", "user=" + std::to_string(user)}}};
    const ClusterId first = split.pick(request.attributes(), 0);
    ++counts[first];
    for (std::uint64_t draw = 1; draw != 0; draw <<= 8U) {
      EXPECT_EQ(split.pick(request.attributes(), draw), first);
    }
  }
  EXPECT_NEAR(counts[kCanary], 500, 64);  // Four deviations of a fair coin.
}

TEST(Split, OfOneSideIsThatSide) {
  const Split split({{kStable, 3}}, std::nullopt);
  EXPECT_TRUE(split.trivial());
  EXPECT_EQ(split.pick(FakeRequest{}.attributes(), 12345), kStable);
}

}  // namespace
}  // namespace lb
