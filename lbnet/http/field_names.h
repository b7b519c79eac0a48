// The names of the fields that the proxy itself looks at.
#pragma once

#include <string_view>

#include "lbnet/http/head.h"

namespace lb::net::http {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Which of them it is, in any case; `other` for all the others. A name with "_" in place of "-" is
// the same: who hands fields to a program as CGI does makes Content_Length of Content-Length.
// REQUIRES: `name` is a token.
[[nodiscard]] FieldId identify(std::string_view name);

// Whether it does not matter that such a field has two names: the worst that the second could do is
// to be believed, or not, as the first is.
[[nodiscard]] bool may_have_underscore(FieldId id);

}  // namespace lb::net::http
