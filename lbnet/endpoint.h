// An address to connect to or listen on, TCP's or a unix socket's, and what is done with it before
// a Stream is made.
#pragma once

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lbcore/ip_address.h"

namespace lb::net {

class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const boost::asio::ip::address& address, std::uint16_t port) : tcp_(address, port) {}
  // REQUIRES: path.size() <= kUnixPathMax. Empty for a client, which hardly ever has a name.
  [[nodiscard]] static Endpoint unix_socket(std::string path);
  // As the system says it.
  [[nodiscard]] static Endpoint from(const sockaddr* address, socklen_t size);
  [[nodiscard]] static Endpoint from(const IpAddress& address, std::uint16_t port);

  [[nodiscard]] bool is_unix() const { return path_ != nullptr; }
  [[nodiscard]] std::string_view path() const { return path_ ? *path_ : std::string_view{}; }
  // REQUIRES: !is_unix().
  [[nodiscard]] const boost::asio::ip::tcp::endpoint& tcp() const { return tcp_; }
  // Nothing for a unix socket.
  [[nodiscard]] std::optional<IpAddress> ip() const;
  // Into `room`, as the system wants it; how much of it is used.
  [[nodiscard]] socklen_t write_to(sockaddr_storage& room) const;

  bool operator==(const Endpoint& other) const {
    return tcp_ == other.tcp_ && is_unix() == other.is_unix() && path() == other.path();
  }

 private:
  boost::asio::ip::tcp::endpoint tcp_;
  std::shared_ptr<const std::string> path_;  // Apart: every session has an Endpoint, few a path.
};

inline constexpr std::size_t kUnixPathMax = 107;  // And a zero: sun_path has 108 bytes.

// "127.0.0.1:80", "[::1]:80", "unix:/run/app.sock"
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// What a request of our own to this address has in its Host field: the address as configured, and
// "localhost" for a unix socket, as nginx has it.
[[nodiscard]] std::string_view host_field(const Endpoint& endpoint, std::string_view configured);

// The numeric address alone: what X-Forwarded-For and hashing strategies see. "unix:" for a client
// of a unix socket, as nginx has it: all of them are one.
[[nodiscard]] std::string address_of(const Endpoint& endpoint);

// Looks a host up; may block for as long as the resolver does, so not for a worker's thread.
// Throws boost::system::system_error when there is no such host.
[[nodiscard]] Endpoint resolve(const std::string& host, std::uint16_t port);

// A listening socket, or -1 with errno set; what it accepts sends without delay. Of TCP several may
// listen on one address, one for each worker (SO_REUSEPORT); that nobody else does has to be
// checked first: see port_is_free. A unix socket there can be one of: its file is made, with mode
// 0660, and replaces one that nobody listens on any more. Whoever opened it removes the file at the
// end.
[[nodiscard]] int open_listening_socket(const Endpoint& endpoint);

// Whether a listener of our own could be the only one on this address; errno says why not.
// REQUIRES: !endpoint.is_unix().
[[nodiscard]] bool port_is_free(const Endpoint& endpoint);

// A non-blocking socket that has begun to connect, or -1 with errno set.
[[nodiscard]] int start_connecting(const Endpoint& endpoint);

// What a listening socket is bound to, or one of ours is connected from.
[[nodiscard]] Endpoint local_endpoint(int fd);

// What the other end of a connection is bound to; nothing when the connection is gone, as then the
// system does not know any more.
[[nodiscard]] std::optional<Endpoint> remote_endpoint(int fd);

// Small answers leave at once.
void set_no_delay(int fd);

}  // namespace lb::net
