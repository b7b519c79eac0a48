#include "lbcore/request_attributes.h"

namespace lb {
namespace {

// The value of `name` in a list of name=value.
std::optional<std::string_view> find_pair(std::string_view list, std::string_view name,
                                          char separator) {
  while (!list.empty()) {
    const std::size_t end = list.find(separator);
    std::string_view pair = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
    if (const std::size_t start = pair.find_first_not_of(" \t"); start != std::string_view::npos) {
      pair.remove_prefix(start);
    }
    if (!pair.starts_with(name)) continue;
    const std::string_view rest = pair.substr(name.size());
    if (rest.starts_with('=')) return rest.substr(1);
  }
  return std::nullopt;
}

std::optional<std::string_view> value_of(const KeyExpression& expression,
                                         const RequestAttributes& request) {
  switch (expression.source) {
    case KeyExpression::Source::client_ip: break;
    case KeyExpression::Source::path: return request.path;
    case KeyExpression::Source::header: return request.header(expression.name);
    case KeyExpression::Source::cookie: return request.cookie(expression.name);
    case KeyExpression::Source::query: return request.query_value(expression.name);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> RequestAttributes::cookie(std::string_view name) const {
  const auto cookies = header("cookie");
  return cookies ? find_pair(*cookies, name, ';') : std::nullopt;
}

std::optional<std::string_view> RequestAttributes::query_value(std::string_view name) const {
  return find_pair(query, name, '&');
}

HashKey key_of(const KeyExpression& expression, const RequestAttributes& request) {
  return hash_bytes(value_of(expression, request).value_or(request.client_address));
}

}  // namespace lb
