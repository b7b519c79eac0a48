// IMPLEMENTATION  run() ─▶ serve(): what a request is to become (dispatch.h), then an answer of our
//   own or one of a backend (forwarding.h), then the books. How requests and answers are framed is
//   Http1Client's.
#include "lbnet/http_session.h"

#include <algorithm>
#include <string>

#include "lbcore/routing/host.h"
#include "lbnet/clock.h"
#include "lbnet/dispatch.h"
#include "lbnet/forwarding.h"
#include "lbnet/http1_client.h"
#include "lbnet/tls/client_fields.h"
#include "lbnet/tls/server_context.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

class HttpSession final : public Session {
 public:
  HttpSession(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
              const Endpoint& peer)
      : worker_(worker),
        current_(std::move(current)),
        setup_(current_->setup),
        address_(address_of(peer)),
        id_(worker.add_session(this)),
        client_(worker, std::move(down), id_),
        counters_(worker.counters(setup_->name)) {
    client_.use(*setup_);
    const bool asks = tls() != nullptr && setup_->tls && setup_->tls->asks_for_certificates();
    if (asks) certificate_fields_ = tls::client_fields(*tls());
    ++counters_.connections;
    ++counters_.connections_active;
  }
  ~HttpSession() {
    --counters_.connections_active;
    worker_.remove_session(id_);
  }

  Task<void> run();

  void deadline_passed(DeadlineKind) override { client_.deadline_passed(); }
  void drain() override {
    if (client_.idle()) client_.cancel();
  }
  void abort() override {
    aborting_ = true;
    client_.cancel();
    if (forwarding_ != nullptr) forwarding_->abort();
  }

 private:
  Task<void> serve();
  void take_note(const http::RequestHead& head);
  [[nodiscard]] int examine(const http::RequestHead& head);
  Task<void> refuse(int status);
  Task<void> answer_by_route();
  Task<void> forward(ClusterRuntime& cluster);
  void account(const Exchange* exchange);
  [[nodiscard]] ClientIdentity client() const {
    return {address_, address_key_, tls() != nullptr, certificate_fields_};
  }
  // Null on a plain connection.
  [[nodiscard]] const TlsFacts* tls() const { return client_.stream().tls_facts(); }
  [[nodiscard]] bool misdirected(const http::RequestHead& head) const;

  Worker& worker_;
  std::shared_ptr<const CurrentSetup> current_;
  std::shared_ptr<const ListenerSetup> setup_;  // As it was when the request came.
  std::string address_;
  HashKey address_key_ = hash_bytes(address_);
  SessionId id_;
  Http1Client client_;
  std::string certificate_fields_;  // Of the client's certificate, where clients are asked.
  ListenerCounters& counters_;
  bool aborting_ = false;  // The daemon will not wait for us any longer.
  Forwarding* forwarding_ = nullptr;

  // -- The request being served
  Dispatch dispatch_;
  int status_ = 0;                      // What the client was answered; 0 so far.
  std::string_view outcome_;            // Of an answer of our own.
  Duration retry_after_{};              // Refused by the rate limit: when to come back.
  std::string method_, target_, host_;  // For the log, when there is one.
};

Task<void> HttpSession::run() {
  for (;;) {
    const Http1Client::Read read = co_await client_.read_request();
    if (read == Http1Client::Read::closed) break;
    if (setup_ != current_->setup) {
      setup_ = current_->setup;
      client_.use(*setup_);
    }
    dispatch_.reset();
    status_ = 0;
    outcome_ = {};
    retry_after_ = {};
    method_.clear();
    if (read == Http1Client::Read::request) {
      co_await serve();
    } else {
      co_await refuse(client_.refusal());
    }
    client_.end_request();
    if (!client_.goes_on() || aborting_) break;
  }
  if (!aborting_) co_await client_.linger();
}

Task<void> HttpSession::serve() {
  const http::RequestHead& head = worker_.request_head();
  if (worker_.access_log().enabled()) take_note(head);
  if (const int status = examine(head); status != 0) co_return co_await refuse(status);
  if (dispatch_.way() != Dispatch::Way::forward) co_return co_await answer_by_route();
  ClusterRuntime* cluster = worker_.cluster(dispatch_.cluster());
  if (cluster == nullptr) co_return co_await refuse(503);
  co_await forward(*cluster);
}

void HttpSession::take_note(const http::RequestHead& head) {
  method_ = head.method;
  target_ = head.target;
  host_ = head.host;
}

// What becomes of it. 0, or the status that refuses it.
int HttpSession::examine(const http::RequestHead& head) {
  if (misdirected(head)) return 421;
  retry_after_ = over_rate(worker_, head, client());
  if (retry_after_ > Duration{}) return 429;
  return dispatch_.decide(worker_, *setup_, head, client()) ? 0 : 400;
}

// A host that has another certificate than the one the client asked for, and has seen, may ask
// other things of its clients too (RFC 9110, section 7.4).
bool HttpSession::misdirected(const http::RequestHead& head) const {
  if (tls() == nullptr || tls()->sni.empty() || !setup_->tls) return false;
  const std::string_view host = without_final_dot(host_of(head.host));
  return !equal_in_any_case(host, tls()->sni) && !setup_->tls->same_certificate(tls()->sni, host);
}

// A client that only came too often may go on; after anything else it is not clear what follows.
Task<void> HttpSession::refuse(int status) {
  status_ = status;
  outcome_ = status == 429 ? "rate_limited" : "rejected";
  if (status == 429) {
    ++counters_.rate_limited;
    static_cast<void>(client_.take_request(worker_.request_head()));
  } else {
    ++counters_.rejected;
    client_.end_after_this();
  }
  co_await client_.answer(status, retry_after_);
  account(nullptr);
}

// In the words of the route, or with 404 for want of one.
Task<void> HttpSession::answer_by_route() {
  const int bad = client_.take_request(worker_.request_head());
  if (bad != 0) co_return co_await refuse(bad);
  if (dispatch_.way() == Dispatch::Way::nowhere) {
    ++counters_.not_routed;
    outcome_ = "not_routed";
    status_ = 404;
    co_await client_.answer(status_);
  } else {
    const bool redirects = dispatch_.way() == Dispatch::Way::redirect;
    ++(redirects ? counters_.redirected : counters_.responded);
    outcome_ = redirects ? "redirected" : "responded";
    const http::RouteAnswer answer = dispatch_.answer();
    status_ = answer.status;
    co_await client_.answer(answer, dispatch_.answer_body());
  }
  account(nullptr);
}

Task<void> HttpSession::forward(ClusterRuntime& cluster) {
  const http::RequestHead& head = worker_.request_head();
  Forwarding forwarding(worker_, client_, cluster);
  const bool fits =
      forwarding.take_head(head, address_, dispatch_.changes(), dispatch_.answer_changes());
  const RequestInput input = dispatch_.input(worker_, head, client());
  const int status = fits ? client_.take_request(head) : 431;
  if (status != 0) co_return co_await refuse(status);
  forwarding_ = &forwarding;
  status_ = co_await forwarding.run(input);
  forwarding_ = nullptr;
  account(&forwarding.exchange());
}

// ---------------------------------------------------------------------------------------------
// The books

void HttpSession::account(const Exchange* exchange) {
  // RFC 9110, section 15: a status of no known class counts as one of the server's faults.
  ++counters_.answers[std::min<std::size_t>(static_cast<std::size_t>(status_) / 100, 5)];
  counters_.bytes_in += client_.bytes_in();
  counters_.bytes_out += client_.bytes_out();
  const Duration total = client_.began() == Instant{} ? Duration{} : now() - client_.began();
  counters_.durations.add(total);
  if (!worker_.access_log().enabled()) return;
  AccessRecord record;
  record.listener = setup_->name;
  record.client = address_;
  record.method = method_;
  record.target = target_;
  record.host = host_;
  if (dispatch_.route() != nullptr) record.route = dispatch_.route()->label;
  record.status = status_;
  record.outcome = outcome_;
  if (const TlsFacts* facts = tls()) {
    record.tls_version = facts->version;
    record.tls_cipher = facts->cipher;
    record.sni = facts->sni;
  }
  record.bytes_in = client_.bytes_in();
  record.bytes_out = client_.bytes_out();
  if (exchange != nullptr) exchange->describe(record);
  record.times.request = client_.head_time();
  record.times.total = total;
  worker_.access_log().write(record);
}

Task<void> serve_connection(Worker& worker, std::shared_ptr<const CurrentSetup> current,
                            Stream down, Endpoint peer) {
  HttpSession session(worker, std::move(current), std::move(down), peer);
  co_await session.run();
}

}  // namespace

void start_http_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                        const Endpoint& peer) {
  spawn(serve_connection(worker, std::move(current), std::move(down), peer));
}

}  // namespace lb::net
