// An address to connect to or listen on, and what is done with it before a Stream is made.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

namespace lb::net {

using Endpoint = boost::asio::ip::tcp::endpoint;

// "127.0.0.1:80", "[::1]:80"
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// The numeric address alone: what X-Forwarded-For and hashing strategies see.
[[nodiscard]] std::string address_of(const Endpoint& endpoint);

// Looks a host up; may block for as long as the resolver does, so not for a worker's thread.
// Throws boost::system::system_error when there is no such host.
[[nodiscard]] Endpoint resolve(const std::string& host, std::uint16_t port);

// A listening socket, or -1 with errno set. Several may listen on one address, one for each worker
// (SO_REUSEPORT); that nobody else does has to be checked first: see port_is_free.
[[nodiscard]] int open_listening_socket(const Endpoint& endpoint);

// Whether a listener of our own could be the only one on this address; errno says why not.
[[nodiscard]] bool port_is_free(const Endpoint& endpoint);

// A non-blocking socket that has begun to connect, or -1 with errno set.
[[nodiscard]] int start_connecting(const Endpoint& endpoint);

// Small answers leave at once.
void set_no_delay(int fd);

}  // namespace lb::net
