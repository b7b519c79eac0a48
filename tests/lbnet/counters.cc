#include "tests/lbnet/counters.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t allocation_count = 0;
thread_local lb::net::testing::ReadCounts read_counts;

void* allocate(std::size_t size) {
  ++allocation_count;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc{};
}

void* allocate(std::size_t size, std::align_val_t alignment) {
  ++allocation_count;
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc{};
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

// The same system call under another name.
extern "C" ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  const ssize_t got = ::recvfrom(fd, bytes, size, flags, nullptr, nullptr);
  ++read_counts.all;
  if (got < 0 && errno == EAGAIN) ++read_counts.in_vain;
  return got;
}

namespace lb::net::testing {

std::uint64_t allocations() { return allocation_count; }
ReadCounts socket_reads() { return read_counts; }

}  // namespace lb::net::testing
