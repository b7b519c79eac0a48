#include "harness/fake_backend.h"

#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>

#include "harness/message_reader.h"
#include "harness/proxy_header.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using Error = boost::system::error_code;
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::size_t kBodySize = 128;
constexpr std::size_t kPartSize = kBodySize / scenario::kDripParts;

const char* reason_of(int status) {
  return status == 200 ? "OK" : status == 503 ? "Service Unavailable" : "Internal Server Error";
}

}  // namespace

// One connection. Reads a request to its end, has it served, answers, and only then looks at the
// next one, which may be in the buffer already.
class FakeBackend::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(FakeBackend& backend, tcp::socket socket)
      : backend_(backend), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  void start() {
    backend_.options_.proxy_protocol == SentProxyHeader::none ? read() : read_proxy_header();
  }

 private:
  void read() {
    socket_.async_read_some(reader_.space(),
                            [self = shared_from_this()](const Error& error, std::size_t count) {
                              if (!error) self->on_progress(self->reader_.commit(count));
                            });
  }

  // Then the space still has what came behind it.
  void read_proxy_header() {
    const auto space = reader_.space();
    socket_.async_read_some(
        space, [self = shared_from_this(), space](const Error& error, std::size_t count) {
          if (error) return;
          self->proxy_header_.append(static_cast<const char*>(space.data()), count);
          self->take_proxy_header();
        });
  }

  void take_proxy_header() {
    const ProxyHeader header =
        harness::read_proxy_header(proxy_header_, backend_.options_.proxy_protocol);
    if (header.state == ProxyHeader::State::bad) return;
    if (header.state == ProxyHeader::State::more) return read_proxy_header();
    const std::size_t behind = proxy_header_.size() - header.size;
    if (behind == 0) return read();
    std::memcpy(reader_.space().data(), proxy_header_.data() + header.size, behind);
    on_progress(reader_.commit(behind));
  }

  void on_progress(RequestReader::Progress progress) {
    if (progress == RequestReader::Progress::done) return take_request();
    if (progress == RequestReader::Progress::bad) return;  // Closes: the last reference goes.
    if (reader_.head_done() && reader_.head().expects_continue && !continue_sent_) {
      continue_sent_ = true;
      out_ = "HTTP/1.1 100 Continue\r\n\r\n";
      return write([](Session& self) { self.read(); });
    }
    read();
  }

  void take_request() {
    if (backend_.resets_) return break_connection();
    const Head& head = reader_.head();
    const bool reads = head.method == http::verb::get || head.method == http::verb::head;
    const std::string& target = head.target;
    if (head.method == http::verb::get && !target.empty() &&
        target == backend_.options_.load_path) {
      return answer_load();
    }
    if (reads && !target.empty() && target == backend_.options_.health_path) {
      return answer(backend_.fails_probes_ ? 503 : 200);
    }
    if (backend_.black_hole_) return answer(500, {}, *backend_.black_hole_);
    const bool has_body = head.method != http::verb::head;
    const bool entered =
        backend_.queue_.enter(has_body, [self = shared_from_this()](const auto& verdict) {
          self->truncated_ = !verdict.whole;
          self->drips_ = verdict.drips;
          self->answer(verdict.good ? 200 : 500);
        });
    if (!entered) answer(503);
  }

  void answer_load() {
    const ServiceQueue::Load load = backend_.queue_.load();
    const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(load.latency);
    answer(200, fmt::format("Backend-Load: in-flight={}, latency={}\r\n", load.in_flight,
                            latency.count()));
  }

  void answer(int status, std::string more_fields = {}, Duration later = {}) {
    later += backend_.answer_delay_;
    if (later == Duration::zero()) return write_answer(status, more_fields);
    timer_.expires_after(later);
    timer_.async_wait(
        [self = shared_from_this(), status, fields = std::move(more_fields)](const Error& error) {
          if (!error) self->write_answer(status, fields);
        });
  }

  void write_answer(int status, std::string_view more_fields) {
    const bool keep = reader_.keep_alive();
    out_.clear();
    fmt::format_to(std::back_inserter(out_),
                   "HTTP/1.1 {} {}\r\nX-Backend: {}\r\nContent-Type: text/plain\r\n"
                   "Content-Length: {}\r\n{}{}\r\n",
                   status, reason_of(status), backend_.options_.id, kBodySize, more_fields,
                   keep ? "" : "Connection: close\r\n");
    body_left_ = reader_.head().method == http::verb::head ? 0 : kBodySize;
    if (truncated_) body_left_ /= 2;
    if (drips_ > Duration::zero()) {
      part_gap_ = drips_ * kPartSize / body_left_;
    } else {
      out_.append(std::exchange(body_left_, 0), '.');
    }
    write_rest(keep);
  }

  // What is in `out_`, and then what is left of the body, part by part.
  void write_rest(bool keep) {
    write([keep](Session& self) {
      if (self.body_left_ == 0) return self.end_answer(keep);
      self.timer_.expires_after(self.part_gap_);
      self.timer_.async_wait([self = self.shared_from_this(), keep](const Error& error) {
        if (error) return;
        self->body_left_ -= kPartSize;
        self->out_.assign(kPartSize, '.');
        self->write_rest(keep);
      });
    });
  }

  void end_answer(bool keep) {
    if (truncated_ && backend_.truncates_by_reset_) return break_connection();
    if (truncated_ || !keep) return finish();
    drips_ = {};
    continue_sent_ = false;
    on_progress(reader_.next());
  }

  template <class Then>
  void write(Then then) {
    boost::asio::async_write(socket_, boost::asio::buffer(out_),
                             [self = shared_from_this(), then](const Error& error, std::size_t) {
                               if (!error) then(*self);
                             });
  }

  void finish() {
    Error ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  // With a linger time of zero, close() sends RST instead of FIN.
  void break_connection() {
    Error ignored;
    socket_.set_option(tcp::socket::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  FakeBackend& backend_;
  tcp::socket socket_;
  boost::asio::steady_timer timer_;  // Until an answer that comes late.
  std::string proxy_header_;
  RequestReader reader_;
  std::string out_;
  bool continue_sent_ = false;
  // Of the answer under way.
  bool truncated_ = false;  // Half of its body comes, and then the end of the connection.
  Duration drips_{};        // How long what there is of its body takes.
  Duration part_gap_{};
  std::size_t body_left_ = 0;
};

FakeBackend::FakeBackend(boost::asio::io_context& io, BackendOptions options)
    : options_(std::move(options)),
      io_(io),
      queue_(io, options_.behaviour, options_.seed),
      acceptor_(io) {
  listen();
}

void FakeBackend::listen() {
  acceptor_.open(tcp::v4());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  // So that the port can be held by a PortReservation, and taken again after a crash.
  acceptor_.set_option(ReusePort(true));
  acceptor_.bind({boost::asio::ip::address_v4::loopback(), options_.port});
  acceptor_.listen(boost::asio::socket_base::max_listen_connections);
  options_.port = acceptor_.local_endpoint().port();
  accept();
}

void FakeBackend::accept() {
  acceptor_.async_accept(io_, [this](const Error& error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (!error) {
      Error ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(*this, std::move(socket))->start();
    }
    accept();
  });
}

void FakeBackend::apply(const scenario::Fault& fault) {
  using enum scenario::FaultKind;
  Error ignored;
  switch (fault.kind) {
    case slow: answer_delay_ = fault.add; return queue_.slow_down(fault.factor);
    case black_hole: black_hole_ = fault.in; return;
    case fail_probes: fails_probes_ = true; return;
    case error_ratio: return queue_.fail_share(fault.ratio);
    case truncate: truncates_by_reset_ = fault.reset; return queue_.truncate_share(fault.ratio);
    case drip: return queue_.drip(fault.over);
    case reset: resets_ = true; return;
    case refuse: acceptor_.close(ignored); return;
    case recover:
      queue_.slow_down(1);
      queue_.fail_share(0);
      queue_.truncate_share(0);
      queue_.drip({});
      resets_ = fails_probes_ = false;
      black_hole_.reset();
      answer_delay_ = Duration{};
      if (!acceptor_.is_open()) listen();
      return;
    case loss:
    case partition:
    case crash:
    case hang: return;
  }
}

}  // namespace lb::harness
