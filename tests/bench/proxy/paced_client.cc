// paced_client: how long answers take when requests come at a given pace, whatever the answers do.
//
// An open loop: when each request is due is fixed before the first is sent, and its latency counts
// from then. A client that waited for an answer before it sent the next request would send fewer
// while the server stands still, and so leave out what it is there to find (coordinated omission).
//
// Gaps are exponential from a fixed seed, so that every server gets the same arrivals, and so that
// they fall in with no tick of a clock as a steady beat would. A request takes the connection that
// has been idle longest; with none idle it waits, and its latency runs. One thread, one epoll; it
// sleeps between requests, to the microsecond and not longer, because the backend has the same
// processor.
//
// Prints one line of JSON: how many requests, quantiles of their latency in microseconds (exact:
// every one is kept and sorted), and quantiles of how late they were sent, which is this client's
// own share.
//
// Usage: paced_client PORT REQUESTS_PER_SECOND SECONDS
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/proxy/listen.h"

namespace {

using namespace lb::bench;
using Nanoseconds = std::int64_t;

constexpr int kConnections = 50;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kPatience = 10 * kSecond;  // For the last answers.
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

// From the first request on, which is due at 0.
std::vector<Nanoseconds> schedule(double rate, double seconds) {
  std::mt19937_64 random{1};
  std::vector<Nanoseconds> due;
  for (double at = 0; at < seconds;) {
    due.push_back(static_cast<Nanoseconds>(at * 1e9));
    const double share = (static_cast<double>(random() >> 11) + 0.5) / 0x1p53;
    at -= std::log(share) / rate;
  }
  return due;
}

double quantile_us(const std::vector<Nanoseconds>& sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<std::size_t>(rank, 1) - 1]) / 1e3;
}

struct Connection {
  int fd = -1;
  Nanoseconds due = 0;   // Of the request under way.
  std::string received;  // Of its answer.
};

// True once all of an answer with a Content-Length is there.
bool is_complete(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  if (!bytes.starts_with("HTTP/1.1 200")) fail("not 200: " + std::string{bytes.substr(0, end)});
  std::string head{bytes.substr(0, end)};
  std::transform(head.begin(), head.end(), head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const std::size_t length = head.find(kLength);
  if (length == std::string::npos) fail("an answer without Content-Length");
  const unsigned long body = std::strtoul(head.c_str() + length + kLength.size(), nullptr, 10);
  return bytes.size() >= end + 4 + body;
}

class PacedClient {
 public:
  explicit PacedClient(std::uint16_t port)
      : connections_(kConnections), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) die("epoll_create1");
    if (prctl(PR_SET_TIMERSLACK, 1) != 0) die("PR_SET_TIMERSLACK");
    for (Connection& each : connections_) open(each, port);
  }

  // Over every connection once: what the server does for a connection only is not of a request.
  void warm_up() {
    run(std::vector<Nanoseconds>(connections_.size(), 0));
    latencies_.clear();
    latenesses_.clear();
  }

  void run(const std::vector<Nanoseconds>& due) {
    const Nanoseconds start = now();
    const Nanoseconds give_up = start + due.back() + kPatience;
    std::size_t next = 0;
    while (latencies_.size() < due.size()) {
      for (; next < due.size() && !idle_.empty() && start + due[next] <= now(); ++next) {
        send_request(start + due[next]);
      }
      const bool can_send = next < due.size() && !idle_.empty();
      const Nanoseconds until = can_send ? start + due[next] : give_up;
      take_answers(until);
      if (now() > give_up) fail("an answer did not come");
    }
  }

  void report() {
    std::sort(latencies_.begin(), latencies_.end());
    std::sort(latenesses_.begin(), latenesses_.end());
    std::printf(
        "{\"requests\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"late_p50_us\": %.1f, "
        "\"late_p99_us\": %.1f}\n",
        latencies_.size(), quantile_us(latencies_, 0.5), quantile_us(latencies_, 0.99),
        quantile_us(latenesses_, 0.5), quantile_us(latenesses_, 0.99));
  }

 private:
  void open(Connection& connection, std::uint16_t port) {
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) die("socket");
    const sockaddr_in address = loopback(port);
    if (connect(connection.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      die("connect");
    }
    set_no_delay(connection.fd);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) die("epoll_ctl");
    idle_.push_back(&connection);
  }

  void send_request(Nanoseconds due) {
    Connection& connection = *idle_.front();
    idle_.pop_front();
    connection.due = due;
    latenesses_.push_back(now() - due);
    const ssize_t sent = send(connection.fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(kRequest.size())) die("send");
  }

  // Those that come until then; returns after the first of them.
  void take_answers(Nanoseconds until) {
    std::array<epoll_event, 64> events;
    const Nanoseconds wait = std::max<Nanoseconds>(until - now(), 0);
    const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
    const int count =
        epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      take_answer(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  void take_answer(Connection& connection) {
    std::array<char, 16 * 1024> buffer;
    const ssize_t got = recv(connection.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("a connection was closed");
    connection.received.append(buffer.data(), static_cast<std::size_t>(got));
    if (!is_complete(connection.received)) return;
    latencies_.push_back(now() - connection.due);
    connection.received.clear();
    idle_.push_back(&connection);
  }

  std::vector<Connection> connections_;
  int epoll_;
  std::deque<Connection*> idle_;
  std::vector<Nanoseconds> latencies_;
  std::vector<Nanoseconds> latenesses_;
};

}  // namespace

int main(int argc, char** argv) {
  const double rate = argc == 4 ? std::strtod(argv[2], nullptr) : 0;
  const double seconds = argc == 4 ? std::strtod(argv[3], nullptr) : 0;
  if (!(rate > 0) || !(seconds > 0)) {
    std::fprintf(stderr, "usage: %s PORT REQUESTS_PER_SECOND SECONDS\n", argv[0]);
    return 2;
  }
  PacedClient client{port_from(argv[1])};
  client.warm_up();
  client.run(schedule(rate, seconds));
  client.report();
}
