#include "harness/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/errors.h"

namespace lb::harness {

PortReservation::PortReservation() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool reserved =
      socket_ >= 0 && ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::setsockopt(socket_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
      ::bind(socket_, generic, size) == 0 && ::getsockname(socket_, generic, &size) == 0;
  if (!reserved) {
    const std::string reason = std::strerror(errno);
    if (socket_ >= 0) ::close(socket_);
    throw HarnessError(kExitEnvironment, "cannot reserve a port of 127.0.0.1: " + reason);
  }
  port_ = ntohs(address.sin_port);
}

PortReservation::~PortReservation() {
  if (socket_ >= 0) ::close(socket_);
}

PortReservation::PortReservation(PortReservation&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}

}  // namespace lb::harness
