// Writes message heads from their parsed form: the only way bytes of a head get to the other side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbcore/routing/header_rules.h"
#include "lbnet/buffer.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

// What a route changes of an answer on its way. Nothing, by default.
struct AnswerChanges {
  const HeaderRules* rules = nullptr;
  const std::string* cors = nullptr;  // See ResponseOptions.
};

// What a request's route and its connection change of it on its way. Nothing, by default.
struct RequestChanges {
  std::string_view target;  // In place of the client's; empty for that one.
  std::string_view host;    // Likewise.
  std::string_view via;     // Our name in Via; empty for no such field.
  const HeaderRules* rules = nullptr;
  bool secure = false;  // It came over TLS.
  // Whom it came from: which fields tell the backend, and whether what the peer says of those
  // before it goes on.
  ForwardedFields forwarded = ForwardedFields::x_forwarded;
  bool peer_trusted = false;
  std::string_view request_id;   // Of ours, in place of what came; empty: that goes on.
  std::string_view traceparent;  // Likewise.
  // X-SSL-Client-*, with line ends: who the client has shown to be. Empty where nobody asks.
  std::string_view certificate_fields;
};

// The request as a backend gets it: hop-by-hop fields gone, framing written anew, X-SSL-Client-*
// ours, and so is what tells its origin: only a trusted peer's goes on, with what we know of `peer`
// (a numeric address; "unix:" is none) added. Always HTTP/1.1. False when it does not fit into the
// buffer. REQUIRES: the buffer is empty.
[[nodiscard]] bool write_request_head(const RequestHead& request, std::string_view peer,
                                      Buffer& out, const RequestChanges& changes = {});

// How the body of an answer goes to the client, which may differ from how it came.
enum class BodyCoding : std::uint8_t {
  none,
  as_is,  // Content-Length, or until the connection closes.
  chunked,
};
[[nodiscard]] BodyCoding coding_for_client(const ResponseHead& response, int client_minor_version);

// The answer as the client gets it. `close`: this connection ends after it; `keep_alive`: an
// HTTP/1.0 client is told that it does not. False when it does not fit.
struct ResponseOptions {
  BodyCoding coding = BodyCoding::none;
  bool close = false;
  bool keep_alive = false;
  const HeaderRules* rules = nullptr;  // Those of the route; none by default.
  std::string_view session_field;      // Set-Cookie of a new session, with its line end; or empty.
  std::string_view via;                // Our name in Via; empty for no such field.
  bool trailers = false;               // Fields may follow the body.
  // In place of all that the backend says of other origins, each with its line end; null for none.
  const std::string* cors = nullptr;
};
[[nodiscard]] bool write_response_head(const ResponseHead& response, const ResponseOptions& options,
                                       Buffer& out);

// Fields after the body, each with its line end: those that may stand there (RFC 9110, section
// 6.5.1, forbids what a recipient needs before it) and that no rule drops. False when they do not
// fit.
[[nodiscard]] bool write_trailers(const std::vector<Field>& trailers, const HeaderRules* rules,
                                  Buffer& out);

// An answer of our own: short, plain, and saying nothing about what is behind us. Retry-After is
// left out when it is 0.
void write_own_response(int status, bool close, bool without_body, Buffer& out,
                        std::uint64_t retry_after_seconds = 0);

// The head of an answer that a route gives.
struct RouteAnswer {
  int status = 200;
  std::string_view content_type;
  std::size_t body_size = 0;
  std::string_view location;  // Empty for none.
  const HeaderRules* rules = nullptr;
  const std::string* cors = nullptr;  // As above.
  bool close = false;
};
[[nodiscard]] bool write_route_answer(const RouteAnswer& answer, Buffer& out);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace lb::net::http
