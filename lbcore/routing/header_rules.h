// HeaderRules: what a route does to the header fields of a message that passes, ready to be applied
// while the message is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/routing/route_config.h"

namespace lb {

class HeaderRules {
 public:
  HeaderRules() = default;
  // REQUIRES: every name and value was checked; an invalid one is a broken invariant, since it
  // could end the head early.
  explicit HeaderRules(const HeaderRulesConfig& config);

  [[nodiscard]] bool empty() const {
    return dropped_.empty() && lines_.empty() && defaults_.empty();
  }
  // Whether a field of the message is left out.
  [[nodiscard]] bool drops(std::string_view name) const;
  // The fields to add, each line with its end.
  [[nodiscard]] std::string_view lines() const { return lines_; }
  // Those to add unless the message has one of that name.
  struct Default {
    std::string name;
    std::string line;
  };
  [[nodiscard]] const std::vector<Default>& defaults() const { return defaults_; }

 private:
  std::vector<std::string> dropped_;
  std::string lines_;
  std::vector<Default> defaults_;
};

// What a browser is told by a site that has nothing to say itself: not to guess media types, not to
// show it in frames of others, not to tell others more than the origin it comes from. `secure`: the
// site is reached by TLS, and may ask for nothing else from now on (RFC 6797).
[[nodiscard]] NamedValues security_headers(bool secure);

// RFC 9110, section 5.1: a token.
[[nodiscard]] bool is_token(std::string_view text);
// RFC 9110, section 5.5: no control characters, so nothing that could end a line; no white space
// around it.
[[nodiscard]] bool is_field_value(std::string_view text);

// Why no rule may touch a field of this name; nothing when it may.
[[nodiscard]] std::optional<std::string> why_reserved(std::string_view name);

}  // namespace lb
