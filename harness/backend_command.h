// `lbharness backend`: a fake backend as a process of its own, told what to do by lines on its
// standard input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/fake_backend.h"

namespace lb::harness {

struct BackendCommand {
  BackendOptions options;
  std::vector<scenario::Fault> faults;  // From the start on.
  bool controlled = false;              // End when standard input does: its owner is gone then.
};

// "none", "v1" or "v2".
[[nodiscard]] std::string format_proxy_protocol(SentProxyHeader version);
[[nodiscard]] std::optional<SentProxyHeader> parse_proxy_protocol(std::string_view text);

// Prints "listening on 127.0.0.1:PORT" when ready and serves until TERM or INT, which end it
// with 0. Throws HarnessError when the port is taken.
int run_backend(const BackendCommand& command);

}  // namespace lb::harness
