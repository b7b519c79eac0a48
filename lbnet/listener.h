// Listener: accepts connections on one socket of one worker and starts their sessions.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lbcore/ids.h"
#include "lbcore/time.h"

namespace lb::net {

class Worker;

enum class Protocol : std::uint8_t { http, tcp };

struct ListenerSetup {
  std::string name;
  Protocol protocol = Protocol::http;
  ClusterId cluster;
  std::uint64_t max_body = 0;  // 0 for no limit.
  Duration head_timeout{};
  Duration idle_timeout{};
  Duration body_timeout{};
};

class Listener {
 public:
  // Takes over a listening socket and starts to accept.
  Listener(Worker& worker, const ListenerSetup& setup, int fd);

  // For connections accepted from now on; sessions keep the setup they started with.
  void update(const ListenerSetup& setup);

 private:
  void wait();
  [[nodiscard]] std::function<void(boost::system::error_code)> accept_if_alive();
  void accept_all();

  Worker& worker_;
  std::shared_ptr<const ListenerSetup> setup_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<void> alive_ = std::make_shared<char>();
};

}  // namespace lb::net
