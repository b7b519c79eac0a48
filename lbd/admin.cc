#include "lbd/admin.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

#include "lbd/admin_api.h"

namespace lb::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr auto kPatience = std::chrono::seconds{10};
constexpr std::size_t kBodyMax = std::size_t{1} << 20U;

http::response<http::string_body> respond(Daemon& daemon,
                                          const http::request<http::string_body>& request) {
  const auto view = [](beast::string_view text) {
    return std::string_view{text.data(), text.size()};
  };
  const AdminAnswer answer =
      answer_admin_request(daemon, {.method = view(request.method_string()),
                                    .target = view(request.target()),
                                    .host = view(request[http::field::host]),
                                    .accept = view(request[http::field::accept]),
                                    .content_type = view(request[http::field::content_type]),
                                    .has_origin = request.count(http::field::origin) > 0,
                                    .body = request.body()});
  http::response<http::string_body> response(static_cast<http::status>(answer.status),
                                             request.version());
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(request.keep_alive());
  response.body() = answer.body;
  response.prepare_payload();
  return response;
}

asio::awaitable<void> serve(Daemon& daemon, beast::tcp_stream stream) {
  beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyMax);
    stream.expires_after(kPatience);
    boost::system::error_code error;
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    const auto response = respond(daemon, parser.get());
    stream.expires_after(kPatience);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    if (error || !response.keep_alive()) break;
  }
  boost::system::error_code ignored;
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

}  // namespace

AdminServer::AdminServer(Daemon& daemon, asio::io_context& io, const net::Endpoint& endpoint)
    : daemon_(daemon), acceptor_(io, endpoint.tcp()), pause_(io) {
  accept();
}

void AdminServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, asio::ip::tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return accept_later();
    asio::co_spawn(acceptor_.get_executor(), serve(daemon_, beast::tcp_stream(std::move(socket))),
                   asio::detached);
    accept();
  });
}

void AdminServer::accept_later() {
  pause_.expires_after(std::chrono::milliseconds{50});
  pause_.async_wait([this](boost::system::error_code error) {
    if (!error) accept();
  });
}

}  // namespace lb::daemon
