#include "lbnet/listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "lbcore/hash.h"
#include "lbnet/descriptors.h"
#include "lbnet/endpoint.h"
#include "lbnet/http_session.h"
#include "lbnet/proxy_arrival.h"
#include "lbnet/refusal.h"
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
  if (fd >= 0) peer = Endpoint::from(name, size);
  return fd;
}

}  // namespace

Listener::Listener(Worker& worker, const ListenerSetup& setup, int fd)
    : worker_(worker),
      current_(
          std::make_shared<CurrentSetup>(CurrentSetup{std::make_shared<ListenerSetup>(setup)})),
      socket_(worker.io(), fd),
      pause_(worker.io()) {
  socket_.share();  // The daemon keeps those of unix sockets.
  socket_.on_unawaited_read([](void* self) { static_cast<Listener*>(self)->accept_all(); }, this);
  socket_.watch_readable();
}

void Listener::update(const ListenerSetup& setup) {
  current_->setup = std::make_shared<ListenerSetup>(setup);
}

void Listener::accept_all() {
  for (;;) {
    Place place = worker_.admission().take_place();
    if (!place) return wait_for_place();
    Endpoint peer;
    const int fd = accept_one(socket_.fd(), peer);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return socket_.watch_readable();
      return wait_for_descriptors();  // Or for memory.
    }
    full_ = false;
    begin(fd, peer, std::move(place));
    if (worker_.admission().is_reserved(fd)) return wait_for_descriptors();
  }
}

void Listener::begin(int fd, const Endpoint& peer, Place place) {
  Stream stream(worker_.io(), fd);
  if (current_->setup->proxy_header != AcceptedProxyHeader::none) {
    start_proxy_arrival(worker_, current_, std::move(stream), std::move(place), peer);
  } else {
    admit(worker_, current_, std::move(stream), std::move(place), peer);
  }
}

// Connections wait in the kernel's queue until one of ours, of any worker, has ended.
void Listener::wait_for_place() {
  if (!std::exchange(full_, true)) ++worker_.counters(current_->setup->name).pauses_full;
  worker_.admission().call_when_free([this, alive = std::weak_ptr<void>(alive_), &to = worker_] {
    to.post([this, alive] {
      if (!alive.expired()) accept_all();
    });
  });
}

// Likewise; looked for now and then, as descriptors are closed by others, too.
void Listener::wait_for_descriptors() {
  if (!std::exchange(short_of_descriptors_, true)) {
    ++worker_.counters(current_->setup->name).pauses_descriptors;
  }
  pause_.expires_after(std::chrono::milliseconds{50});
  pause_.async_wait([this, alive = std::weak_ptr<void>(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    if (short_of_descriptors()) return wait_for_descriptors();
    short_of_descriptors_ = false;
    accept_all();
  });
}

void admit(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down, Place place,
           const Endpoint& client) {
  const ListenerSetup& setup = *current->setup;
  // Clients of a unix socket are all alike to us.
  const bool counts = worker.admission().limits_clients() && !client.is_unix();
  const bool too_many = counts && !place.assign_to(hash_bytes(address_of(client)));
  // One that is refused takes nobody's place, however long it takes to go.
  if (too_many) return refuse_connection(worker, setup, std::move(down));
  down.hold(std::move(place));
  if (setup.tls) {
    start_handshake(worker, std::move(current), std::move(down), client);
  } else {
    start_session(worker, std::move(current), std::move(down), client);
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
