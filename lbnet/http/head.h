// The parsed form of a message head. Views point into the buffer that was parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lb::net::http {

// Fields the proxy itself looks at; all others are `other`.
enum class FieldId : std::uint8_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  forwarded,
  keep_alive,
  max_forwards,
  proxy_connection,
  te,
  traceparent,
  tracestate,
  trailer,
  upgrade,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_forwarded_other,  // All others that begin so.
  x_real_ip,
  x_request_id,
  x_ssl_client,  // All that begin so.
};

// It says whom a request comes from, by way of whom: a trusted proxy's to say, nobody else's.
[[nodiscard]] constexpr bool tells_origin(FieldId id) {
  return id == FieldId::forwarded || id == FieldId::x_forwarded_for ||
         id == FieldId::x_forwarded_host || id == FieldId::x_forwarded_proto ||
         id == FieldId::x_forwarded_other || id == FieldId::x_real_ip;
}

struct Field {
  std::string_view name;
  std::string_view value;  // Without white space around it.
  FieldId id = FieldId::other;
  // It stands in a message just as it is written: `name: value`, then the line's end.
  bool is_plain = false;
};

// How long a body is (RFC 9112, section 6.3).
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // For `length`; above zero.
};

// What Connection said, as far as it concerns us.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool te = false;
  std::ptrdiff_t count = 0;  // Of all options, empty ones too.
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // In origin form, or "*".
  std::string_view host;
  int minor_version = 1;
  std::vector<Field> fields;
  Framing framing;
  ConnectionOptions connection;
  bool expects_continue = false;
  bool takes_trailers = false;  // TE: trailers
  // The protocol the client would rather speak; empty for none that we would help it to.
  std::string_view upgrade;
  // Of OPTIONS and TRACE only (RFC 9110, section 7.6.2).
  std::optional<std::uint32_t> max_forwards;

  [[nodiscard]] bool persistent() const {
    return minor_version >= 1 ? !connection.close : connection.keep_alive;
  }
  [[nodiscard]] bool is_head() const { return method == "HEAD"; }
  // RFC 9110, section 9.2.2.
  [[nodiscard]] bool idempotent() const {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS" || method == "TRACE";
  }
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  std::vector<Field> fields;
  Framing framing;
  ConnectionOptions connection;
  std::string_view upgrade;  // Of a 101: the protocol it switches to.
  // There is no body, by the rules for HEAD and 304, but its fields tell of one. A backend that
  // does not know the rules will send it.
  bool withholds_body = false;

  // Of several, with a final one to follow. A 101 is the last that HTTP says on its connection.
  [[nodiscard]] bool interim() const { return status >= 100 && status < 200 && status != 101; }
  [[nodiscard]] bool persistent() const {
    return minor_version >= 1 ? !connection.close : connection.keep_alive;
  }
};

}  // namespace lb::net::http
