// What is wrong with the conditions of a route.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lbcore/routing/route_checks.h"

namespace lb {

void check_match(const RouteMatchConfig& match, std::vector<RouteProblem>& problems);

// Reports a pattern that RE2 does not take; true when it does.
bool check_regex(const std::string& pattern, std::vector<std::string> keys,
                 std::vector<RouteProblem>& problems);

// Whether it compares with a path that common servers read in different ways. With AmbiguousPaths::
// refuse no request for it is ever let through.
[[nodiscard]] bool has_ambiguous_path(const RouteMatchConfig& match);

// Of several keys of which only one may be given, those that are: "a" and "b".
struct GivenKey {
  std::string_view key;
  bool given = false;
};
struct GivenKeys {
  std::size_t count = 0;
  std::string list;
};
[[nodiscard]] GivenKeys given_keys(const std::vector<GivenKey>& keys);

[[nodiscard]] std::string quoted(std::string_view text);
[[nodiscard]] std::string at_index(std::size_t index);
// Neither white space nor control characters nor letters that a URL has to escape.
[[nodiscard]] bool is_visible_ascii(std::string_view text);

}  // namespace lb
