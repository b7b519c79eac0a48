// Trace: when the requests of a real day came, from whom, and what for. Read from a CSV file or
// from the access log of lbd, HAProxy or nginx, to be sent again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

struct Trace {
  struct Entry {
    Duration at{};  // Since the first one.
    std::uint32_t client = 0;
    std::uint32_t target = 0;  // One of `targets`.
  };
  std::vector<Entry> entries;  // In order of time.
  std::uint32_t client_count = 0;
  std::vector<std::string> targets;  // Paths with queries; an empty one is what the load says.
};

struct LoadedTrace {
  Trace trace;
  std::string problem;  // Of the first line that has one, with its number; empty when all is well.
};

// CSV with a header: a column "time" (seconds, such as 1700000000.125, or a duration), and where
// there are such columns "client" and "path". Others are passed over.
[[nodiscard]] LoadedTrace read_csv_trace(std::string_view text);

// Each line as one of: JSON of lbd (its time is the end, so total_ms is taken off), HAProxy's HTTP
// log format, or the combined format of nginx and Apache. That one knows only whole seconds:
// requests of the same second are spread evenly over it.
[[nodiscard]] LoadedTrace read_log_trace(std::string_view text);

}  // namespace lb::scenario
