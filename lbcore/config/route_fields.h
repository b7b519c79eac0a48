// The keys of a route, and what is checked of the routes of a listener.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/json.h"
#include "lbcore/config/key_expression.h"
#include "lbcore/config/reader.h"
#include "lbcore/routing/route_config.h"

namespace lb::config {

template <>
struct EnumWords<AmbiguousPaths> {
  static constexpr std::array<std::pair<AmbiguousPaths, const char*>, 2> words{
      {{AmbiguousPaths::refuse, "refuse"}, {AmbiguousPaths::allow, "allow"}}};
};

// A text that is either absent or not empty.
struct OptionalText {
  std::string& text;
};

struct Writing;
class Definitions;

void read(const Place& place, OptionalText& value, Range range = {});
[[nodiscard]] Json write(Writing, const OptionalText& value);
[[nodiscard]] std::string type_words(const OptionalText& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const OptionalText& value, Range range = {});

// One host, or a list of them.
void read(const Place& place, HostPatterns& value, Range range = {});
[[nodiscard]] Json write(Writing, const HostPatterns& value);
[[nodiscard]] std::string type_words(const HostPatterns& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const HostPatterns& value, Range range = {});

// An object whose keys are names: {x-canary: "1"}.
void read(const Place& place, NamedValues& value, Range range = {});
[[nodiscard]] Json write(Writing, const NamedValues& value);
[[nodiscard]] std::string type_words(const NamedValues& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const NamedValues& value, Range range = {});

template <class Fields>
void optional_text(Fields& fields, std::string_view key, std::string& text, std::string_view doc) {
  OptionalText value{text};
  fields.optional(key, value, doc);
}

template <class Fields>
void describe(Fields& fields, RouteMatchConfig& match) {
  fields.optional("host", match.host,
                  "host or list of hosts; *.example.com is every name below it");
  optional_text(fields, "path", match.path, "the whole path");
  optional_text(fields, "path_prefix", match.path_prefix,
                "its first segments: /api is one of /api/x, not of /apix");
  optional_text(fields, "path_regex", match.path_regex, "RE2 expression for the whole path");
  fields.optional("methods", match.methods, kAboveZero, "any of these");
  fields.optional("headers", match.headers, "header fields and their values; \"*\" for any value");
  fields.optional("cookies", match.cookies, "cookies and their values; \"*\" for any value");
  fields.optional("query", match.query, "parameters and their values; \"*\" for any value");
}

template <class Fields>
void describe(Fields& fields, SplitTarget& target) {
  fields.required("cluster", target.cluster, kAboveZero, "the cluster of this side");
  fields.optional("weight", target.weight, {.min = 1, .max = 1'000'000},
                  "its share of the requests next to the others' weights");
}

template <class Fields>
void describe(Fields& fields, RedirectConfig& redirect) {
  fields.optional("status", redirect.status, {.min = 301, .max = 308},
                  "301, 302, 303, 307 or 308; browsers never forget 301 and 308");
  optional_text(fields, "scheme", redirect.scheme, "http or https; the request's without it");
  optional_text(fields, "host", redirect.host, "host or host:port; the request's without it");
  optional_text(fields, "path", redirect.path,
                "in place of the whole path; may bring a query of its own");
  optional_text(fields, "prefix", redirect.prefix, "in place of the path_prefix that matched");
}

template <class Fields>
void describe(Fields& fields, RespondConfig& respond) {
  fields.optional("status", respond.status, {.min = 200, .max = 599}, "the status of the answer");
  fields.optional("body", respond.body, "its body, at most 64 KiB");
  fields.optional("content_type", respond.content_type, kAboveZero, "the media type of the body");
}

template <class Fields>
void describe(Fields& fields, RegexReplacement& regex) {
  fields.required("pattern", regex.pattern, kAboveZero,
                  "RE2 expression; all it finds in the path is replaced");
  fields.required("replacement", regex.replacement, "text; \\1 is the first group, \\0 all of it");
}

template <class Fields>
void describe(Fields& fields, RewriteConfig& rewrite) {
  optional_text(fields, "path", rewrite.path, "in place of the whole path");
  optional_text(fields, "prefix", rewrite.prefix, "in place of the path_prefix that matched");
  fields.optional("regex", rewrite.regex, "in place of what a regular expression finds");
  optional_text(fields, "host", rewrite.host, "in place of the Host field");
}

template <class Fields>
void describe(Fields& fields, HeaderRulesConfig& rules) {
  fields.optional("set", rules.set, "fields and their values, in place of all of that name");
  fields.optional("add", rules.add, "fields and their values, beside those of that name");
  fields.optional("default", rules.defaults,
                  "fields and their values, where there is none of that name");
  fields.optional("remove", rules.remove, kAboveZero, "fields that go no further");
}

template <class Fields>
void describe(Fields& fields, CorsConfig& cors) {
  fields.required("origins", cors.origins, kAboveZero,
                  "whose pages: https://example.com, https://*.example.com, or \"*\"");
  fields.optional("methods", cors.methods, kAboveZero, "that they may use");
  fields.optional("headers", cors.headers, kAboveZero, "that their requests may have");
  fields.optional("expose", cors.expose, kAboveZero, "of an answer, that they may read");
  fields.optional("credentials", cors.credentials, "whether with cookies and the like");
  fields.optional("max_age", cors.max_age, kFromZero, "a browser need not ask again for so long");
}

template <class Fields>
void describe(Fields& fields, RouteConfig& route) {
  optional_text(fields, "name", route.name, "a name for logs, unique in its listener");
  fields.optional("match", route.match, "which requests it is for; all of them without it");
  optional_text(fields, "cluster", route.cluster, "the cluster they go to");
  fields.optional("split", route.split, "several clusters that share them");
  fields.optional("split_key", route.split_key,
                  "whose requests stay on one side; each is drawn anew without it");
  fields.optional("redirect", route.redirect, "an answer that sends the client elsewhere");
  fields.optional("respond", route.respond, "an answer of lbd's own");
  fields.optional("priority", route.priority, {.min = 0, .max = 7},
                  "in a queue, when there is one: 0 goes first");
  fields.optional("rewrite", route.rewrite, "what the backend is asked for instead");
  fields.optional("request_headers", route.request_headers, "changes on the way to the backend");
  fields.optional("response_headers", route.response_headers, "changes on the way to the client");
  fields.optional("cors", route.cors, "whose pages in a browser may use it, beside its own site's");
  fields.optional("security_headers", route.security_headers,
                  "answers that say nothing to browsers ask them to be careful");
}

// Adds the problems of a listener's routes; `place` is that of the list, `clusters` are those there
// are.
void check_routes(const Place& place, const std::vector<RouteConfig>& routes,
                  AmbiguousPaths ambiguous_paths, const std::vector<std::string_view>& clusters);

// Adds what works, but hardly as meant, to the problems of `place`: routes that nothing can reach.
void warn_of_routes(const Place& place, const std::vector<RouteConfig>& routes);

}  // namespace lb::config
