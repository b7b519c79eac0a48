// bench_backend: an HTTP/1.1 server that is never the limit. Every request gets the same answer,
// made once: 200, Content-Length, a body of a fixed size, connection kept alive.
//
// It looks for the empty line that ends a request without a body and reads nothing else, so it is
// fit for GETs from a benchmark and for no other use. Pipelined requests get one write.
//
// Usage: bench_backend PORT [BODY_BYTES]      port 0 takes a free one and prints it; 128 bytes
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/proxy/listen.h"

namespace {

using namespace lb::bench;

struct Client {
  int fd = -1;
  std::uint32_t matched = 0;  // How much of "\r\n\r\n" the bytes so far end with.
  std::string unsent;
};

class Backend {
 public:
  Backend(std::uint16_t port, std::size_t body_bytes)
      : answer_("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x')),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) die("epoll_create1");
    listener_ = listen_on(port);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) die("epoll_ctl");
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        auto* client = static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (client == nullptr) {
          accept_one();
        } else if (!serve(*client)) {
          close(client->fd);
          delete client;  // Has one socket, so no other event of this batch points to it.
        }
      }
    }
  }

 private:
  void accept_one() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    set_no_delay(fd);
    watch(EPOLL_CTL_ADD, *new Client{.fd = fd, .matched = 0, .unsent = {}}, EPOLLIN);
  }

  // False when the connection is over.
  bool serve(Client& client) {
    if (!client.unsent.empty()) return flush(client);
    const ssize_t got = recv(client.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const std::size_t requests =
        count_ends(client, {buffer_.data(), static_cast<std::size_t>(got)});
    if (requests == 0) return true;
    if (requests == 1) return answer(client, answer_);
    std::string answers;
    for (std::size_t i = 0; i < requests; ++i) answers += answer_;
    return answer(client, answers);
  }

  static std::size_t count_ends(Client& client, std::string_view bytes) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t ends = 0;
    for (const char c : bytes) {
      if (c == kEnd[client.matched]) {
        ++client.matched;
      } else {
        client.matched = c == kEnd[0] ? 1 : 0;
      }
      if (client.matched == kEnd.size()) {
        ++ends;
        client.matched = 0;
      }
    }
    return ends;
  }

  bool answer(Client& client, std::string_view bytes) {
    ssize_t sent = send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) sent = 0;
    if (static_cast<std::size_t>(sent) == bytes.size()) return true;
    client.unsent = bytes.substr(static_cast<std::size_t>(sent));
    watch(EPOLL_CTL_MOD, client, EPOLLOUT);
    return true;
  }

  bool flush(Client& client) {
    const ssize_t sent = send(client.fd, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client.unsent.erase(0, static_cast<std::size_t>(sent));
    if (client.unsent.empty()) watch(EPOLL_CTL_MOD, client, EPOLLIN);
    return true;
  }

  void watch(int operation, Client& client, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &client}};
    if (epoll_ctl(epoll_, operation, client.fd, &event) != 0) die("epoll_ctl");
  }

  const std::string answer_;
  int epoll_;
  int listener_ = -1;
  std::array<char, 16 * 1024> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: %s PORT [BODY_BYTES]\n", argv[0]);
    return 2;
  }
  const std::size_t body_bytes = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 128;
  Backend(port_from(argv[1]), body_bytes).run();
}
