#include "tests/lbnet/counters.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace {

thread_local lb::net::testing::ReadCounts read_counts;
thread_local std::uint64_t changes = 0;

}  // namespace

// The same system call under another name.
extern "C" ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  const ssize_t got = ::recvfrom(fd, bytes, size, flags, nullptr, nullptr);
  ++read_counts.all;
  if (got < 0 && errno == EAGAIN) ++read_counts.in_vain;
  return got;
}

extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  ++changes;
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

namespace lb::net::testing {

ReadCounts socket_reads() { return read_counts; }
std::uint64_t epoll_changes() { return changes; }

}  // namespace lb::net::testing
