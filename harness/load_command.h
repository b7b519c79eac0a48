// `lbharness load`: open-loop load on one URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lbcore/time.h"

namespace lb::harness {

struct LoadCommand {
  std::string url;
  double rate = 0;  // Requests per second.
  Duration duration{};
  bool poisson = false;
  std::uint32_t clients = 100;
  Duration timeout = std::chrono::seconds{10};
  std::string method = "GET";
  std::uint64_t seed = 1;
  std::string json;  // Where the report goes as JSON; "-" for standard output, empty for nowhere.
};

struct Url {
  std::string host;  // Without the brackets of IPv6.
  std::string port;
  std::string authority;  // As it stood: what the Host header says.
  std::string target;     // Path and query; "/" when there is none.
};

// Nothing unless `text` is http://HOST[:PORT][/PATH].
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

// Prints the report. kExitNotHeld when not one request was answered. Throws HarnessError.
int run_load(const LoadCommand& command);

}  // namespace lb::harness
