// The other side of the wire: a client or backend that a test speaks for, line by line. Blocking,
// and patient for five seconds: a test that waits longer has failed.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace lb::net::testing {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

// Bound to a free port and, for now, to that alone.
inline int bind_free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(0);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

inline void be_patient(int fd) {
  const timeval five_seconds{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &five_seconds, sizeof(five_seconds));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &five_seconds, sizeof(five_seconds));
}

// One connection.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    be_patient(fd);
  }
  Peer(Peer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        in_(std::move(other.in_)),
        ended_(other.ended_),
        was_reset_(other.was_reset_) {}
  Peer& operator=(Peer&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    in_ = std::move(other.in_);
    ended_ = other.ended_;
    was_reset_ = other.was_reset_;
    return *this;
  }
  ~Peer() { close(); }

  static Peer connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
        << std::strerror(errno);
    return Peer(fd);
  }

  // Sends all of it; false when the other side does not want it any more.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // One byte out of band, which readers do not see.
  void send_urgent(char byte) { EXPECT_EQ(::send(fd_, &byte, 1, MSG_OOB | MSG_NOSIGNAL), 1); }

  // So many bytes, or fewer when the connection ends.
  std::string read(std::size_t size) {
    while (in_.size() < size && fill()) {
    }
    return take(std::min(size, in_.size()));
  }
  // All up to and with `end`, or what there is when the connection ends.
  std::string read_until(std::string_view end) {
    while (in_.find(end) == std::string::npos && fill()) {
    }
    const std::size_t place = in_.find(end);
    return take(place == std::string::npos ? in_.size() : place + end.size());
  }
  // What there is, at least a byte; nothing at the end.
  std::string read_some() {
    if (in_.empty()) fill();
    return take(in_.size());
  }
  std::string read_head() { return read_until("\r\n\r\n"); }
  std::string read_to_end() {
    while (fill()) {
    }
    return take(in_.size());
  }
  // The other side has finished sending and said nothing more.
  bool at_end() { return read_to_end().empty() && ended_ && !was_reset_; }
  // The connection was broken, not ended.
  bool was_reset() {
    read_to_end();
    return was_reset_;
  }
  // Something can be read now, if only the end.
  [[nodiscard]] bool readable() const {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, 0) == 1;
  }
  // What is there now.
  std::string read_what_is_there() {
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string{};
  }

  void shut_down_write() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close();
  }

 private:
  bool fill() {
    if (ended_) return false;
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recvfrom(fd_, bytes.data(), bytes.size(), 0, nullptr, nullptr);
    if (got > 0) {
      in_.append(bytes.data(), static_cast<std::size_t>(got));
      return true;
    }
    ended_ = true;
    was_reset_ = got < 0 && errno == ECONNRESET;
    if (got < 0 && !was_reset_) ADD_FAILURE() << "nothing came: " << std::strerror(errno);
    return false;
  }
  std::string take(std::size_t size) {
    std::string text = in_.substr(0, size);
    in_.erase(0, size);
    return text;
  }

  int fd_;
  std::string in_;
  bool ended_ = false;
  bool was_reset_ = false;
};

// A backend's listening socket, on a free port.
class TestBackend {
 public:
  TestBackend() : fd_(bind_free_port()), port_(port_of(fd_)) {
    EXPECT_EQ(::listen(fd_, 16), 0);
    be_patient(fd_);
  }
  TestBackend(const TestBackend&) = delete;
  TestBackend& operator=(const TestBackend&) = delete;
  ~TestBackend() { ::close(fd_); }

  Peer accept() {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(fd, 0) << "nobody connected: " << std::strerror(errno);
    return Peer(fd);
  }
  // Somebody has connected who was not accepted yet.
  [[nodiscard]] bool somebody_waits() const {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, 0) == 1;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
  std::uint16_t port_;
};

// A port that refuses connections, and that nobody else can take meanwhile.
class RefusingPort {
 public:
  RefusingPort() : fd_(bind_free_port()) {}
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;
  ~RefusingPort() { ::close(fd_); }
  [[nodiscard]] std::uint16_t port() const { return port_of(fd_); }

 private:
  int fd_;
};

// A port that neither accepts nor refuses: its queue is full, so that who connects waits.
class DeafPort {
 public:
  DeafPort() : fds_{bind_free_port()} {
    EXPECT_EQ(::listen(fds_[0], 0), 0);
    const sockaddr_in address = loopback(port());
    for (std::size_t n = 1; n < fds_.size(); ++n) {
      fds_[n] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ::connect(fds_[n], reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }
  }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;
  ~DeafPort() {
    for (const int fd : fds_) ::close(fd);
  }
  [[nodiscard]] std::uint16_t port() const { return port_of(fds_[0]); }

 private:
  std::array<int, 4> fds_;
};

}  // namespace lb::net::testing
