// Sample: what became of one request, as its client sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lbcore/time.h"

namespace lb::scenario {

// How a request ended. Exactly one for each request.
enum class ClientResult : std::uint8_t {
  ok,            // an answer below 500
  server_error,  // an answer of 500 or above
  timed_out,     // the client's own timeout
  failed,        // no answer: refused, reset, cut or not HTTP
};
inline constexpr std::size_t kClientResultCount = 4;
[[nodiscard]] std::string_view to_string(ClientResult result);

struct Sample {
  Duration sent{};     // When the client meant to send it, since the start of the run.
  Duration latency{};  // From then to the last byte of the answer.
  ClientResult result = ClientResult::ok;
  std::string_view backend;  // Who answered; empty when nobody did.
  std::uint32_t load = 0;    // Whose request it was: its place in the scenario.
};

}  // namespace lb::scenario
