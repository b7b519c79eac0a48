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
#include "lbnet/http/origin.h"
#include "lbnet/http/request_ids.h"
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
    go_by_setup();
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
  // What there is of a request while it is served; many connections are idle and have none.
  struct Request {
    explicit Request(Worker& worker)
        : message(worker.buffers()), texts(worker.request_texts()), dispatch(texts) {}

    Http1Client::Message message;
    BorrowedTexts texts;
    Dispatch dispatch;
    ClientIdentity client;
    int status = 0;            // What the client was answered; 0 so far.
    std::string_view outcome;  // Of an answer of our own.
    Duration retry_after{};    // Refused by the rate limit: when to come back.
    Instant ended;             // When its answer was out.
  };

  Task<void> serve(Http1Client::Read read);
  Task<void> serve(Request& request);
  void take_note(const http::RequestHead& head, RequestTexts& texts);
  [[nodiscard]] int examine(Request& request);
  Task<void> refuse(Request& request, int status);
  Task<void> answer_by_route(Request& request);
  Task<void> forward(Request& request, ClusterRuntime& cluster);
  void account(Request& request, const Exchange* exchange);
  void go_by_setup();
  [[nodiscard]] ClientIdentity identify(BorrowedTexts& texts) const;
  // Null on a plain connection.
  [[nodiscard]] const TlsFacts* tls() const { return client_.stream().tls_facts(); }
  [[nodiscard]] bool misdirected(const http::RequestHead& head) const;

  Worker& worker_;
  std::shared_ptr<const CurrentSetup> current_;
  std::shared_ptr<const ListenerSetup> setup_;  // As it was when the request came.
  std::string address_;
  HashKey address_key_ = hash_bytes(address_);
  bool trusted_ = false;  // The peer is, by the setup.
  SessionId id_;
  Http1Client client_;
  std::string certificate_fields_;  // Of the client's certificate, where clients are asked.
  ListenerCounters& counters_;
  bool aborting_ = false;  // The daemon will not wait for us any longer.
  Forwarding* forwarding_ = nullptr;
};

Task<void> HttpSession::run() {
  for (;;) {
    const Http1Client::Read read = co_await client_.read_request();
    if (read == Http1Client::Read::closed) break;
    if (setup_ != current_->setup) {
      setup_ = current_->setup;
      go_by_setup();
    }
    co_await serve(read);
    if (!client_.goes_on() || aborting_) break;
  }
  if (!aborting_) co_await client_.linger();
}

Task<void> HttpSession::serve(Http1Client::Read read) {
  Request request(worker_);
  client_.serve_with(request.message);
  if (read == Http1Client::Read::request) {
    co_await serve(request);
  } else {
    co_await refuse(request, client_.refusal());
  }
  client_.end_request(request.ended);
}

Task<void> HttpSession::serve(Request& request) {
  if (worker_.access_log().enabled()) take_note(worker_.request_head(), *request.texts);
  if (const int status = examine(request); status != 0) co_return co_await refuse(request, status);
  const Dispatch& dispatch = request.dispatch;
  if (dispatch.way() != Dispatch::Way::forward) co_return co_await answer_by_route(request);
  ClusterRuntime* cluster = worker_.cluster(dispatch.cluster());
  if (cluster == nullptr) co_return co_await refuse(request, 503);
  co_await forward(request, *cluster);
}

void HttpSession::go_by_setup() {
  client_.use(*setup_);
  trusted_ = !setup_->trusted_proxies.empty() && setup_->trusted_proxies.trusts_peer(address_);
}

// Whose the request is: the peer's, unless that is a proxy whose word is believed.
ClientIdentity HttpSession::identify(BorrowedTexts& texts) const {
  const bool secure = tls() != nullptr;
  ClientIdentity client{.address = address_,
                        .key = address_key_,
                        .secure = secure,
                        .peer_secure = secure,
                        .peer_trusted = trusted_,
                        .certificate_fields = certificate_fields_};
  if (!trusted_) return client;
  const http::Origin origin =
      http::find_origin(worker_.request_head().fields, setup_->forwarded, setup_->trusted_proxies);
  if (origin.secure) client.secure = *origin.secure;
  if (origin.address) {
    texts->client = origin.address->text().view();
    client.address = texts->client;
    client.key = hash_bytes(client.address);
  }
  return client;
}

void HttpSession::take_note(const http::RequestHead& head, RequestTexts& texts) {
  texts.method = head.method;
  texts.target = head.target;
  texts.host = head.host;
}

// What becomes of it. 0, or the status that refuses it.
int HttpSession::examine(Request& request) {
  const http::RequestHead& head = worker_.request_head();
  if (misdirected(head)) return 421;
  request.client = identify(request.texts);
  request.retry_after = over_rate(worker_, head, request.client);
  if (request.retry_after > Duration{}) return 429;
  return request.dispatch.decide(worker_, *setup_, head, request.client) ? 0 : 400;
}

// A host that has another certificate than the one the client asked for, and has seen, may ask
// other things of its clients too (RFC 9110, section 7.4).
bool HttpSession::misdirected(const http::RequestHead& head) const {
  if (tls() == nullptr || tls()->sni.empty() || !setup_->tls) return false;
  const std::string_view host = without_final_dot(host_of(head.host));
  return !equal_in_any_case(host, tls()->sni) && !setup_->tls->same_certificate(tls()->sni, host);
}

// A client that only came too often may go on; after anything else it is not clear what follows.
Task<void> HttpSession::refuse(Request& request, int status) {
  request.status = status;
  request.outcome = status == 429 ? "rate_limited" : "rejected";
  if (status == 429) {
    ++counters_.rate_limited;
    static_cast<void>(client_.take_request(worker_.request_head()));
  } else {
    ++counters_.rejected;
    client_.end_after_this();
  }
  co_await client_.answer(status, request.retry_after);
  account(request, nullptr);
}

// In the words of the route, or with 404 for want of one.
Task<void> HttpSession::answer_by_route(Request& request) {
  const int bad = client_.take_request(worker_.request_head());
  if (bad != 0) co_return co_await refuse(request, bad);
  const Dispatch& dispatch = request.dispatch;
  if (dispatch.way() == Dispatch::Way::nowhere) {
    ++counters_.not_routed;
    request.outcome = "not_routed";
    request.status = 404;
    co_await client_.answer(request.status);
  } else {
    const bool redirects = dispatch.way() == Dispatch::Way::redirect;
    ++(redirects ? counters_.redirected : counters_.responded);
    request.outcome = redirects ? "redirected" : "responded";
    const http::RouteAnswer answer = dispatch.answer();
    request.status = answer.status;
    co_await client_.answer(answer, dispatch.answer_body());
  }
  account(request, nullptr);
}

Task<void> HttpSession::forward(Request& request, ClusterRuntime& cluster) {
  const http::RequestHead& head = worker_.request_head();
  const Dispatch& dispatch = request.dispatch;
  Forwarding forwarding(worker_, client_, cluster);
  const bool fits =
      forwarding.take_head(head, address_, dispatch.changes(), dispatch.answer_changes());
  RequestInput input = dispatch.input(worker_, head, request.client);
  const int status = fits ? client_.take_request(head) : 431;
  if (status != 0) co_return co_await refuse(request, status);
  input.repeatable = head.idempotent() && client_.body_complete();
  forwarding_ = &forwarding;
  request.status = co_await forwarding.run(input, client_.heard());
  forwarding_ = nullptr;
  request.ended = forwarding.ended();
  account(request, &forwarding.exchange());
}

// ---------------------------------------------------------------------------------------------
// The books

void HttpSession::account(Request& request, const Exchange* exchange) {
  // RFC 9110, section 15: a status of no known class counts as one of the server's faults.
  ++counters_.answers[std::min<std::size_t>(static_cast<std::size_t>(request.status) / 100, 5)];
  counters_.bytes_in += client_.bytes_in();
  counters_.bytes_out += client_.bytes_out();
  if (request.ended == Instant{}) request.ended = now();
  const Duration total =
      client_.began() == Instant{} ? Duration{} : request.ended - client_.began();
  counters_.durations.add(total);
  if (!worker_.access_log().enabled()) return;
  AccessRecord record;
  record.listener = setup_->name;
  record.client = request.client.address.empty() ? address_ : request.client.address;
  record.method = request.texts->method;
  record.target = request.texts->target;
  record.host = request.texts->host;
  if (request.dispatch.route() != nullptr) record.route = request.dispatch.route()->label;
  record.request_id = request.texts->request_id;
  record.trace_id = http::trace_id(request.texts->traceparent);
  record.status = request.status;
  record.outcome = request.outcome;
  if (const TlsFacts* facts = tls()) {
    record.tls_version = facts->version;
    record.tls_cipher = facts->cipher;
    record.sni = facts->sni;
  }
  record.bytes_in = client_.bytes_in();
  record.bytes_out = client_.bytes_out();
  if (exchange != nullptr) exchange->describe(record);
  record.times.request =
      client_.heard() == Instant{} ? Duration{} : client_.heard() - client_.began();
  record.times.total = total;
  worker_.access_log().write(record);
}

// By reference, since all of it is taken before anything is awaited: an idle connection has this
// coroutine's frame, and would have it all twice.
Detached serve_connection(Worker& worker, std::shared_ptr<const CurrentSetup>& current,
                          Stream& down, const Endpoint& peer) {
  HttpSession session(worker, std::move(current), std::move(down), peer);
  co_await session.run();
}

}  // namespace

void start_http_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                        const Endpoint& peer) {
  serve_connection(worker, current, down, peer);
}

}  // namespace lb::net
