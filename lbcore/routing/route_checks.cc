#include "lbcore/routing/route_checks.h"

#include <algorithm>
#include <array>

#include "lbcore/routing/cors.h"
#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/host.h"
#include "lbcore/routing/match_checks.h"
#include "lbcore/routing/normal_path.h"
#include "lbcore/routing/regex.h"

namespace lb {
namespace {

constexpr std::size_t kBodyMax = std::size_t{64} << 10U;

using Keys = std::vector<std::string>;

class Checker {
 public:
  explicit Checker(const RouteConfig& route) : route_(route) {}

  std::vector<RouteProblem> run() {
    check_actions();
    check_match(route_.match, problems_);
    check_split();
    if (route_.redirect) check_redirect(*route_.redirect);
    if (route_.respond) check_respond(*route_.respond);
    if (route_.rewrite) check_rewrite(*route_.rewrite);
    if (route_.request_headers) check_rules(*route_.request_headers, "request_headers");
    if (route_.response_headers) check_rules(*route_.response_headers, "response_headers");
    if (route_.cors) check_cors(*route_.cors);
    check_what_is_not_forwarded();
    return std::move(problems_);
  }

 private:
  void report(Keys keys, std::string message) {
    problems_.push_back({std::move(keys), std::move(message)});
  }

  void check_actions() {
    const GivenKeys actions = given_keys({{"cluster", !route_.cluster.empty()},
                                          {"split", !route_.split.empty()},
                                          {"redirect", route_.redirect.has_value()},
                                          {"respond", route_.respond.has_value()}});
    if (actions.count != 1) {
      report({}, R"(expected exactly one of "cluster", "split", "redirect" and "respond", found )" +
                     (actions.count == 0 ? "none" : actions.list));
    }
    if (route_.split_key && route_.split.empty()) {
      report({"split_key"},
             R"("split_key" says who stays on which side of a "split"; there is none)");
    }
  }

  // -- actions

  void check_split() {
    std::vector<std::string_view> seen;
    for (std::size_t i = 0; i < route_.split.size(); ++i) {
      const SplitTarget& target = route_.split[i];
      if (target.weight == 0) {
        report({"split", at_index(i), "weight"}, "expected a weight above zero");
      }
      if (std::find(seen.begin(), seen.end(), target.cluster) != seen.end()) {
        report({"split", at_index(i), "cluster"},
               "the cluster " + quoted(target.cluster) + " is in this split already");
      }
      seen.push_back(target.cluster);
    }
  }

  void check_redirect(const RedirectConfig& redirect) {
    constexpr std::array<std::uint16_t, 5> kStatuses{301, 302, 303, 307, 308};
    if (std::find(kStatuses.begin(), kStatuses.end(), redirect.status) == kStatuses.end()) {
      report({"redirect", "status"}, "expected 301, 302, 303, 307 or 308, found \"" +
                                         std::to_string(redirect.status) + '"');
    }
    if (!redirect.scheme.empty() && redirect.scheme != "http" && redirect.scheme != "https") {
      report({"redirect", "scheme"},
             R"(expected "http" or "https", found )" + quoted(redirect.scheme));
    }
    if (!redirect.host.empty()) check_authority(redirect.host, {"redirect", "host"});
    if (!redirect.path.empty()) check_written_path(redirect.path, "?", {"redirect", "path"});
    if (!redirect.prefix.empty()) check_written_prefix(redirect.prefix, {"redirect", "prefix"});
    if (!redirect.path.empty() && !redirect.prefix.empty()) {
      report({"redirect"}, R"(expected at most one of "path" and "prefix", found both)");
    }
    if (redirect.scheme.empty() && redirect.host.empty() && redirect.path.empty() &&
        redirect.prefix.empty()) {
      report({"redirect"},
             R"(leads back to where the client comes from; expected "scheme", "host", "path" or )"
             R"("prefix")");
    }
  }

  void check_respond(const RespondConfig& respond) {
    if (respond.status < 200 || respond.status > 599) {
      report({"respond", "status"},
             "expected a status from 200 to 599, found \"" + std::to_string(respond.status) + '"');
    }
    const bool bodiless = respond.status == 204 || respond.status == 205 || respond.status == 304;
    if (bodiless && !respond.body.empty()) {
      report({"respond", "body"},
             "an answer with status " + std::to_string(respond.status) + " has no body");
    }
    if (respond.body.size() > kBodyMax) {
      report({"respond", "body"},
             "expected at most 64 KiB, found " + std::to_string(respond.body.size()) + " bytes");
    }
    if (respond.content_type.empty() || !is_field_value(respond.content_type)) {
      report({"respond", "content_type"},
             R"(expected a media type such as "text/html", without control characters)");
    }
  }

  // -- what is changed on the way

  void check_rewrite(const RewriteConfig& rewrite) {
    const GivenKeys paths = given_keys({{"path", !rewrite.path.empty()},
                                        {"prefix", !rewrite.prefix.empty()},
                                        {"regex", rewrite.regex.has_value()}});
    if (paths.count > 1) report({"rewrite"}, "expected at most one new path, found " + paths.list);
    if (paths.count == 0 && rewrite.host.empty()) {
      report({"rewrite"}, R"(changes nothing; expected "path", "prefix", "regex" or "host")");
    }
    if (!rewrite.path.empty()) check_written_path(rewrite.path, "", {"rewrite", "path"});
    if (!rewrite.prefix.empty()) check_written_prefix(rewrite.prefix, {"rewrite", "prefix"});
    if (!rewrite.host.empty()) check_authority(rewrite.host, {"rewrite", "host"});
    if (rewrite.regex) check_replacement(*rewrite.regex);
  }

  void check_replacement(const RegexReplacement& regex) {
    if (!check_regex(regex.pattern, {"rewrite", "regex", "pattern"}, problems_)) return;
    const Keys keys{"rewrite", "regex", "replacement"};
    const auto problem = Regex::problem(regex.pattern, regex.replacement);
    if (problem) return report(keys, "does not fit the pattern: " + *problem);
    if (!is_visible_ascii(regex.replacement) ||
        regex.replacement.find_first_of("?#") != std::string::npos) {
      report(keys, "expected characters that may stand in a path, others escaped with \"%\"");
    }
  }

  void check_written_prefix(std::string_view path, const Keys& keys) {
    check_written_path(path, "", keys);
    if (!route_.match.path_prefix.empty()) return;
    report(keys, R"("prefix" takes the place of "match: {path_prefix: …}"; there is none)");
  }

  // A path that is sent. `allowed` is what else it may have.
  void check_written_path(std::string_view path, std::string_view allowed, const Keys& keys) {
    const std::size_t end = allowed.empty() ? path.size() : path.find_first_of(allowed);
    const std::string_view before = path.substr(0, end);
    const PathShape shape = shape_of(before);
    const bool good = path.starts_with('/') && is_visible_ascii(path) && !shape.malformed &&
                      shape.normal && path.find('#') == std::string_view::npos &&
                      before.find('?') == std::string_view::npos;
    if (good && !path.starts_with("//")) return;
    report(keys,
           "expected a path that starts with one \"/\", in normal form and with special "
           "characters escaped, found " +
               quoted(path));
  }

  void check_authority(std::string_view authority, Keys keys) {
    if (is_authority(authority)) return;
    report(std::move(keys),
           R"(expected host or host:port, such as "example.com", found )" + quoted(authority));
  }

  void check_rules(const HeaderRulesConfig& rules, const std::string& key) {
    for (const auto& [values, word] : {std::pair{&rules.set, "set"}, std::pair{&rules.add, "add"},
                                       std::pair{&rules.defaults, "default"}}) {
      for (const NamedValue& field : values->items) {
        const Keys keys{key, word, field.name};
        check_field_name(field.name, keys);
        if (!is_field_value(field.value)) {
          report(keys,
                 "a value may have no control characters (such as line ends) and no white "
                 "space around it");
        }
      }
    }
    for (auto field = rules.set.items.begin(); field != rules.set.items.end(); ++field) {
      const bool again = std::any_of(rules.set.items.begin(), field, [&](const NamedValue& other) {
        return equal_in_any_case(other.name, field->name);
      });
      if (again) report({key, "set", field->name}, quoted(field->name) + " is set twice");
    }
    for (std::size_t i = 0; i < rules.remove.size(); ++i) {
      check_field_name(rules.remove[i], {key, "remove", at_index(i)});
      for (const NamedValue& field : rules.set.items) {
        if (!equal_in_any_case(field.name, rules.remove[i])) continue;
        report({key, "remove", at_index(i)}, quoted(field.name) + " is set and removed");
      }
    }
    if (rules == HeaderRulesConfig{}) {
      report({key}, R"(changes nothing; expected "set", "add", "default" or "remove")");
    }
  }

  void check_cors(const CorsConfig& cors) {
    const auto any = [](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), "*") != list.end();
    };
    if (cors.origins.empty()) {
      report({"cors", "origins"}, R"(expected at least one, such as "https://example.com")");
    }
    for (std::size_t i = 0; i < cors.origins.size(); ++i) {
      if (is_origin_pattern(cors.origins[i])) continue;
      report(
          {"cors", "origins", at_index(i)},
          R"(expected an origin such as "https://example.com" or "https://*.example.com", found )" +
              quoted(cors.origins[i]));
    }
    for (const auto& [list, word] :
         {std::pair{&cors.methods, "methods"}, std::pair{&cors.headers, "headers"},
          std::pair{&cors.expose, "expose"}}) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        if (is_token((*list)[i])) continue;
        report({"cors", word, at_index(i)}, "expected a name, found " + quoted((*list)[i]));
      }
    }
    // The Fetch standard takes "*" for a name like any other then.
    if (!cors.credentials) return;
    for (const auto& [list, word] :
         {std::pair{&cors.origins, "origins"}, std::pair{&cors.methods, "methods"},
          std::pair{&cors.headers, "headers"}, std::pair{&cors.expose, "expose"}}) {
      if (any(*list)) {
        report({"cors", word}, R"("*" does not go with credentials; name them one by one)");
      }
    }
  }

  void check_field_name(std::string_view name, Keys keys) {
    if (!is_token(name)) {
      return report(std::move(keys), "not the name of a header field: " + quoted(name));
    }
    const auto why = why_reserved(name);
    if (why) report(std::move(keys), quoted(name) + " may not be changed here: " + *why);
  }

  void check_what_is_not_forwarded() {
    if (!route_.redirect && !route_.respond) return;
    for (const auto& [key, given] :
         {std::pair{"rewrite", route_.rewrite.has_value()},
          std::pair{"request_headers", route_.request_headers.has_value()},
          std::pair{"priority", route_.priority != 0}}) {
      if (given) report({key}, "has no effect: this route sends nothing to a cluster");
    }
  }

  const RouteConfig& route_;
  std::vector<RouteProblem> problems_;
};

}  // namespace

std::vector<RouteProblem> check_route(const RouteConfig& route) { return Checker(route).run(); }

}  // namespace lb
