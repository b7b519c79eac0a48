// Writes message heads from their parsed form: the only way bytes of a head get to the other side.
#pragma once

#include <string_view>

#include "lbnet/buffer.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

// The request as a backend gets it: hop-by-hop fields gone, framing written anew, X-Forwarded-*
// ours (`client` is the address of the peer: nobody before it is trusted). Always HTTP/1.1.
// False when it does not fit into the buffer. REQUIRES: the buffer is empty.
[[nodiscard]] bool write_request_head(const RequestHead& request, std::string_view client,
                                      Buffer& out);

// How the body of an answer goes to the client, which may differ from how it came.
enum class BodyCoding : std::uint8_t {
  none,
  as_is,    // Content-Length, or until the connection closes.
  chunked,
};
[[nodiscard]] BodyCoding coding_for_client(const ResponseHead& response, int client_minor_version);

// The answer as the client gets it. `close`: this connection ends after it; `keep_alive`: an
// HTTP/1.0 client is told that it does not. False when it does not fit.
struct ResponseOptions {
  BodyCoding coding = BodyCoding::none;
  bool close = false;
  bool keep_alive = false;
};
[[nodiscard]] bool write_response_head(const ResponseHead& response, const ResponseOptions& options,
                                       Buffer& out);

// An answer of our own: short, plain, and saying nothing about what is behind us.
void write_own_response(int status, bool close, bool without_body, Buffer& out);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace lb::net::http
