#include "lbnet/descriptors.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <limits>
#include <system_error>

namespace lb::net {

std::uint32_t open_descriptors() {
  constexpr const char* kOurs = "/proc/self/fd";
  struct stat folder {};
  if (::stat(kOurs, &folder) == 0 && folder.st_size > 0) {  // proc(5): since Linux 6.2.
    return static_cast<std::uint32_t>(folder.st_size);
  }
  std::error_code error;
  const std::filesystem::directory_iterator entries(kOurs, error);  // One of them itself.
  if (error) return std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::distance(begin(entries), end(entries)) - 1);
}

bool short_of_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return rlim_t{open_descriptors()} + kReservedDescriptors >= limit.rlim_cur;
}

}  // namespace lb::net
