// What can be said of a route, as plain structs: the loader (lbcore/config) fills them in, and
// route_checks.h says what is wrong with them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbcore/time.h"

namespace lb {

// Names with their values, in the order of the file: of header fields, cookies or parameters.
struct NamedValue {
  std::string name;
  std::string value;
  bool operator==(const NamedValue&) const = default;
};
struct NamedValues {
  std::vector<NamedValue> items;
  bool operator==(const NamedValues&) const = default;
};

// "example.com", or "*.example.com" for every name below it. None: any host.
struct HostPatterns {
  std::vector<std::string> patterns;
  bool operator==(const HostPatterns&) const = default;
};

// All that is given has to hold; nothing given holds for every request.
struct RouteMatchConfig {
  HostPatterns host;
  // At most one of three. Paths are compared in their normal form: see normal_path.h.
  std::string path;         // All of it.
  std::string path_prefix;  // Whole segments: /api is a prefix of /api and /api/x, not of /apix.
  std::string path_regex;   // RE2, of all of it.
  std::vector<std::string> methods;  // Any of these.
  // Equal to the value, letter by letter; "*" for any value, as long as there is one. Of a header
  // field that is repeated the first counts.
  NamedValues headers;
  NamedValues cookies;
  NamedValues query;
  bool operator==(const RouteMatchConfig&) const = default;
};

struct SplitTarget {
  std::string cluster;
  std::uint32_t weight = 1;
  bool operator==(const SplitTarget&) const = default;
};

struct RedirectConfig {
  // 302 by default: a browser never forgets a permanent one that was a mistake.
  std::uint16_t status = 302;
  std::string scheme;  // Those that are empty stay as the request has them.
  std::string host;    // May have a port.
  std::string path;    // In place of the whole path, and of the query if it has one of its own.
  std::string prefix;  // In place of match.path_prefix.
  bool operator==(const RedirectConfig&) const = default;
};

struct RespondConfig {
  std::uint16_t status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  bool operator==(const RespondConfig&) const = default;
};

struct RegexReplacement {
  std::string pattern;      // RE2; every match in the path is replaced.
  std::string replacement;  // \1 is the first group, \0 the whole match.
  bool operator==(const RegexReplacement&) const = default;
};

// What the backend is asked for instead. At most one of path, prefix and regex; the query stays.
struct RewriteConfig {
  std::string path;
  std::string prefix;  // In place of match.path_prefix.
  std::optional<RegexReplacement> regex;
  std::string host;
  bool operator==(const RewriteConfig&) const = default;
};

// Removed first, then set, then added.
struct HeaderRulesConfig {
  NamedValues set;  // In place of all fields of that name.
  NamedValues add;  // Beside them.
  std::vector<std::string> remove;
  NamedValues defaults;  // Where there is none of that name.
  bool operator==(const HeaderRulesConfig&) const = default;
};

// Which pages of other origins may use what a route answers: see cors.h.
struct CorsConfig {
  std::vector<std::string> origins;  // See is_origin_pattern().
  std::vector<std::string> methods = {"GET", "HEAD", "POST"};
  std::vector<std::string> headers;  // That a request may have beyond the harmless ones.
  std::vector<std::string> expose;   // Of an answer, likewise.
  bool credentials = false;
  Duration max_age = std::chrono::minutes{10};  // A browser need not ask again for so long.
  bool operator==(const CorsConfig&) const = default;
};

struct RouteConfig {
  std::string name;  // For logs and explanations; may be empty.
  RouteMatchConfig match;
  // Exactly one of four says what happens.
  std::string cluster;
  std::vector<SplitTarget> split;
  std::optional<RedirectConfig> redirect;
  std::optional<RespondConfig> respond;
  // Keeps who has the same key on one side of the split; without it each request is drawn anew.
  std::optional<KeyExpression> split_key;
  // In the cluster's queue, when there is one: 0 goes first, up to 7.
  std::uint32_t priority = 0;
  std::optional<RewriteConfig> rewrite;
  std::optional<HeaderRulesConfig> request_headers;
  std::optional<HeaderRulesConfig> response_headers;
  std::optional<CorsConfig> cors;
  bool security_headers = false;  // See security_headers() in header_rules.h.
  bool operator==(const RouteConfig&) const = default;
};

// What becomes of a path that common servers read in different ways, when the readings would take
// different routes: see normal_path.h.
enum class AmbiguousPaths : std::uint8_t {
  refuse,  // 400: somebody tries to slip past a rule.
  allow,   // The strict reading counts. For backends that are known to read strictly.
};

}  // namespace lb
