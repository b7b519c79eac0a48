// Asks the admin API of an lbd. Blocking for the quiet parts of a run; asynchronous while load is
// being sent, which waiting would disturb.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

#include "lbcore/time.h"

namespace lb::harness {

struct AdminRequest {
  std::string method = "GET";
  std::string target;
  std::string body{};  // JSON; empty for none.
};

struct AdminAnswer {
  int status = 0;    // 0 when there was no answer.
  std::string body;  // Or, without an answer, the reason.
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// Calls `on_answer` once, at most `patience` later.
void ask_admin_async(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& admin,
                     const AdminRequest& request, Duration patience,
                     std::function<void(const AdminAnswer&)> on_answer);

[[nodiscard]] AdminAnswer ask_admin(const boost::asio::ip::tcp::endpoint& admin,
                                    const AdminRequest& request, Duration patience);

// A backend's id as one segment of a path.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace lb::harness
