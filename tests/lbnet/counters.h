// Reads of a socket, for tests that promise how many there are. Linking counters.cc puts a counting
// recv() in place of the library's.
#pragma once

#include <cstdint>

namespace lb::net::testing {

struct ReadCounts {
  std::uint64_t all = 0;
  std::uint64_t in_vain = 0;  // EAGAIN
};
[[nodiscard]] ReadCounts socket_reads();  // recv() by this thread so far.

}  // namespace lb::net::testing
