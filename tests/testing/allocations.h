// What tests that promise a cost count. Linking allocations.cc puts counting versions of operator
// new and delete in place of the library's.
#pragma once

#include <cstdint>

namespace lb::testing {

[[nodiscard]] std::uint64_t allocations();     // operator new of any kind, by this thread so far.
[[nodiscard]] std::int64_t allocated_bytes();  // Not freed yet, as the allocator rounds them.

}  // namespace lb::testing
