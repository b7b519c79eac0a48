// What of a request decides where it goes: for routes, hash keys and rate limits. Views only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lbcore/hash.h"

namespace lb {

// The header fields of a request, wherever they are kept.
class HeaderFields {
 public:
  // The value of a field, its name compared without regard to case; the first when it is repeated.
  [[nodiscard]] virtual std::optional<std::string_view> find(std::string_view name) const = 0;

 protected:
  ~HeaderFields() = default;
};

struct RequestAttributes {
  std::string_view client_address;  // Without the port.
  std::string_view method;
  std::string_view host;                 // Without the port, in any case.
  std::string_view path;                 // Without the query; as it came, percent-encoding and all.
  std::string_view query;                // After the '?', without it.
  const HeaderFields* fields = nullptr;  // None for TCP.

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    return fields == nullptr ? std::nullopt : fields->find(name);
  }
  // RFC 6265, section 4.2: name=value pairs, separated by "; ".
  [[nodiscard]] std::optional<std::string_view> cookie(std::string_view name) const;
  // The value of name=value in the query, as it came.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

// What a key is made from: of a hash strategy, or of a rate limit.
struct KeyExpression {
  enum class Source : std::uint8_t { client_ip, path, header, cookie, query };
  Source source = Source::client_ip;
  std::string name;  // Of the header, cookie or query parameter.
  bool operator==(const KeyExpression&) const = default;
};

// A request without the named header, cookie or parameter is keyed by its client's address: all of
// them on one backend, or in one bucket, would be worse than any other answer.
[[nodiscard]] HashKey key_of(const KeyExpression& expression, const RequestAttributes& request);

}  // namespace lb
