#include "lbnet/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "lbnet/endpoint.h"
#include "lbnet/http_session.h"
#include "lbnet/tcp_session.h"
#include "lbnet/tls/handshake.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

boost::asio::ip::tcp protocol_of(int fd) {
  Endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(fd, endpoint.data(), &size);
  return endpoint.protocol();
}

}  // namespace

Listener::Listener(Worker& worker, const ListenerSetup& setup, int fd)
    : worker_(worker),
      current_(
          std::make_shared<CurrentSetup>(CurrentSetup{std::make_shared<ListenerSetup>(setup)})),
      acceptor_(worker.io(), protocol_of(fd), fd),
      pause_(worker.io()) {
  wait();
}

void Listener::update(const ListenerSetup& setup) {
  current_->setup = std::make_shared<ListenerSetup>(setup);
}

void Listener::wait() {
  acceptor_.async_wait(boost::asio::ip::tcp::acceptor::wait_read, accept_if_alive());
}

// A wait that has ended may be queued behind the call that destroys this listener.
std::function<void(boost::system::error_code)> Listener::accept_if_alive() {
  return [this, alive = std::weak_ptr<void>(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) accept_all();
  };
}

void Listener::accept_all() {
  for (;;) {
    Endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int fd =
        ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      // Out of descriptors or memory: the connections wait in the kernel while some of ours end.
      pause_.expires_after(std::chrono::milliseconds{50});
      return pause_.async_wait(accept_if_alive());
    }
    peer.resize(size);
    set_no_delay(fd);
    Stream stream(worker_.io(), fd);
    if (current_->setup->tls) {
      start_handshake(worker_, current_, std::move(stream), peer);
    } else {
      start_session(worker_, current_, std::move(stream), peer);
    }
  }
}

void start_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                   const Endpoint& peer) {
  if (current->setup->protocol == Protocol::http) {
    start_http_session(worker, std::move(current), std::move(down), peer);
  } else {
    start_tcp_session(worker, current->setup, std::move(down), peer);
  }
}

}  // namespace lb::net
