#include "lbd/listening_sockets.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace lb::daemon {
namespace {

int duplicate(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }

void discard(const std::vector<int>& fds, const std::string& path) {
  if (!path.empty()) ::unlink(path.c_str());
  for (const int fd : fds) ::close(fd);
}

bool open_internet(const net::Endpoint& endpoint, std::uint32_t count, std::vector<int>& fds) {
  net::Endpoint place = endpoint;
  while (fds.size() < count) {
    const int fd = net::open_listening_socket(place);
    if (fd < 0) return false;
    fds.push_back(fd);
    place = net::local_endpoint(fd);  // Port 0 has become a real one.
  }
  return true;
}

}  // namespace

void discard(OpenedByListener opened) {
  for (const auto& [_, sockets] : opened) discard(sockets.fds, sockets.path);
}

bool ListeningSockets::open(const net::Endpoint& endpoint, std::uint32_t count, bool ours,
                            OpenedSockets& sockets) const {
  if (!endpoint.is_unix()) {
    return (ours || net::port_is_free(endpoint)) && open_internet(endpoint, count, sockets.fds);
  }
  // Another listener of ours may have it now: the same socket goes over to this one.
  const auto present = unix_sockets_.find(endpoint.path());
  const bool is_new = present == unix_sockets_.end();
  int fd = is_new ? net::open_listening_socket(endpoint) : duplicate(present->second);
  if (fd >= 0 && is_new) sockets.path = endpoint.path();
  while (fd >= 0) {
    sockets.fds.push_back(fd);
    if (sockets.fds.size() == count) return true;
    fd = duplicate(fd);
  }
  return false;
}

void ListeningSockets::keep(const OpenedByListener& opened, const std::set<std::string>& paths) {
  for (const auto& [_, sockets] : opened) {
    if (!sockets.path.empty()) unix_sockets_[sockets.path] = duplicate(sockets.fds.front());
  }
  std::erase_if(unix_sockets_, [&](const auto& kept) {
    if (paths.contains(kept.first)) return false;
    discard({kept.second}, kept.first);
    return true;
  });
}

void ListeningSockets::remove_all() {
  for (const auto& [path, fd] : std::exchange(unix_sockets_, {})) discard({fd}, path);
}

}  // namespace lb::daemon
