// A fake HTTP/1.1 backend that takes its time, has limits, and misbehaves on order.
//
// A request that finds a free place is served at once, waits its turn otherwise, and is answered
// 503 when too many wait already. The answer is 200 with 128 bytes and "X-Backend: ID". GET or HEAD
// of exactly the health path is answered at once and takes no place: a busy backend is not a dead
// one. So is GET of the load path, with the requests it has and the mean time of its last ones:
//
//   Backend-Load: in-flight=3, latency=1234
//
// A client that leaves does not give its place back before its service time is over, as with most
// servers: they notice when they write.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/service_queue.h"
#include "lbcore/client_identity.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

struct BackendOptions {
  std::string id = "backend";
  std::uint16_t port = 0;     // Of 127.0.0.1; 0 takes a free one.
  std::string health_path{};  // Empty: every request is work.
  std::string load_path{};    // Likewise.
  // What every connection has to begin with; one that does not is closed.
  SentProxyHeader proxy_protocol = SentProxyHeader::none;
  scenario::Behaviour behaviour{};
  std::uint64_t seed = 1;
};

class FakeBackend {
 public:
  // Listens when it returns. Throws boost::system::system_error when the port cannot be had.
  // Handlers of `io` refer to this object: run `io` no more once it is gone.
  FakeBackend(boost::asio::io_context& io, BackendOptions options);
  FakeBackend(const FakeBackend&) = delete;
  FakeBackend& operator=(const FakeBackend&) = delete;

  [[nodiscard]] std::uint16_t port() const { return options_.port; }

  // All but two, which are done to the whole process:
  // crash by SIGKILL, hang by SIGSTOP.
  void apply(const scenario::Fault& fault);

 private:
  class Session;

  void listen();
  void accept();

  BackendOptions options_;
  boost::asio::io_context& io_;
  ServiceQueue queue_;
  boost::asio::ip::tcp::acceptor acceptor_;
  bool resets_ = false;
  bool fails_probes_ = false;
  bool truncates_by_reset_ = false;
  std::optional<Duration> black_hole_;  // Every request is answered 500 after this.
  Duration answer_delay_{};             // Before every answer.
};

}  // namespace lb::harness
