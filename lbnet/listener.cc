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

// The next connection and who it is from; -1 with errno set when there is none.
int accept_one(int listening, Endpoint& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* name = reinterpret_cast<sockaddr*>(&address);
  const int fd = ::accept4(listening, name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -1;
  peer = Endpoint::from(name, size);
  if (!peer.is_unix()) set_no_delay(fd);
  return fd;
}

}  // namespace

Listener::Listener(Worker& worker, const ListenerSetup& setup, int fd)
    : worker_(worker),
      current_(
          std::make_shared<CurrentSetup>(CurrentSetup{std::make_shared<ListenerSetup>(setup)})),
      socket_(worker.io(), fd),
      pause_(worker.io()) {
  wait();
}

void Listener::update(const ListenerSetup& setup) {
  current_->setup = std::make_shared<ListenerSetup>(setup);
}

void Listener::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, accept_if_alive());
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
    const int fd = accept_one(socket_.native_handle(), peer);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      // Out of descriptors or memory: the connections wait in the kernel while some of ours end.
      pause_.expires_after(std::chrono::milliseconds{50});
      return pause_.async_wait(accept_if_alive());
    }
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
