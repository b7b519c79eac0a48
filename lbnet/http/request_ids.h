// The names a request goes by in logs and traces: X-Request-Id, and traceparent of W3C's Trace
// Context (www.w3.org/TR/trace-context, section 3.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lbcore/prng.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

// What a request has, if it is one of its kind and the only one; empty otherwise. An id is from 1
// to 128 visible characters.
[[nodiscard]] std::string_view request_id(const std::vector<Field>& request);
[[nodiscard]] std::string_view traceparent(const std::vector<Field>& request);

// Empty of an empty one. REQUIRES: it is a traceparent otherwise.
[[nodiscard]] inline std::string_view trace_id(std::string_view traceparent) {
  return traceparent.empty() ? traceparent : traceparent.substr(3, 32);
}

// Into `out`, which keeps its memory: 128 bits as 32 hexadecimal digits; and the beginning of a
// trace that is to be recorded.
void make_request_id(Prng& random, std::string& out);
void make_traceparent(Prng& random, std::string& out);

}  // namespace lb::net::http
