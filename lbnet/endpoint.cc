#include "lbnet/endpoint.h"

#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "lbcore/assert.h"

namespace lb::net {
namespace {

constexpr mode_t kUnixSocketMode = 0660;

void enable(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof(on));
}

int open_socket(const Endpoint& endpoint) {
  const int family = endpoint.is_unix() ? AF_UNIX : endpoint.tcp().protocol().family();
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

template <class Call>  // bind() or connect()
int with_address(Call&& call, int fd, const Endpoint& endpoint) {
  sockaddr_storage address{};
  const socklen_t size = endpoint.write_to(address);
  return call(fd, reinterpret_cast<const sockaddr*>(&address), size);
}

// Closes and keeps errno.
int fail(int fd) {
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// A socket file whose process is gone, so that nobody will ever accept there again.
bool is_stale(const Endpoint& endpoint) {
  struct stat file {};
  if (::lstat(endpoint.path().data(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int fd = open_socket(endpoint);
  if (fd < 0) return false;
  const bool refused = with_address(::connect, fd, endpoint) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

int bind_unix(int fd, const Endpoint& endpoint) {
  // The file gets these bits less the umask at once, and the rest below: it is never open to more.
  ::fchmod(fd, kUnixSocketMode);
  if (with_address(::bind, fd, endpoint) == 0) return 0;
  if (errno != EADDRINUSE) return -1;
  if (!is_stale(endpoint)) {
    errno = EADDRINUSE;
    return -1;
  }
  ::unlink(endpoint.path().data());
  return with_address(::bind, fd, endpoint);
}

}  // namespace

Endpoint Endpoint::unix_socket(std::string path) {
  LB_ASSERT(path.size() <= kUnixPathMax);
  Endpoint endpoint;
  endpoint.path_ = std::make_shared<const std::string>(std::move(path));
  return endpoint;
}

Endpoint Endpoint::from(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_UNIX) {
    const auto* name = reinterpret_cast<const sockaddr_un*>(address);
    constexpr std::size_t kStart = offsetof(sockaddr_un, sun_path);
    const std::size_t length = size > kStart ? ::strnlen(name->sun_path, size - kStart) : 0;
    return unix_socket({name->sun_path, length});
  }
  Endpoint endpoint;
  LB_ASSERT(size <= endpoint.tcp_.capacity());
  std::memcpy(endpoint.tcp_.data(), address, size);
  return endpoint;
}

Endpoint Endpoint::from(const IpAddress& address, std::uint16_t port) {
  using boost::asio::ip::address_v4;
  using boost::asio::ip::address_v6;
  if (address.is_v4()) return {address_v4(address.v4_bits()), port};
  return {address_v6(address.bytes()), port};
}

std::optional<IpAddress> Endpoint::ip() const {
  if (is_unix()) return std::nullopt;
  const boost::asio::ip::address& address = tcp_.address();
  if (address.is_v4()) return IpAddress::v4(address.to_v4().to_uint());
  return IpAddress::v6(address.to_v6().to_bytes());
}

socklen_t Endpoint::write_to(sockaddr_storage& room) const {
  if (!is_unix()) {
    std::memcpy(&room, tcp_.data(), tcp_.size());
    return static_cast<socklen_t>(tcp_.size());
  }
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path().copy(name.sun_path, kUnixPathMax);
  std::memcpy(&room, &name, sizeof(name));
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path().size() + 1);
}

std::string to_string(const Endpoint& endpoint) {
  if (endpoint.is_unix()) return std::string{"unix:"}.append(endpoint.path());
  const bool v6 = endpoint.tcp().address().is_v6();
  const std::string host = endpoint.tcp().address().to_string();
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(endpoint.tcp().port());
}

std::string_view host_field(const Endpoint& endpoint, std::string_view configured) {
  return endpoint.is_unix() ? "localhost" : configured;
}

std::string address_of(const Endpoint& endpoint) {
  if (endpoint.is_unix()) return "unix:";
  const boost::asio::ip::address address = endpoint.tcp().address();
  const IpAddress ip = address.is_v4() ? IpAddress::v4(address.to_v4().to_uint())
                                       : IpAddress::v6(address.to_v6().to_bytes());
  return std::string{ip.text().view()};
}

Endpoint resolve(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) return {address, port};
  boost::asio::io_context io;
  boost::asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port))->endpoint();
  return {found.address(), found.port()};
}

int open_listening_socket(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return -1;
  if (endpoint.is_unix()) {
    if (bind_unix(fd, endpoint) != 0) return fail(fd);
    if (::listen(fd, SOMAXCONN) != 0) return fail(fd);
    ::chmod(endpoint.path().data(), kUnixSocketMode);  // Now that whoever comes is accepted.
    return fd;
  }
  enable(fd, SOL_SOCKET, SO_REUSEADDR);
  enable(fd, SOL_SOCKET, SO_REUSEPORT);
  set_no_delay(fd);  // For all that it accepts, who inherit it.
  if (with_address(::bind, fd, endpoint) != 0) return fail(fd);
  if (::listen(fd, SOMAXCONN) != 0) return fail(fd);
  return fd;
}

bool port_is_free(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return false;
  // Without SO_REUSEPORT: a socket that somebody listens on makes this fail, one that is only
  // bound (and lets us share it) does not.
  enable(fd, SOL_SOCKET, SO_REUSEADDR);
  const bool free = with_address(::bind, fd, endpoint) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return free;
}

int start_connecting(const Endpoint& endpoint) {
  const int fd = open_socket(endpoint);
  if (fd < 0) return -1;
  if (!endpoint.is_unix()) set_no_delay(fd);
  // A unix socket whose queue is full says EAGAIN, and there is nothing to wait for.
  const int result = with_address(::connect, fd, endpoint);
  if (result != 0 && errno != EINPROGRESS) return fail(fd);
  return fd;
}

Endpoint local_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&address), size);
}

std::optional<Endpoint> remote_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&address), size);
}

void set_no_delay(int fd) { enable(fd, IPPROTO_TCP, TCP_NODELAY); }

}  // namespace lb::net
