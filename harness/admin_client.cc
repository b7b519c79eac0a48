#include "harness/admin_client.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>

namespace lb::harness {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Error = boost::system::error_code;

// One request on a connection of its own. The stream's deadline covers all of it.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(boost::asio::io_context& io, std::function<void(const AdminAnswer&)> on_answer)
      : stream_(io), on_answer_(std::move(on_answer)) {}

  void run(const boost::asio::ip::tcp::endpoint& admin, const AdminRequest& request,
           Duration patience) {
    request_.version(11);
    request_.method_string(request.method);
    request_.target(request.target);
    request_.set(http::field::host,
                 admin.address().to_string() + ':' + std::to_string(admin.port()));
    request_.set(http::field::accept, "application/json");
    request_.set(http::field::connection, "close");
    if (!request.body.empty()) request_.set(http::field::content_type, "application/json");
    request_.body() = request.body;
    request_.prepare_payload();
    stream_.expires_after(patience);
    stream_.async_connect(admin, [self = shared_from_this()](const Error& error) {
      if (error) return self->fail(error);
      self->write();
    });
  }

 private:
  void write() {
    http::async_write(stream_, request_,
                      [self = shared_from_this()](const Error& error, std::size_t) {
                        if (error) return self->fail(error);
                        self->read();
                      });
  }
  void read() {
    http::async_read(stream_, buffer_, answer_,
                     [self = shared_from_this()](const Error& error, std::size_t) {
                       if (error) return self->fail(error);
                       self->on_answer_({.status = static_cast<int>(self->answer_.result_int()),
                                         .body = std::move(self->answer_.body())});
                     });
  }
  void fail(const Error& error) { on_answer_({.status = 0, .body = error.message()}); }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> answer_;
  std::function<void(const AdminAnswer&)> on_answer_;
};

}  // namespace

void ask_admin_async(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& admin,
                     const AdminRequest& request, Duration patience,
                     std::function<void(const AdminAnswer&)> on_answer) {
  std::make_shared<Exchange>(io, std::move(on_answer))->run(admin, request, patience);
}

AdminAnswer ask_admin(const boost::asio::ip::tcp::endpoint& admin, const AdminRequest& request,
                      Duration patience) {
  boost::asio::io_context io(1);
  AdminAnswer answer;
  ask_admin_async(io, admin, request, patience, [&](const AdminAnswer& got) { answer = got; });
  io.run();
  return answer;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xfU];
  }
  return out;
}

}  // namespace lb::harness
