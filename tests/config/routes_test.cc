// Goal: routes are read as they are documented, every mistake in them is reported with its place,
// and what works but cannot be meant is warned of.
// Method: a listener's routes as YAML, one line each, against every word of what is said.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "lbcore/config/daemon_config.h"
#include "lbcore/config/reference.h"

namespace lb::config {
namespace {

constexpr const char* kClusters =
    "clusters: [{name: web, backends: []}, {name: api, backends: []}]\n";

std::string file_of(const std::string& routes) {
  return "listeners:\n- {name: l, bind: 'h:1', routes: [\n" + routes + "\n]}\n" + kClusters;
}

LoadedConfig load(const std::string& routes) { return load_config(file_of(routes), "lbd.yaml"); }

std::vector<RouteConfig> good(const std::string& routes) {
  const LoadedConfig loaded = load(routes);
  EXPECT_EQ(format_problems("lbd.yaml", loaded.problems), "") << routes;
  EXPECT_EQ(format_problems("lbd.yaml", loaded.warnings), "") << routes;
  return loaded.config.listeners.at(0).routes;
}

// -- What is read

TEST(Routes, ReadEveryKeyOfAMatch) {
  const auto routes = good(
      "{name: r, cluster: web, match: {host: '*.example.com', path_prefix: /api, methods: [GET, "
      "PUT], headers: {x-canary: 1, X-B: '*'}, cookies: {sid: '*'}, query: {debug: ''}}},\n"
      "{cluster: web, match: {host: [a.org, b.org], path: /x}},\n"
      "{cluster: web, match: {path_regex: '/users/[0-9]+'}}");
  RouteMatchConfig first;
  first.host = {{"*.example.com"}};
  first.path_prefix = "/api";
  first.methods = {"GET", "PUT"};
  first.headers = {{{"x-canary", "1"}, {"X-B", "*"}}};
  first.cookies = {{{"sid", "*"}}};
  first.query = {{{"debug", ""}}};
  EXPECT_TRUE((routes.at(0) == RouteConfig{.name = "r", .match = first, .cluster = "web"}));
  EXPECT_TRUE((routes.at(1).match.host == HostPatterns{{"a.org", "b.org"}}));
  EXPECT_EQ(routes.at(1).match.path, "/x");
  EXPECT_EQ(routes.at(2).match.path_regex, "/users/[0-9]+");
}

TEST(Routes, ReadEveryAction) {
  const auto routes = good(
      "{match: {path: /1}, split: [{cluster: web, weight: 95}, {cluster: api}], "
      "split_key: {cookie: user}},\n"
      "{match: {path_prefix: /2}, redirect: {status: 308, scheme: https, host: 'n.org:8443', "
      "prefix: /new}},\n"
      "{match: {path: /3}, redirect: {path: '/new?x=y'}},\n"
      "{match: {path: /4}, respond: {status: 503, body: \"later\\n\", content_type: text/html}},\n"
      "{respond: {}}");
  EXPECT_TRUE((routes.at(0).split == std::vector<SplitTarget>{{"web", 95}, {"api", 1}}));
  EXPECT_TRUE((routes.at(0).split_key == KeyExpression{KeyExpression::Source::cookie, "user"}));
  EXPECT_TRUE((routes.at(1).redirect == RedirectConfig{308, "https", "n.org:8443", "", "/new"}));
  EXPECT_TRUE((routes.at(2).redirect == RedirectConfig{302, "", "", "/new?x=y", ""}));
  EXPECT_TRUE((routes.at(3).respond == RespondConfig{503, "later\n", "text/html"}));
  EXPECT_TRUE((routes.at(4).respond == RespondConfig{}));
}

TEST(Routes, ReadEveryChange) {
  const auto routes = good(
      "{match: {path_prefix: /a}, cluster: web, rewrite: {prefix: /, host: b.org}, "
      "request_headers: {set: {X-A: 1}, add: {X-B: two words}, remove: [Cookie]}, "
      "response_headers: {remove: [Server, X-Powered-By], default: {X-C: 3}}, security_headers: "
      "true, cors: {origins: ['https://a.org'], methods: [GET], headers: [X-D], expose: [X-E], "
      "credentials: true, max_age: 1h}},\n"
      "{cluster: web, rewrite: {regex: {pattern: '^/v([0-9])/', replacement: '/\\1/'}}}");
  EXPECT_TRUE((routes.at(0).rewrite == RewriteConfig{"", "/", {}, "b.org"}));
  EXPECT_TRUE((routes.at(0).request_headers ==
               HeaderRulesConfig{{{{"X-A", "1"}}}, {{{"X-B", "two words"}}}, {"Cookie"}}));
  EXPECT_TRUE((routes.at(0).response_headers ==
               HeaderRulesConfig{{}, {}, {"Server", "X-Powered-By"}, {{{"X-C", "3"}}}}));
  EXPECT_TRUE(routes.at(0).security_headers);
  EXPECT_TRUE(
      (routes.at(0).cors ==
       CorsConfig{{"https://a.org"}, {"GET"}, {"X-D"}, {"X-E"}, true, std::chrono::hours{1}}));
  EXPECT_TRUE((routes.at(1).rewrite->regex == RegexReplacement{"^/v([0-9])/", "/\\1/"}));
}

TEST(Routes, ReadBackAsTheyWereWritten) {
  const LoadedConfig loaded = load(
      "{name: all, match: {host: [a.org, '*.b.org'], path_prefix: /api, methods: [GET], "
      "headers: {h: '1'}, cookies: {c: '*'}, query: {q: ''}}, cluster: web, "
      "rewrite: {prefix: /, host: b.org}, request_headers: {set: {a: b}, add: {c: d}, "
      "remove: [e]}, response_headers: {remove: [f], default: {g: h}}, security_headers: true, "
      "cors: {origins: ['https://*.a.org'], credentials: true}},\n"
      "{match: {host: c.org, path: /x}, redirect: {status: 301, scheme: https, host: h, path: "
      "/p}},\n"
      "{match: {path_regex: /y.*}, respond: {status: 204}},\n"
      "{split: [{cluster: web, weight: 2}, {cluster: api}], split_key: client_ip}");
  ASSERT_EQ(format_problems("lbd.yaml", loaded.problems), "");
  const std::string json = to_json(loaded.config).dump(1);
  for (const char* file : {"lbd.json", "lbd.yaml"}) {
    const LoadedConfig again = load_config(json, file);
    EXPECT_EQ(format_problems(file, again.problems), "") << json;
    EXPECT_TRUE(again.config == loaded.config) << json;
  }
  EXPECT_TRUE(check_config(loaded.config).empty());
}

TEST(Routes, AreWrittenWithoutWhatTheyDoNotSay) {
  const LoadedConfig loaded = load("{match: {host: a.org}, cluster: web}");
  EXPECT_EQ(
      to_json(loaded.config)["listeners"][0]["routes"].dump(),
      R"([{"match":{"host":"a.org"},"cluster":"web","priority":0,"security_headers":false}])");
  const LoadedConfig plain = load_config(
      std::string{"listeners: [{name: l, bind: 'h:1', cluster: web}]\n"} + kClusters, "lbd.yaml");
  EXPECT_FALSE(to_json(plain.config)["listeners"][0].contains("routes"));
  EXPECT_FALSE(to_json(loaded.config)["listeners"][0].contains("cluster"));
}

TEST(Routes, AmbiguousPathsAreRefusedUnlessAllowed) {
  const auto of = [](const std::string& more) {
    return load_config("listeners: [{name: l, bind: 'h:1', routes: [{cluster: web}]" + more +
                           "}]\n" + kClusters,
                       "lbd.yaml")
        .config.listeners.at(0)
        .ambiguous_paths;
  };
  EXPECT_EQ(of(""), AmbiguousPaths::refuse);
  EXPECT_EQ(of(", ambiguous_paths: allow"), AmbiguousPaths::allow);
}

TEST(Routes, AreInTheReference) {
  std::vector<std::string> paths;
  for (const Key& key : configuration_keys()) paths.push_back(key.path);
  for (const char* path :
       {"listeners[].routes", "listeners[].routes[].match.host", "listeners[].routes[].match.query",
        "listeners[].routes[].split[].weight", "listeners[].routes[].redirect.status",
        "listeners[].routes[].rewrite.regex.pattern", "listeners[].routes[].split_key",
        "listeners[].routes[].request_headers.set", "listeners[].ambiguous_paths"}) {
    EXPECT_EQ(std::count(paths.begin(), paths.end(), path), 1) << path;
  }
}

// -- What is wrong

struct Wrong {
  const char* name;
  const char* routes;
  const char* problems;  // Without the name of the file and the path of the list.
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

const Wrong kWrong[] = {
    {"NoAction", "{match: {path: /}}",
     "3:1: [0]: expected exactly one of \"cluster\", \"split\", \"redirect\" and \"respond\", "
     "found "
     "none\n"},
    {"TwoActions", "{cluster: web, respond: {}}",
     "3:1: [0]: expected exactly one of \"cluster\", \"split\", \"redirect\" and \"respond\", "
     "found "
     "\"cluster\" and \"respond\"\n"},
    {"AnUnknownKey", "{cluster: web, matches: {}}",
     "3:16: [0].matches: unknown key; expected one of \"name\", \"match\", \"cluster\", \"split\", "
     "\"split_key\", \"redirect\", \"respond\", \"priority\", \"rewrite\", \"request_headers\", "
     "\"response_headers\", \"cors\" or \"security_headers\"; did you mean \"match\"?\n"},
    {"CorsForNobody", "{cluster: web, cors: {origins: []}}",
     "3:32: [0].cors.origins: expected at least one, such as \"https://example.com\"\n"},
    {"CorsForAHostWithoutScheme", "{cluster: web, cors: {origins: [a.org]}}",
     "3:33: [0].cors.origins[0]: expected an origin such as \"https://example.com\" or "
     "\"https://*.example.com\", found \"a.org\"\n"},
    {"CorsForAllWithCredentials", "{cluster: web, cors: {origins: ['*'], credentials: true}}",
     "3:32: [0].cors.origins: \"*\" does not go with credentials; name them one by one\n"},
    {"CorsWithAFieldThatIsNone", "{cluster: web, cors: {origins: ['*'], expose: [a b]}}",
     "3:48: [0].cors.expose[0]: expected a name, found \"a b\"\n"},
    {"AnUnknownCondition", "{cluster: web, match: {path_prefx: /}}",
     "3:24: [0].match.path_prefx: unknown key; expected one of \"host\", \"path\", "
     "\"path_prefix\", \"path_regex\", \"methods\", \"headers\", \"cookies\" or \"query\"; did you "
     "mean \"path_prefix\"?\n"},
    {"AnUnknownCluster", "{cluster: wep}",
     "3:11: [0].cluster: there is no cluster \"wep\"; did you mean \"web\"?\n"},
    {"AnUnknownClusterInASplit", "{split: [{cluster: web}, {cluster: apy}]}",
     "3:36: [0].split[1].cluster: there is no cluster \"apy\"; did you mean \"api\"?\n"},
    {"ANameGivenTwice", "{name: a, match: {path: /}, cluster: web}, {name: a, cluster: web}",
     "3:51: [1].name: another route of this listener is named \"a\" already\n"},
    {"AnEmptyCluster", "{cluster: ''}",
     "3:1: [0]: expected exactly one of \"cluster\", \"split\", \"redirect\" and \"respond\", "
     "found "
     "none\n"
     "3:11: [0].cluster: expected a text that is not empty, found \"\"\n"},

    {"TwoPaths", "{cluster: web, match: {path: /a, path_prefix: /b}}",
     "3:23: [0].match: expected at most one condition on the path, found \"path\" and "
     "\"path_prefix\"\n"},
    {"APathWithoutSlash", "{cluster: web, match: {path: a}}",
     "3:30: [0].match.path: expected a path that starts with \"/\", found \"a\"\n"},
    {"APathWithAQuery", "{cluster: web, match: {path_prefix: '/a?b=c'}}",
     "3:37: [0].match.path_prefix: expected a path without query or fragment, found \"/a?b=c\"; "
     "conditions on the query go under \"query\"\n"},
    {"APathNotInNormalForm", "{cluster: web, match: {path: /%61/../b}}",
     "3:30: [0].match.path: paths are compared in their normal form: write \"/b\" for "
     "\"/%61/../b\"\n"},
    {"APathInUnicode", "{cluster: web, match: {path: /café}}",
     "3:30: [0].match.path: paths are compared in their normal form: write \"/caf%C3%A9\" for "
     "\"/café\"\n"},
    {"APathWithABadEscape", "{cluster: web, match: {path: /100%}}",
     "3:30: [0].match.path: expected two hexadecimal digits after each \"%\", and not %00, found "
     "\"/100%\"\n"},
    {"APathThatServersReadDifferently", "{cluster: web, match: {path_prefix: /a%2Fb}}",
     "3:37: [0].match.path_prefix: servers read this path in different ways, so every request for "
     "it is refused; the listener may have \"ambiguous_paths: allow\"\n"},
    {"ABadRegex", "{cluster: web, match: {path_regex: '/a(b'}}",
     "3:36: [0].match.path_regex: not a regular expression that RE2 takes: missing ): /a(b (at "
     "character 1)\n"},
    {"ABadPartOfARegex", "{cluster: web, match: {path_regex: '/a[z-a]b'}}",
     "3:36: [0].match.path_regex: not a regular expression that RE2 takes: invalid character class "
     "range: z-a (at character 4)\n"},
    {"ARegexTooDeep", "{cluster: web, match: {path_regex: '((a{100}){100}){100}'}}",
     "3:36: [0].match.path_regex: not a regular expression that RE2 takes: invalid repetition "
     "size: "
     "{100}\n"},
    {"ARegexTooLarge", "{cluster: web, match: {path_regex: '\\pL{1000}'}}",
     "3:36: [0].match.path_regex: not a regular expression that RE2 takes: pattern too large - "
     "compile failed\n"},
    {"AHostWithAPort", "{cluster: web, match: {host: 'a.org:80'}}",
     "3:30: [0].match.host: expected a host such as \"example.com\" or \"*.example.com\", found "
     "\"a.org:80\"; ports do not count: leave out \":80\"\n"},
    {"AnyHost", "{cluster: web, match: {host: '*'}}",
     "3:30: [0].match.host: expected a host such as \"example.com\" or \"*.example.com\", found "
     "\"*\"; without \"host\" a route is for any\n"},
    {"AWildcardInTheMiddle", "{cluster: web, match: {host: [b.org, 'a.*.org']}}",
     "3:38: [0].match.host[1]: expected a host such as \"example.com\" or \"*.example.com\", found "
     "\"a.*.org\"\n"},
    {"AMethodInSmallLetters", "{cluster: web, match: {methods: [GET, post]}}",
     "3:39: [0].match.methods[1]: expected a method such as \"GET\", in capitals, found "
     "\"post\"\n"},
    {"AHeaderThatIsNone", "{cluster: web, match: {headers: {'a b': c}}}",
     "3:41: [0].match.headers.a b: not the name of a header field: \"a b\"\n"},
    {"AHeaderValueThatIsNone", "{cluster: web, match: {cookies: {a: \"b\\n\"}}}",
     "3:37: [0].match.cookies.a: no such value can ever be sent: it has control characters, or "
     "white space around it\n"},
    {"HeadersThatAreAList", "{cluster: web, match: {headers: [a]}}",
     "3:33: [0].match.headers: expected an object of names and values, found a list\n"},
    {"AParameterThatIsNone", "{cluster: web, match: {query: {'a=b': c}}}",
     "3:39: [0].match.query.a=b: expected a parameter as it stands in a URL, with what is special "
     "in it escaped\n"},

    {"AWeightOfZero", "{split: [{cluster: web, weight: 0}, {cluster: api}]}",
     "3:33: [0].split[0].weight: expected a whole number from 1 to 1000000, found \"0\"\n"},
    {"AClusterTwiceInASplit", "{split: [{cluster: web}, {cluster: web}]}",
     "3:36: [0].split[1].cluster: the cluster \"web\" is in this split already\n"},
    {"AKeyWithoutASplit", "{cluster: web, split_key: client_ip}",
     "3:27: [0].split_key: \"split_key\" says who stays on which side of a \"split\"; there is "
     "none\n"},
    {"AnUnknownKeySource", "{split: [{cluster: web}, {cluster: api}], split_key: {cooky: a}}",
     "3:54: [0].split_key: expected \"client_ip\", \"path\", {header: name}, {cookie: name} or "
     "{query: name}, found \"cooky\"; did you mean \"cookie\"?\n"},
    {"ARedirectStatus", "{redirect: {status: 304, path: /a}}",
     "3:21: [0].redirect.status: expected 301, 302, 303, 307 or 308, found \"304\"\n"},
    {"ARedirectToNowhere", "{redirect: {status: 301}}",
     "3:12: [0].redirect: leads back to where the client comes from; expected \"scheme\", "
     "\"host\", "
     "\"path\" or \"prefix\"\n"},
    {"ARedirectScheme", "{redirect: {scheme: ftp}}",
     "3:21: [0].redirect.scheme: expected \"http\" or \"https\", found \"ftp\"\n"},
    {"ARedirectHost", "{redirect: {host: 'a.org/x'}}",
     "3:19: [0].redirect.host: expected host or host:port, such as \"example.com\", found "
     "\"a.org/x\"\n"},
    {"ARedirectToAnotherHostByItsPath", "{redirect: {path: //evil.org}}",
     "3:19: [0].redirect.path: expected a path that starts with one \"/\", in normal form and with "
     "special characters escaped, found \"//evil.org\"\n"},
    {"ARedirectByAPrefixThatIsNotMatched", "{redirect: {prefix: /a}}",
     "3:21: [0].redirect.prefix: \"prefix\" takes the place of \"match: {path_prefix: …}\"; there "
     "is none\n"},
    {"ARedirectWithTwoPaths", "{match: {path_prefix: /a}, redirect: {prefix: /a, path: /b}}",
     "3:38: [0].redirect: expected at most one of \"path\" and \"prefix\", found both\n"},
    {"AnInformalStatus", "{respond: {status: 101}}",
     "3:20: [0].respond.status: expected a whole number from 200 to 599, found \"101\"\n"},
    {"ABodyWhereThereIsNone", "{respond: {status: 204, body: a}}",
     "3:31: [0].respond.body: an answer with status 204 has no body\n"},
    {"ABodyThatResetsContent", "{respond: {status: 205, body: a}}",
     "3:31: [0].respond.body: an answer with status 205 has no body\n"},
    {"AMediaTypeOfTwoLines", "{respond: {content_type: \"a\\r\\nb: c\"}}",
     "3:26: [0].respond.content_type: expected a media type such as \"text/html\", without control "
     "characters\n"},

    {"ARewriteOfNothing", "{cluster: web, rewrite: {}}",
     "3:25: [0].rewrite: changes nothing; expected \"path\", \"prefix\", \"regex\" or \"host\"\n"},
    {"TwoNewPaths", "{match: {path_prefix: /a}, cluster: web, rewrite: {path: /a, prefix: /b}}",
     "3:51: [0].rewrite: expected at most one new path, found \"path\" and \"prefix\"\n"},
    {"ARewriteWithASpace", "{cluster: web, rewrite: {path: /a b}}",
     "3:32: [0].rewrite.path: expected a path that starts with one \"/\", in normal form and with "
     "special characters escaped, found \"/a b\"\n"},
    {"ARewriteWithAQuery", "{cluster: web, rewrite: {path: '/a?b'}}",
     "3:32: [0].rewrite.path: expected a path that starts with one \"/\", in normal form and with "
     "special characters escaped, found \"/a?b\"\n"},
    {"AGroupThatIsNotThere",
     "{cluster: web, rewrite: {regex: {pattern: '(a)', replacement: '\\2'}}}",
     "3:63: [0].rewrite.regex.replacement: does not fit the pattern: Rewrite schema requests 2 "
     "matches, but the regexp only has 1 parenthesized subexpressions.\n"},
    {"AReplacementWithALineEnd",
     "{cluster: web, rewrite: {regex: {pattern: 'a', replacement: \"b\\r\\nc\"}}}",
     "3:61: [0].rewrite.regex.replacement: expected characters that may stand in a path, others "
     "escaped with \"%\"\n"},
    {"ARewriteHostOfTwoLines", "{cluster: web, rewrite: {host: \"a\\r\\nb: c\"}}",
     "3:32: [0].rewrite.host: expected host or host:port, such as \"example.com\", found \"a\r\nb: "
     "c\"\n"},
    {"ARewriteOfAnAnswer", "{respond: {}, rewrite: {path: /a}, request_headers: {remove: [a]}}",
     "3:24: [0].rewrite: has no effect: this route sends nothing to a cluster\n"
     "3:53: [0].request_headers: has no effect: this route sends nothing to a cluster\n"},
    {"APriorityOfAnAnswer", "{respond: {}, priority: 1}",
     "3:25: [0].priority: has no effect: this route sends nothing to a cluster\n"},
    {"AHostHeader", "{cluster: web, request_headers: {set: {Host: a}}}",
     "3:46: [0].request_headers.set.Host: \"Host\" may not be changed here: Host is set by "
     "\"rewrite: {host: …}\"\n"},
    {"AFramingHeader", "{cluster: web, response_headers: {remove: [Content-Length]}}",
     "3:44: [0].response_headers.remove[0]: \"Content-Length\" may not be changed here: the proxy "
     "writes the fields that frame a message itself\n"},
    {"AForwardedHeader", "{cluster: web, request_headers: {add: {X-Forwarded-For: 1.2.3.4}}}",
     "3:57: [0].request_headers.add.X-Forwarded-For: \"X-Forwarded-For\" may not be changed here: "
     "the proxy writes X-Forwarded-* itself\n"},
    {"AHeaderOfTwoLines", "{cluster: web, response_headers: {set: {a: \"b\\r\\nc: d\"}}}",
     "3:44: [0].response_headers.set.a: a value may have no control characters (such as line ends) "
     "and no white space around it\n"},
    {"AHeaderNameOfTwoLines", "{cluster: web, response_headers: {remove: [\"a\\r\\nb\"]}}",
     "3:44: [0].response_headers.remove[0]: not the name of a header field: \"a\r\nb\"\n"},
    {"AHeaderSetAndRemoved", "{cluster: web, response_headers: {set: {A: b}, remove: [a]}}",
     "3:57: [0].response_headers.remove[0]: \"A\" is set and removed\n"},
    {"AHeaderSetTwice", "{cluster: web, response_headers: {set: {A: b, a: c}}}",
     "3:50: [0].response_headers.set.a: \"a\" is set twice\n"},
    {"RulesOfNothing", "{cluster: web, response_headers: {}}",
     "3:34: [0].response_headers: changes nothing; expected \"set\", \"add\", \"default\" or "
     "\"remove\"\n"},
};

class WrongRoute : public ::testing::TestWithParam<Wrong> {};

INSTANTIATE_TEST_SUITE_P(Table, WrongRoute, ::testing::ValuesIn(kWrong),
                         [](const auto& wrong) { return std::string{wrong.param.name}; });

TEST_P(WrongRoute, IsReportedInEveryWord) {
  std::string problems = format_problems("lbd.yaml", load(GetParam().routes).problems);
  for (const std::string& same : {std::string{"lbd.yaml:"}, std::string{"listeners[0].routes"}}) {
    for (std::size_t at; (at = problems.find(same)) != std::string::npos;) {
      problems.erase(at, same.size());
    }
  }
  EXPECT_EQ(problems, GetParam().problems);
}

TEST(WrongRoutes, APatternThatIsTooLongIsRefused) {
  const auto problems =
      load("{cluster: web, match: {path_regex: /" + std::string(1024, 'a') + "}}").problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message,
            "not a regular expression that RE2 takes: longer than 1024 characters");
}

TEST(WrongRoutes, ABodyThatIsTooLongIsRefused) {
  const auto problems = load("{respond: {body: " + std::string(65'537, 'a') + "}}").problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "expected at most 64 KiB, found 65537 bytes");
}

// -- The listener

std::string problems_of_listener(const std::string& rest) {
  const std::string text = "listeners: [{name: l, bind: 'h:1'" + rest + "}]\n" + kClusters;
  return format_problems("f", load_config(text, "lbd.yaml").problems);
}

TEST(ListenerWithRoutes, SaysWhereItsRequestsGoOnce) {
  EXPECT_EQ(problems_of_listener(""),
            "f:1:13: listeners[0]: expected \"cluster\" or \"routes\": where its requests go\n");
  EXPECT_EQ(problems_of_listener(", routes: []"),
            "f:1:44: listeners[0].routes: expected at least one route\n");
  EXPECT_EQ(problems_of_listener(", cluster: web, routes: [{cluster: api}]"),
            "f:1:58: listeners[0].routes: the listener has \"cluster\", which takes everything; a "
            "last route without \"match\" takes the rest\n");
  EXPECT_EQ(problems_of_listener(", protocol: tcp, routes: [{cluster: api}]"),
            "f:1:59: listeners[0].routes: tcp does not look inside, so there is nothing to choose "
            "by; expected \"cluster\"\n");
  EXPECT_EQ(problems_of_listener(", protocol: tcp, cluster: web"), "");
  EXPECT_EQ(problems_of_listener(", ambiguous_paths: deny, cluster: web"),
            "f:1:53: listeners[0].ambiguous_paths: expected \"refuse\" or \"allow\", found "
            "\"deny\"\n");
}

// -- What cannot be meant

std::string warnings(const std::string& routes) {
  const LoadedConfig loaded = load(routes);
  EXPECT_EQ(format_problems("f", loaded.problems), "");
  return format_problems("f", loaded.warnings);
}

TEST(UnreachableRoutes, AreWarnedOf) {
  EXPECT_EQ(warnings("{cluster: web},\n{name: late, match: {path: /a}, cluster: api}"),
            "f:4:1: listeners[0].routes[1]: no request gets here: routes[0] takes all that this is "
            "for\n");
  EXPECT_EQ(warnings("{name: all, match: {path_prefix: /a}, cluster: web},\n"
                     "{match: {host: x.org, path_prefix: /a/b, methods: [GET]}, cluster: api}"),
            "f:4:1: listeners[0].routes[1]: no request gets here: routes[0], \"all\", takes all "
            "that this is for\n");
  EXPECT_NE(warnings("{match: {host: '*.org'}, cluster: web},\n"
                     "{match: {host: [a.org, '*.b.org']}, cluster: api}"),
            "");
}

TEST(UnreachableRoutes, AreOnlyThoseThatNothingReaches) {
  for (const char* routes :
       {"{match: {path_prefix: /a}, cluster: web}, {match: {path_prefix: /ab}, cluster: api}",
        "{match: {path: /a}, cluster: web}, {match: {path_prefix: /a}, cluster: api}",
        "{match: {path_prefix: /a, methods: [GET]}, cluster: web}, "
        "{match: {path_prefix: /a}, cluster: api}",
        "{match: {host: '*.org'}, cluster: web}, {match: {host: org}, cluster: api}",
        "{match: {host: '*.org'}, cluster: web}, {match: {host: [a.org, a.com]}, cluster: api}",
        "{match: {host: a.org}, cluster: web}, {match: {path: /}, cluster: api}",
        "{match: {path_regex: '.*'}, cluster: web}, {cluster: api}"}) {
    EXPECT_EQ(warnings(routes), "") << routes;
  }
}

}  // namespace
}  // namespace lb::config
