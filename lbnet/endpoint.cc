#include "lbnet/endpoint.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>

namespace lb::net {
namespace {

void enable(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof(on));
}

int open_socket(const Endpoint& endpoint) {
  return ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Closes and keeps errno.
int fail(int fd) {
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.address().is_v6();
  const std::string host = endpoint.address().to_string();
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(endpoint.port());
}

std::string address_of(const Endpoint& endpoint) {
  const boost::asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    const auto mapped = boost::asio::ip::v4_mapped;
    return boost::asio::ip::make_address_v4(mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

Endpoint resolve(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) return {address, port};
  boost::asio::io_context io;
  boost::asio::ip::tcp::resolver resolver(io);
  return resolver.resolve(host, std::to_string(port))->endpoint();
}

int open_listening_socket(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return -1;
  enable(fd, SOL_SOCKET, SO_REUSEADDR);
  enable(fd, SOL_SOCKET, SO_REUSEPORT);
  if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) return fail(fd);
  if (::listen(fd, SOMAXCONN) != 0) return fail(fd);
  return fd;
}

bool port_is_free(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return false;
  // Without SO_REUSEPORT: a socket that somebody listens on makes this fail, one that is only
  // bound (and lets us share it) does not.
  enable(fd, SOL_SOCKET, SO_REUSEADDR);
  const bool free = ::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return free;
}

int start_connecting(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return -1;
  set_no_delay(fd);
  const int result = ::connect(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size()));
  if (result != 0 && errno != EINPROGRESS) return fail(fd);
  return fd;
}

void set_no_delay(int fd) { enable(fd, IPPROTO_TCP, TCP_NODELAY); }

}  // namespace lb::net
