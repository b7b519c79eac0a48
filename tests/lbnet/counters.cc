#include "tests/lbnet/counters.h"

#include <sys/socket.h>

#include <cerrno>

namespace {

thread_local lb::net::testing::ReadCounts read_counts;

}  // namespace

// The same system call under another name.
extern "C" ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  const ssize_t got = ::recvfrom(fd, bytes, size, flags, nullptr, nullptr);
  ++read_counts.all;
  if (got < 0 && errno == EAGAIN) ++read_counts.in_vain;
  return got;
}

namespace lb::net::testing {

ReadCounts socket_reads() { return read_counts; }

}  // namespace lb::net::testing
