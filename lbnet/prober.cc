#include "lbnet/prober.h"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "lbnet/http/head_parser.h"
#include "lbnet/proxy_sender.h"
#include "lbnet/stream.h"
#include "lbnet/task.h"
#include "lbnet/tls/client_context.h"
#include "lbnet/tls/tls_connection.h"

namespace lb::net {
class Prober::Attempt {
 public:
  Attempt(Prober& prober, const ProbeId& probe, int fd, std::unique_ptr<TlsConnection> tls,
          SentProxyHeader header, std::string request)
      : prober_(prober),
        probe_(probe),
        header_(header),
        request_(std::move(request)),
        stream_(prober.io_, fd),
        in_(prober.buffers_) {
    if (tls) stream_.start_tls(std::move(tls));
  }

  // Runs to its end, reports unless it was abandoned, and frees itself through the prober.
  Task<void> run() {
    std::string detail;
    const ProbeResult result = co_await probe(detail);
    // This coroutine must not be the one that destroys what it still uses.
    boost::asio::post(prober_.io_,
                      [&prober = prober_, probe = probe_, result, detail, abandoned = abandoned_] {
                        prober.attempts_.erase(probe);
                        if (!abandoned) prober.done_(probe, result, detail);
                      });
  }

  void abandon() {
    abandoned_ = true;
    stream_.cancel();
  }

 private:
  Task<ProbeResult> probe(std::string& detail) {
    IoError error = co_await stream_.finish_connect();
    if (error == 0 && header_ != SentProxyHeader::none) {
      error = send_header(stream_, ProxyHeaderText(header_, std::nullopt));
    }
    if (error != 0) {
      detail = std::strerror(error);
      co_return ProbeResult::fail;
    }
    if (stream_.tls() != nullptr) {
      error = co_await stream_.handshake();
      if (error != 0) {
        detail =
            stream_.tls()->failure().empty() ? lb::net::describe(error) : stream_.tls()->failure();
        co_return ProbeResult::fail;
      }
    }
    if (request_.empty()) {
      detail = "connected";
      co_return ProbeResult::pass;
    }
    const std::string_view piece = request_;
    if (!stream_.try_write({&piece, 1})) co_await stream_.finish_write();
    http::HeadScanner scanner;
    auto found = http::HeadScanner::Result::incomplete;
    while (found == http::HeadScanner::Result::incomplete) {
      error = co_await stream_.read_into(in_);
      if (error != 0) {
        detail = error == kEndOfStream ? "closed without an answer" : describe(error);
        co_return ProbeResult::fail;
      }
      found = scanner.scan(in_.view());
    }
    http::ResponseHead head;
    const bool whole = found == http::HeadScanner::Result::complete && scanner.start() == 0;
    if (!whole || !http::parse_response_head(in_.view().substr(0, scanner.end()), false, head)) {
      detail = "not an HTTP answer";
      co_return ProbeResult::fail;
    }
    detail = std::to_string(head.status);
    co_return head.status >= 200 && head.status < 400 ? ProbeResult::pass : ProbeResult::fail;
  }

  Prober& prober_;
  ProbeId probe_;
  SentProxyHeader header_;
  std::string request_;  // Empty for a tcp probe.
  Stream stream_;
  Buffer in_;
  bool abandoned_ = false;
};

Prober::Prober(boost::asio::io_context& io, Done done) : io_(io), done_(std::move(done)) {}

Prober::~Prober() = default;

void Prober::start(const ProbeId& probe, const HealthCheckConfig& check, const Endpoint& endpoint,
                   const std::string& host, const tls::ClientContext* tls, SentProxyHeader header) {
  const int fd = start_connecting(endpoint);
  if (fd < 0) {
    const int error = errno;
    std::optional<ProbeResult> result;
    if (!is_own_shortage(error)) result = ProbeResult::fail;
    const std::string detail = std::strerror(error);
    boost::asio::post(io_, [this, probe, result, detail] { done_(probe, result, detail); });
    return;
  }
  std::string request;
  if (check.type == ProbeType::http) {
    request = std::string{check.method == ProbeMethod::head ? "HEAD " : "GET "} + check.path +
              " HTTP/1.1\r\nHost: " + host +
              "\r\nUser-Agent: lbd-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  }
  auto attempt = std::make_unique<Attempt>(*this, probe, fd,
                                           tls == nullptr ? nullptr : tls->connect(host, nullptr),
                                           header, std::move(request));
  Attempt& started = *attempt;
  attempts_[probe] = std::move(attempt);
  spawn(started.run());
}

void Prober::abandon(const ProbeId& probe) {
  const auto place = attempts_.find(probe);
  if (place != attempts_.end()) place->second->abandon();
}

void Prober::abandon_all() {
  for (auto& [_, attempt] : attempts_) attempt->abandon();
}

}  // namespace lb::net
