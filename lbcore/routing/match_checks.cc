#include "lbcore/routing/match_checks.h"

#include <algorithm>

#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/host.h"
#include "lbcore/routing/normal_path.h"
#include "lbcore/routing/regex.h"

namespace lb {
namespace {

using Keys = std::vector<std::string>;

Keys below(Keys keys, std::string key) {
  keys.push_back(std::move(key));
  return keys;
}

class MatchChecker {
 public:
  MatchChecker(const RouteMatchConfig& match, std::vector<RouteProblem>& problems)
      : match_(match), problems_(problems) {}

  void run() {
    for (std::size_t i = 0; i < match_.host.patterns.size(); ++i) {
      check_host_pattern(match_.host.patterns[i], {"match", "host", at_index(i)});
    }
    const GivenKeys paths = given_keys({{"path", !match_.path.empty()},
                                        {"path_prefix", !match_.path_prefix.empty()},
                                        {"path_regex", !match_.path_regex.empty()}});
    if (paths.count > 1) {
      report({"match"}, "expected at most one condition on the path, found " + paths.list);
    }
    if (!match_.path.empty()) check_compared_path(match_.path, {"match", "path"});
    if (!match_.path_prefix.empty())
      check_compared_path(match_.path_prefix, {"match", "path_prefix"});
    if (!match_.path_regex.empty()) {
      check_regex(match_.path_regex, {"match", "path_regex"}, problems_);
    }
    check_methods();
    check_names(match_.headers, {"match", "headers"}, "a header field");
    check_names(match_.cookies, {"match", "cookies"}, "a cookie");
    check_parameters();
  }

 private:
  void report(Keys keys, std::string message) {
    problems_.push_back({std::move(keys), std::move(message)});
  }

  void check_host_pattern(std::string_view pattern, Keys keys) {
    const bool wildcard = pattern.starts_with("*.");
    const std::string_view name = without_final_dot(wildcard ? pattern.substr(2) : pattern);
    if (is_host_name(name)) return;
    const std::string_view host = host_of(name);
    std::string hint;
    if (host.size() != name.size() && is_host_name(host)) {
      hint = "; ports do not count: leave out " + quoted(name.substr(host.size()));
    } else if (pattern == "*") {
      hint = "; without \"host\" a route is for any";
    }
    report(std::move(keys), R"(expected a host such as "example.com" or "*.example.com", found )" +
                                quoted(pattern) + hint);
  }

  // A path that requests are compared with: of another form than theirs it would never fit.
  void check_compared_path(std::string_view path, Keys keys) {
    if (!path.starts_with('/')) {
      return report(std::move(keys),
                    R"(expected a path that starts with "/", found )" + quoted(path));
    }
    if (path.find_first_of("?#") != std::string_view::npos) {
      return report(std::move(keys), "expected a path without query or fragment, found " +
                                         quoted(path) +
                                         R"(; conditions on the query go under "query")");
    }
    const PathShape shape = shape_of(path);
    if (shape.malformed) {
      return report(std::move(keys),
                    "expected two hexadecimal digits after each \"%\", and not "
                    "%00, found " +
                        quoted(path));
    }
    if (shape.normal) return;
    std::string normal;
    write_normal_path(path, normal);
    report(std::move(keys), "paths are compared in their normal form: write " + quoted(normal) +
                                " for " + quoted(path));
  }

  void check_methods() {
    for (std::size_t i = 0; i < match_.methods.size(); ++i) {
      const std::string& method = match_.methods[i];
      const bool lower =
          std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
      if (is_token(method) && !lower) continue;
      report({"match", "methods", at_index(i)},
             "expected a method such as \"GET\", in capitals, found " + quoted(method));
    }
  }

  void check_names(const NamedValues& values, const Keys& keys, const std::string& what) {
    for (const NamedValue& item : values.items) {
      if (!is_token(item.name)) {
        report(below(keys, item.name), "not the name of " + what + ": " + quoted(item.name));
      } else if (!is_field_value(item.value)) {
        report(below(keys, item.name),
               "no such value can ever be sent: it has control characters, "
               "or white space around it");
      }
    }
  }

  void check_parameters() {
    for (const NamedValue& item : match_.query.items) {
      const std::string both = item.name + item.value;
      const bool good = !item.name.empty() && is_visible_ascii(both) &&
                        both.find_first_of("&#") == std::string::npos &&
                        item.name.find('=') == std::string::npos;
      if (good) continue;
      report({"match", "query", item.name},
             "expected a parameter as it stands in a URL, with what is special in it escaped");
    }
  }

  const RouteMatchConfig& match_;
  std::vector<RouteProblem>& problems_;
};

}  // namespace

void check_match(const RouteMatchConfig& match, std::vector<RouteProblem>& problems) {
  MatchChecker(match, problems).run();
}

bool check_regex(const std::string& pattern, Keys keys, std::vector<RouteProblem>& problems) {
  const auto problem = Regex::problem(pattern);
  if (!problem) return true;
  problems.push_back({std::move(keys), "not a regular expression that RE2 takes: " + *problem});
  return false;
}

bool has_ambiguous_path(const RouteMatchConfig& match) {
  return shape_of(match.path).ambiguous || shape_of(match.path_prefix).ambiguous;
}

GivenKeys given_keys(const std::vector<GivenKey>& keys) {
  GivenKeys given;
  for (const GivenKey& key : keys) {
    if (!key.given) continue;
    given.list += (given.count == 0 ? "" : " and ") + quoted(key.key);
    ++given.count;
  }
  return given;
}

std::string quoted(std::string_view text) { return '"' + std::string{text} + '"'; }

std::string at_index(std::size_t index) { return '[' + std::to_string(index) + ']'; }

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace lb
