// What tests that promise a cost count: allocations of the calling thread, and reads of a socket.
// Linking counters.cc puts the counting versions in place of the library's.
#pragma once

#include <cstdint>

namespace lb::net::testing {

[[nodiscard]] std::uint64_t allocations();  // operator new of any kind, by this thread so far.

struct ReadCounts {
  std::uint64_t all = 0;
  std::uint64_t in_vain = 0;  // EAGAIN
};
[[nodiscard]] ReadCounts socket_reads();  // recv() by this thread so far.

}  // namespace lb::net::testing
