#include "harness/load_connection.h"

#include <netinet/in.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using Error = boost::system::error_code;
// The port is chosen when connecting, by what is free towards that target, not when binding.
using BindAddressNoPort =
    boost::asio::detail::socket_option::boolean<IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT>;

}  // namespace

// Only loopback has an address for everyone; elsewhere a client is just a set of connections.
Error LoadConnection::open_socket() {
  Error error;
  socket_.open(plan_.target.protocol(), error);
  if (!error && plan_.target.address().is_v4() && plan_.target.address().is_loopback()) {
    const std::string source = scenario::client_address(plan_.load_index, client_);
    socket_.set_option(BindAddressNoPort(true), error);
    socket_.bind({boost::asio::ip::make_address(source), 0}, error);
  }
  if (!error) socket_.set_option(tcp::no_delay(true), error);
  return error;
}

void LoadConnection::open(std::uint64_t number, std::uint32_t target) {
  number_ = number;
  target_ = target;
  if (open_socket()) {
    return boost::asio::post(io_, [self = shared_from_this()] {
      if (!self->closed_) self->broken();
    });
  }
  socket_.async_connect(plan_.target, [self = shared_from_this()](const Error& failure) {
    if (self->closed_) return;
    if (failure) return self->broken();
    self->send(*self->number_, self->target_);
    self->read();
  });
}

void LoadConnection::send(std::uint64_t number, std::uint32_t target) {
  number_ = number;
  if (request_text_.empty() || target != target_) {
    request_text_ = scenario::for_client(plan_.request_texts[target], client_);
    target_ = target;
  }
  answer_begun_ = false;
  if (plan_.is_head) reader_.expect_no_body();
  // The send buffer is empty and far larger than a request, so this neither waits nor sends a part.
  Error error;
  boost::asio::write(socket_, boost::asio::buffer(request_text_), error);
  // A broken connection is also reported by the pending read; from there it is not reentrant.
  if (error) socket_.shutdown(tcp::socket::shutdown_both, error);
}

void LoadConnection::read() {
  socket_.async_read_some(reader_.space(),
                          [self = shared_from_this()](const Error& error, std::size_t count) {
                            if (!self->closed_) self->on_read(error, count);
                          });
}

void LoadConnection::on_read(const Error& error, std::size_t count) {
  if (!number_) return broken();  // Closed while idle, or bytes that nobody asked for.
  if (error == boost::asio::error::eof && answer_begun_) {
    return on_progress(reader_.commit_end());
  }
  if (error) return broken();
  answer_begun_ = true;
  on_progress(reader_.commit(count));
}

void LoadConnection::on_progress(AnswerReader::Progress progress) {
  while (progress == AnswerReader::Progress::done && reader_.head().status < 200) {
    progress = reader_.next();  // 100 Continue and the like: the answer is still to come.
  }
  if (progress == AnswerReader::Progress::bad) return broken();
  if (progress == AnswerReader::Progress::done) {
    const std::uint64_t number = *number_;
    number_.reset();
    owner_.on_answer(*this, number);
    if (closed_) return;
  }
  read();
}

void LoadConnection::broken() {
  const bool stale = served_ > 0 && !answer_begun_;
  const auto number = number_;
  const auto self = shared_from_this();
  close();
  owner_.on_broken(*this, number, stale);
}

void LoadConnection::rest() {
  ++served_;
  static_cast<void>(reader_.next());
}

void LoadConnection::close() {
  closed_ = true;
  number_.reset();
  Error ignored;
  socket_.close(ignored);
}

}  // namespace lb::harness
