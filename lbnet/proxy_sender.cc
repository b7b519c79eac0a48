#include "lbnet/proxy_sender.h"

#include <sys/socket.h>

#include <cerrno>

#include "lbnet/endpoint.h"

namespace lb::net {

bool find_way(const Stream& client, std::optional<ProxiedWay>& way) {
  way.reset();
  if (client.proxied() != nullptr) {
    way = *client.proxied();
    return true;
  }
  const std::optional<Endpoint> source = remote_endpoint(client.fd());
  if (!source) return false;
  const Endpoint destination = local_endpoint(client.fd());
  const auto from = source->ip();
  const auto to = destination.ip();
  if (from && to) way = {*from, *to, source->tcp().port(), destination.tcp().port()};
  return true;
}

IoError send_header(const Stream& backend, const ProxyHeaderText& header) {
  const std::string_view bytes = header.view();
  ssize_t sent = -1;
  do {
    sent = ::send(backend.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno;
  return static_cast<std::size_t>(sent) == bytes.size() ? 0 : ENOBUFS;
}

}  // namespace lb::net
