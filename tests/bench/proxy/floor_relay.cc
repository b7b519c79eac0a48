// floor_relay: what the kernel alone charges for relaying a request. A yardstick, not a proxy.
//
// One thread, one epoll, one upstream connection for each client connection, bytes passed on as
// they come. A request and its answer cost two reads and two writes and their share of epoll_wait;
// nothing is parsed, decided, logged or timed. No proxy with these sockets can do less, so the
// distance of a proxy from this figure is what the proxy itself costs.
//
// Level-triggered on purpose: after one read the relay goes back to epoll_wait without the second
// read that would only say EAGAIN, and an edge-triggered loop needs that one to be safe.
//
// Usage: floor_relay LISTEN_PORT BACKEND_PORT      port 0 takes a free one and prints it
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/proxy/listen.h"

namespace {

using namespace lb::bench;

// One socket of a relayed pair; `peer` is the other.
struct Side {
  int fd = -1;
  Side* peer = nullptr;
  std::string unsent;  // What `fd` did not take yet. While there is any, the peer is not read.
};

struct Pair {
  Side client;
  Side backend;
};

class Relay {
 public:
  Relay(std::uint16_t listen_port, std::uint16_t backend_port)
      : backend_port_(backend_port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) die("epoll_create1");
    listener_ = listen_on(listen_port);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) die("epoll_ctl");
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        auto* side = static_cast<Side*>(event.data.ptr);
        if (side == nullptr) {
          accept_one();
        } else if (side->fd >= 0) {  // Not closed by an earlier event of this batch.
          handle(*side, event.events);
        }
      }
      closed_.clear();  // Only now can no event of the batch point into them any more.
    }
  }

 private:
  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    // Loopback connects at once or is refused at once, so a blocking connect is good enough here.
    const int backend = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (backend < 0) die("socket");
    const sockaddr_in address = loopback(backend_port_);
    if (connect(backend, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(backend);
      return;
    }
    set_no_delay(client);
    set_no_delay(backend);
    auto* pair = new Pair;
    pair->client = {client, &pair->backend, {}};
    pair->backend = {backend, &pair->client, {}};
    watch(EPOLL_CTL_ADD, pair->client, EPOLLIN);
    watch(EPOLL_CTL_ADD, pair->backend, EPOLLIN);
    pairs_.emplace_back(pair);
  }

  void handle(Side& side, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !flush(side)) return close_pair(side);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || !side.peer->unsent.empty()) return;
    const ssize_t got = recv(side.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return close_pair(side);
    if (!pass_on(*side.peer, {buffer_.data(), static_cast<std::size_t>(got)})) close_pair(side);
  }

  // False when `to` is broken.
  bool pass_on(Side& to, std::string_view bytes) {
    ssize_t sent = send(to.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) sent = 0;
    if (static_cast<std::size_t>(sent) == bytes.size()) return true;
    to.unsent = bytes.substr(static_cast<std::size_t>(sent));
    watch_pair(to);
    return true;
  }

  bool flush(Side& side) {
    const ssize_t sent =
        send(side.fd, side.unsent.data(), side.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    side.unsent.erase(0, static_cast<std::size_t>(sent));
    if (!side.unsent.empty()) return true;
    watch_pair(side);
    return true;
  }

  void watch_pair(Side& side) {
    watch(EPOLL_CTL_MOD, side, interest(side));
    watch(EPOLL_CTL_MOD, *side.peer, interest(*side.peer));
  }

  // Read while the other side has room, write while something is left to write: both directions
  // may be waiting at once.
  static std::uint32_t interest(const Side& side) {
    const std::uint32_t read = side.peer->unsent.empty() ? std::uint32_t{EPOLLIN} : 0U;
    const std::uint32_t write = side.unsent.empty() ? 0U : std::uint32_t{EPOLLOUT};
    return read | write;
  }

  void watch(int operation, Side& side, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &side}};
    if (epoll_ctl(epoll_, operation, side.fd, &event) != 0) die("epoll_ctl");
  }

  void close_pair(Side& side) {
    for (Side* each : {&side, side.peer}) {
      close(each->fd);
      each->fd = -1;
    }
    for (auto& pair : pairs_) {
      if (&pair->client != &side && &pair->backend != &side) continue;
      closed_.push_back(std::move(pair));
      pair = std::move(pairs_.back());
      pairs_.pop_back();
      return;
    }
  }

  std::uint16_t backend_port_;
  int epoll_;
  int listener_ = -1;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::vector<std::unique_ptr<Pair>> closed_;
  std::array<char, 128 * 1024> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s LISTEN_PORT BACKEND_PORT\n", argv[0]);
    return 2;
  }
  const auto relay = std::make_unique<Relay>(port_from(argv[1]), port_from(argv[2]));
  relay->run();
}
