// IMPLEMENTATION  The straight way through this file is run() ─▶ read_head() ─▶ serve() ─▶
//   attempt() ─▶ deliver(). A request whose body is not at hand in full has a second coroutine,
//   pump_body(), which carries the rest of it to the backend while attempt() waits for the answer.
#include "lbnet/http_session.h"

#include <algorithm>

#include "lbnet/clock.h"
#include "lbnet/exchange.h"
#include "lbnet/http/body_decoder.h"
#include "lbnet/http/head_parser.h"
#include "lbnet/http/head_writer.h"
#include "lbnet/http/outgoing.h"
#include "lbnet/http/request_view.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kInterimMax = 100;
constexpr Duration kLingerTime = std::chrono::seconds{1};

class HttpSession final : public Session {
 public:
  HttpSession(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
              const Endpoint& peer)
      : worker_(worker),
        current_(std::move(current)),
        setup_(current_->setup),
        down_(std::move(down)),
        in_(worker.buffers()),
        out_(worker.buffers()),
        client_(address_of(peer)),
        client_key_(hash_bytes(client_)),
        id_(worker.add_session(this)),
        counters_(worker.counters(setup_->name)) {
    ++counters_.connections;
    ++counters_.connections_active;
  }
  ~HttpSession() {
    worker_.cancel_deadline(deadline_);
    --counters_.connections_active;
    worker_.remove_session(id_);
  }

  Task<void> run();

  void deadline_passed(DeadlineKind) override {
    late_ = true;
    down_.cancel();
  }
  void drain() override {
    if (between_requests_) down_.cancel();
  }
  void abort() override {
    aborting_ = true;
    down_.cancel();
    if (exchange_ != nullptr && !exchange_->over()) {
      exchange_->abort_attempt(AttemptFailure::drain_timeout);
    }
  }

 private:
  // How reading a head ended.
  enum class HeadResult { complete, closed, refused };
  // How an attempt ended.
  enum class Attempted { delivered, retry, over };
  // How carrying a request's body ended.
  enum class Pumped { complete, client_gone, malformed, too_large, upstream_broke, stopped };

  Task<HeadResult> read_head();
  HeadResult refuse_head(int status);
  Task<bool> serve();
  bool accept_request();
  // What becomes of a request, as the listener and its routes have it.
  enum class Way { forward, nowhere, redirect, respond };
  [[nodiscard]] bool choose_way(const http::RequestHead& head, http::RequestChanges& changes);
  void follow_route(const Routed& routed, const RequestAttributes& request,
                    http::RequestChanges& changes);
  Task<void> answer_by_route();
  Task<void> send_route_answer();
  [[nodiscard]] std::string_view own_outcome() const;
  [[nodiscard]] Duration over_rate(const http::RequestHead& head);
  void describe_to_brain(const http::RequestHead& head);
  [[nodiscard]] std::string_view session_field(const Exchange& exchange) const;
  Task<void> exchange_request(Exchange& exchange);
  Task<Attempted> attempt(Exchange& exchange);
  Task<IoError> send_request(Exchange& exchange);
  Task<bool> read_answer_head(AttemptFailure& failure);
  Task<bool> pass_interim_on();
  Task<void> deliver(Exchange& exchange);
  Task<bool> deliver_body(Exchange& exchange, bool chunked);
  void finish_delivery(Exchange& exchange, int status, bool reusable);
  Task<void> pump_body(Exchange& exchange);
  Task<Pumped> pump_until_done(Exchange& exchange);
  Task<void> stop_pump();
  // The request will never be complete: no answer is worth waiting for.
  [[nodiscard]] bool hopeless() const {
    return pumped_ == Pumped::client_gone || pumped_ == Pumped::malformed ||
           pumped_ == Pumped::too_large;
  }
  Task<Attempted> attempt_failed(Exchange& exchange, AttemptFailure failure);
  Task<void> answer_ourselves(int status);
  Task<IoError> write_down(Pieces pieces);
  Task<void> linger();
  void account(const Exchange* exchange);

  [[nodiscard]] AttemptFacts facts(bool request_sent, bool answer_begun) const {
    return {.request_sent = request_sent,
            .idempotent = idempotent_,
            .body_replayable = !pump_started_,
            .answer_begun = answer_begun};
  }
  void set_deadline(DeadlineKind kind, Duration timeout) {
    worker_.cancel_deadline(deadline_);
    deadline_ = worker_.set_deadline(kind, now() + timeout, id_);
  }

  Worker& worker_;
  std::shared_ptr<const CurrentSetup> current_;
  std::shared_ptr<const ListenerSetup> setup_;  // As it was when the request came.
  Stream down_;
  Buffer in_;   // From the client.
  Buffer out_;  // Heads on their way: the request's, then the answer's.
  std::string client_;
  HashKey client_key_;
  SessionId id_;
  ListenerCounters& counters_;
  DeadlineId deadline_;
  bool late_ = false;      // Our deadline has passed.
  bool cut_ = false;       // The client got a part of an answer: a clean end would hide it.
  bool aborting_ = false;  // The daemon will not wait for us any longer.
  bool between_requests_ = false;
  http::HeadScanner scanner_;
  Exchange* exchange_ = nullptr;

  // -- The request being served
  Instant began_;
  bool keep_alive_ = false;  // The connection may serve another request after this one.
  bool is_head_ = false;
  bool idempotent_ = false;
  bool expects_continue_ = false;
  int minor_version_ = 1;
  bool chunked_body_ = false;
  http::BodyDecoder body_;
  http::BodyDecoder::Decoded first_;  // What of the body came with the head.
  bool pump_started_ = false;         // Body bytes have gone that we do not have any more.
  bool pumping_ = false;
  bool pump_must_stop_ = false;
  Pumped pumped_ = Pumped::complete;
  Signal pump_ended_;
  int status_ = 0;          // What the client was answered; 0 so far.
  Duration retry_after_{};  // Refused by the rate limit: when to come back.
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  Duration head_time_{};
  std::string method_, target_, host_;  // For the log, when there is one.
  Way way_ = Way::forward;
  const Route* route_ = nullptr;  // In setup_; null where there are none, or none fits.
  ClusterId cluster_;
  RequestInput input_;    // What the brain is told of it.
  std::string location_;  // Of a redirect.

  // -- Its answer
  Upstream* upstream_ = nullptr;
  http::HeadScanner answer_scanner_;
  http::BodyDecoder answer_body_;
};

// ---------------------------------------------------------------------------------------------
// Requests, one after the other

Task<void> HttpSession::run() {
  for (;;) {
    const HeadResult result = co_await read_head();
    if (result == HeadResult::closed) break;
    bool goes_on = false;
    if (result == HeadResult::complete) {
      goes_on = co_await serve();
    } else {
      co_await answer_ourselves(status_);
      account(nullptr);
    }
    if (goes_on && !aborting_) continue;
    if (!cut_) co_await linger();
    break;
  }
}

Task<HttpSession::HeadResult> HttpSession::read_head() {
  scanner_.reset();
  status_ = 0;
  retry_after_ = {};
  late_ = false;
  began_ = {};
  bool head_is_timed = false;
  for (;;) {
    if (!in_.empty()) {
      if (began_ == Instant{}) began_ = now();
      const auto found = scanner_.scan(in_.view());
      if (found == http::HeadScanner::Result::malformed) co_return refuse_head(400);
      if (scanner_.first_line_size() > http::kRequestLineMax) co_return refuse_head(414);
      if (found == http::HeadScanner::Result::complete) break;
      if (in_.full()) co_return refuse_head(431);
      // One deadline for the whole head, from its first byte. Most heads come in one piece and
      // need none.
      if (!head_is_timed) set_deadline(DeadlineKind::head, setup_->head_timeout);
      head_is_timed = true;
    }
    between_requests_ = in_.empty();
    if (between_requests_ && worker_.stopping()) co_return HeadResult::closed;
    if (between_requests_) {
      set_deadline(DeadlineKind::idle, setup_->idle_timeout);
      in_.rest();
    }
    const IoError error = co_await down_.read_into(in_);
    // A deadline that passes while bytes are on their way up to us finds nothing to cancel. For an
    // idle client they came at the last moment; an unfinished head is late all the same.
    if (between_requests_) late_ = false;
    between_requests_ = false;
    if (late_ && (error == 0 || error == ECANCELED)) co_return refuse_head(408);
    if (error != 0 || aborting_) co_return HeadResult::closed;
  }
  worker_.cancel_deadline(deadline_);
  head_time_ = now() - began_;
  co_return HeadResult::complete;
}

HttpSession::HeadResult HttpSession::refuse_head(int status) {
  worker_.cancel_deadline(deadline_);
  status_ = status;
  is_head_ = false;
  keep_alive_ = false;
  way_ = Way::forward;
  route_ = nullptr;
  method_.clear();
  bytes_in_ = bytes_out_ = 0;
  ++counters_.rejected;
  return HeadResult::refused;
}

// One request. True when the connection may serve another.
Task<bool> HttpSession::serve() {
  if (!accept_request()) {
    ++(retry_after_ > Duration{} ? counters_.rate_limited : counters_.rejected);
    co_await answer_ourselves(status_);
    account(nullptr);
    co_return keep_alive_;
  }
  if (way_ != Way::forward) {
    co_await answer_by_route();
    account(nullptr);
    co_return keep_alive_;
  }
  ClusterRuntime* cluster = worker_.cluster(cluster_);
  if (cluster == nullptr) {
    co_await answer_ourselves(503);
    account(nullptr);
    co_return false;
  }
  Exchange exchange(*cluster);
  exchange.also_cancel(&down_);
  exchange_ = &exchange;
  co_await exchange_request(exchange);
  exchange_ = nullptr;
  account(&exchange);
  out_.clear();
  out_.rest();
  co_return keep_alive_;
}

// Takes the parsed head in, as far as it is needed later, and writes the one the backend gets.
// False with status_ set when the request is not one to serve; keep_alive_ says then whether the
// connection is in order all the same.
bool HttpSession::accept_request() {
  http::RequestHead& head = worker_.request_head();
  const std::string_view bytes = in_.view();
  if (setup_ != current_->setup) setup_ = current_->setup;
  keep_alive_ = is_head_ = false;
  way_ = Way::forward;
  route_ = nullptr;
  method_.clear();
  bytes_in_ = bytes_out_ = 0;
  status_ = scanner_.end() > http::kHeadMax
                ? 431
                : http::parse_request_head(
                      bytes.substr(scanner_.start(), scanner_.end() - scanner_.start()), head);
  if (status_ != 0) return false;
  is_head_ = head.is_head();
  idempotent_ = head.idempotent();
  minor_version_ = head.minor_version;
  expects_continue_ = head.expects_continue;
  chunked_body_ = head.framing.kind == http::Framing::Kind::chunked;
  if (worker_.access_log().enabled()) {
    method_ = head.method;
    target_ = head.target;
    host_ = head.host;
  }
  retry_after_ = over_rate(head);
  if (retry_after_ > Duration{}) {
    status_ = 429;
    // A body that is not read stands between this request and the next.
    keep_alive_ = head.persistent() && head.framing.kind == http::Framing::Kind::none;
    if (keep_alive_) in_.consume(scanner_.end());
    return false;
  }
  if (setup_->max_body > 0 && head.framing.length > setup_->max_body) status_ = 413;
  http::RequestChanges changes;
  if (status_ == 0 && !choose_way(head, changes)) status_ = 400;
  const bool forwards = status_ == 0 && way_ == Way::forward;
  if (forwards && !http::write_request_head(head, client_, out_, changes)) status_ = 431;
  if (status_ != 0) return false;
  if (forwards) describe_to_brain(head);
  body_ = http::BodyDecoder(head.framing);
  in_.consume(scanner_.end());
  first_ = {};
  if (!body_.done() && !in_.empty()) first_ = body_.decode(in_);
  if (first_.malformed) status_ = 400;
  bytes_in_ = first_.data.size();
  if (setup_->max_body > 0 && bytes_in_ > setup_->max_body) status_ = 413;
  pump_started_ = pumping_ = false;
  pumped_ = Pumped::complete;
  keep_alive_ = status_ == 0 && head.persistent();
  return status_ == 0;
}

// The key for strategies that hash, and whom the affinity cookie names. Most clusters need to look
// at no field for it.
void HttpSession::describe_to_brain(const http::RequestHead& head) {
  input_ = {
      .key = client_key_, .pooled = true, .priority = route_ == nullptr ? 0 : route_->priority};
  const ClusterRuntime* cluster = worker_.cluster(cluster_);
  if (cluster == nullptr) return;
  const bool by_client = cluster->key_expression().source == KeyExpression::Source::client_ip;
  const AffinityCookies* cookies = cluster->affinity();
  if (by_client && cookies == nullptr) return;
  const http::RequestView view(head, client_);
  const RequestAttributes request = view.attributes();
  if (!by_client) input_.key = key_of(cluster->key_expression(), request);
  if (cookies == nullptr) return;
  if (const auto value = request.cookie(cookies->name())) {
    input_.session = cookies->backend_of(*value);
  }
}

// How long the client has to wait; 0 when its request may go on.
Duration HttpSession::over_rate(const http::RequestHead& head) {
  const RateLimitConfig* limit = worker_.rate_limit();
  if (limit == nullptr) return {};
  if (limit->key.source == KeyExpression::Source::client_ip) return worker_.over_rate(client_key_);
  http::RequestView view(head, client_);
  return worker_.over_rate(key_of(limit->key, view.attributes()));
}

// ---------------------------------------------------------------------------------------------
// Routes

// False when the path is not one to look at: see Routed::Result::bad_path.
bool HttpSession::choose_way(const http::RequestHead& head, http::RequestChanges& changes) {
  cluster_ = setup_->cluster;
  if (!setup_->routes) return true;
  const http::RequestView view(head, client_);
  const RequestAttributes request = view.attributes();
  const Routed routed = setup_->routes->route(request, worker_.path_scratch());
  if (routed.result == Routed::Result::bad_path) return false;
  way_ = Way::nowhere;
  if (routed) follow_route(routed, request, changes);
  return true;
}

void HttpSession::follow_route(const Routed& routed, const RequestAttributes& request,
                               http::RequestChanges& changes) {
  route_ = routed.route;
  if (route_->redirect) {
    way_ = Way::redirect;
    return route_->redirect->write_location({.scheme = "http",
                                             .authority = worker_.request_head().host,
                                             .path = routed.path,
                                             .query = request.query},
                                            location_);
  }
  way_ = route_->respond ? Way::respond : Way::forward;
  if (way_ == Way::respond) return;
  cluster_ = route_->split->pick(request, route_->split->trivial() ? 0 : worker_.draw());
  changes.host = route_->rewritten_host;
  changes.rules = &route_->request_headers;
  if (route_->rewrite.empty()) return;
  std::string& target = worker_.target_scratch();
  route_->rewrite.apply(routed.path, target);
  if (!request.query.empty()) target.append("?").append(request.query);
  changes.target = target;
}

// In the words of the route, or with 404 for want of one.
Task<void> HttpSession::answer_by_route() {
  // A body that was not read stands between this request and the next.
  if (!body_.done()) keep_alive_ = false;
  if (way_ == Way::nowhere) {
    ++counters_.not_routed;
    co_await answer_ourselves(404);
  } else {
    ++(way_ == Way::redirect ? counters_.redirected : counters_.responded);
    co_await send_route_answer();
  }
  if (body_.done()) in_.consume(first_.raw);
}

Task<void> HttpSession::send_route_answer() {
  if (worker_.stopping() || minor_version_ == 0) keep_alive_ = false;
  http::RouteAnswer answer;
  answer.rules = &route_->response_headers;
  answer.close = !keep_alive_;
  std::string_view body;
  if (way_ == Way::redirect) {
    answer.status = route_->redirect->status();
    answer.location = location_;
  } else {
    answer.status = route_->respond->status;
    answer.content_type = route_->respond->content_type;
    body = route_->respond->body;
    answer.body_size = body.size();
  }
  Buffer head(worker_.buffers());
  if (!http::write_route_answer(answer, head)) co_return co_await answer_ourselves(500);
  status_ = answer.status;
  if (is_head_) body = {};
  bytes_out_ = body.size();
  const std::array<std::string_view, 2> pieces{head.view(), body};
  const std::size_t count = body.empty() ? 1 : 2;
  if (co_await write_down({pieces.data(), count}) != 0) keep_alive_ = false;
}

std::string_view HttpSession::own_outcome() const {
  if (retry_after_ > Duration{}) return "rate_limited";
  switch (way_) {
    case Way::forward: break;
    case Way::nowhere: return "not_routed";
    case Way::redirect: return "redirected";
    case Way::respond: return "responded";
  }
  return "rejected";
}

// ---------------------------------------------------------------------------------------------
// Attempts

Task<void> HttpSession::exchange_request(Exchange& exchange) {
  worker_.note_load();
  bool ready = exchange.start(input_);
  if (ready && exchange.queued()) ready = co_await exchange.next_attempt();
  while (ready) {
    const Attempted result = co_await attempt(exchange);
    if (result != Attempted::retry) break;
    ready = co_await exchange.next_attempt();
    if (ready && aborting_) {
      exchange.finish(Outcome::client_gone, false);
      break;
    }
  }
  if (status_ == 0 && exchange.outcome() != Outcome::client_gone) {
    // A body that was not read stands between this request and the next.
    if (!body_.done() || pump_started_) keep_alive_ = false;
    co_await answer_ourselves(status_for(exchange.outcome()));
  }
  if (!pump_started_ && body_.done()) in_.consume(first_.raw);
}

Task<HttpSession::Attempted> HttpSession::attempt(Exchange& exchange) {
  if (co_await exchange.connect() != 0) {
    const bool again = exchange.failed(AttemptFailure::connect_failure, facts(false, false));
    co_return again ? Attempted::retry : Attempted::over;
  }
  upstream_ = &exchange.upstream();
  if (co_await send_request(exchange) != 0 || exchange.aborted()) {
    co_return co_await attempt_failed(exchange, AttemptFailure::reset);
  }
  AttemptFailure failure = AttemptFailure::reset;
  if (!co_await read_answer_head(failure)) {
    co_return co_await attempt_failed(exchange, failure);
  }
  if (!exchange.answered(worker_.response_head().status, facts(true, false))) {
    co_return Attempted::retry;
  }
  co_await deliver(exchange);
  co_return Attempted::delivered;
}

// The head and what of the body is at hand, in one write. More of it is left to the pump.
Task<IoError> HttpSession::send_request(Exchange& exchange) {
  http::Outgoing outgoing(chunked_body_);
  outgoing.set_head(out_.view());
  outgoing.set_body(first_.data, body_.done());
  const bool written = upstream_->stream.try_write(outgoing.pieces());
  const IoError error =
      written ? upstream_->stream.write_error() : co_await upstream_->stream.finish_write();
  if (error != 0) co_return error;
  if (body_.done()) {
    exchange.sent();
    co_return 0;
  }
  // Not by the pump: it must not write to a client that may be getting its answer meanwhile.
  if (expects_continue_) {
    const IoError client_error = co_await write_down({&kContinue, 1});
    if (client_error != 0 && !exchange.aborted()) pumped_ = Pumped::client_gone;
    if (client_error != 0) co_return client_error;
  }
  spawn(pump_body(exchange));
  co_return 0;
}

// True when worker_.response_head() holds the head of a final answer, with its bytes in front of
// the upstream's buffer. False with the failure otherwise.
Task<bool> HttpSession::read_answer_head(AttemptFailure& failure) {
  answer_scanner_.reset();
  for (int interims = 0;;) {
    if (!upstream_->in.empty()) {
      const std::string_view bytes = upstream_->in.view();
      const auto found = answer_scanner_.scan(bytes);
      failure = AttemptFailure::invalid_answer;
      if (found == http::HeadScanner::Result::malformed) co_return false;
      if (found == http::HeadScanner::Result::incomplete && upstream_->in.full()) co_return false;
      if (found == http::HeadScanner::Result::complete) {
        http::ResponseHead& answer = worker_.response_head();
        const std::string_view head = bytes.substr(0, answer_scanner_.end());
        if (answer_scanner_.start() != 0) co_return false;
        if (!http::parse_response_head(head, is_head_, answer)) co_return false;
        // We never ask for an upgrade, so nobody may switch.
        if (answer.status == 101 || ++interims > kInterimMax) co_return false;
        if (!answer.interim()) co_return true;
        if (answer.status != 100 && !co_await pass_interim_on()) co_return false;
        upstream_->in.consume(answer_scanner_.end());
        answer_scanner_.reset();
        continue;
      }
    }
    failure = AttemptFailure::reset;
    if (co_await upstream_->stream.read_into(upstream_->in) != 0) co_return false;
    // Whoever gave up meanwhile found nothing to cancel: this was on its way up to us.
    if (exchange_->aborted() || hopeless()) co_return false;
  }
}

Task<bool> HttpSession::pass_interim_on() {
  if (minor_version_ == 0) co_return true;
  Buffer interim(worker_.buffers());
  if (!http::write_response_head(worker_.response_head(), {}, interim)) co_return false;
  const std::string_view piece = interim.view();
  co_return co_await write_down({&piece, 1}) == 0;
}

Task<HttpSession::Attempted> HttpSession::attempt_failed(Exchange& exchange,
                                                         AttemptFailure failure) {
  co_await stop_pump();
  switch (pumped_) {
    case Pumped::client_gone:
      exchange.finish(Outcome::client_gone, false);
      keep_alive_ = false;
      co_return Attempted::over;
    case Pumped::malformed:
    case Pumped::too_large:
      exchange.finish(Outcome::client_gone, false);
      keep_alive_ = false;
      co_await answer_ourselves(pumped_ == Pumped::malformed ? 400 : 413);
      co_return Attempted::over;
    default: break;
  }
  co_return exchange.failed(failure, facts(true, false)) ? Attempted::retry : Attempted::over;
}

// ---------------------------------------------------------------------------------------------
// The request's body, when it is longer than what came with the head

Task<void> HttpSession::pump_body(Exchange& exchange) {
  pump_started_ = pumping_ = true;
  pump_must_stop_ = false;
  pump_ended_.reset();
  in_.consume(first_.raw);
  pumped_ = co_await pump_until_done(exchange);
  pumping_ = false;
  worker_.cancel_deadline(deadline_);
  if (hopeless()) upstream_->stream.cancel();  // Whoever waits for the answer has to know.
  pump_ended_.raise();
}

Task<HttpSession::Pumped> HttpSession::pump_until_done(Exchange& exchange) {
  while (!body_.done()) {
    set_deadline(DeadlineKind::idle, setup_->body_timeout);
    const IoError error = co_await down_.read_into(in_);
    worker_.cancel_deadline(deadline_);
    if (pump_must_stop_ || (error == ECANCELED && !late_)) co_return Pumped::stopped;
    if (error != 0) co_return Pumped::client_gone;
    exchange.progress();
    const auto decoded = body_.decode(in_);
    if (decoded.malformed) co_return Pumped::malformed;
    bytes_in_ += decoded.data.size();
    if (setup_->max_body > 0 && bytes_in_ > setup_->max_body) co_return Pumped::too_large;
    http::Outgoing outgoing(chunked_body_);
    outgoing.set_body(decoded.data, body_.done());
    const bool written = upstream_->stream.try_write(outgoing.pieces());
    const IoError write_error =
        written ? upstream_->stream.write_error() : co_await upstream_->stream.finish_write();
    if (pump_must_stop_ || write_error == ECANCELED) co_return Pumped::stopped;
    if (write_error != 0) co_return Pumped::upstream_broke;
    in_.consume(decoded.raw);
  }
  exchange.sent();
  co_return Pumped::complete;
}

Task<void> HttpSession::stop_pump() {
  if (!pumping_) co_return;
  pump_must_stop_ = true;
  down_.cancel();
  upstream_->stream.cancel();
  co_await pump_ended_;
}

// ---------------------------------------------------------------------------------------------
// The answer

Task<void> HttpSession::deliver(Exchange& exchange) {
  const http::ResponseHead& answer = worker_.response_head();
  const int status = answer.status;
  const http::BodyCoding coding = http::coding_for_client(answer, minor_version_);
  const bool known_end =
      coding != http::BodyCoding::as_is || answer.framing.kind == http::Framing::Kind::length;
  if (!known_end || worker_.stopping()) keep_alive_ = false;
  // It answered before it heard us out.
  if ((pumping_ && !body_.done()) || pumped_ != Pumped::complete) keep_alive_ = false;
  bool reusable = answer.persistent() && answer.framing.kind != http::Framing::Kind::until_close;
  answer_body_ = http::BodyDecoder(answer.framing);
  Buffer head(worker_.buffers());
  const http::ResponseOptions options{
      .coding = coding,
      .close = !keep_alive_,
      .keep_alive = keep_alive_ && minor_version_ == 0,
      .rules = route_ == nullptr ? nullptr : &route_->response_headers,
      .session_field = session_field(exchange)};
  if (!http::write_response_head(answer, options, head)) {
    co_await stop_pump();
    static_cast<void>(exchange.failed(AttemptFailure::invalid_answer, facts(true, false)));
    co_return;
  }
  upstream_->in.consume(answer_scanner_.end());

  const bool chunked = coding == http::BodyCoding::chunked;
  http::Outgoing outgoing(chunked);
  http::BodyDecoder::Decoded decoded;
  if (!answer_body_.done() && !upstream_->in.empty()) decoded = answer_body_.decode(upstream_->in);
  outgoing.set_head(head.view());
  outgoing.set_body(decoded.data, answer_body_.done());
  status_ = status;
  const IoError error = co_await write_down(outgoing.pieces());
  const bool client_gone = error != 0 && !exchange.aborted();
  bool good = error == 0 && (answer_body_.done() || !exchange.aborted());
  bytes_out_ += decoded.data.size();
  if (good && decoded.malformed) good = false;
  if (good) upstream_->in.consume(decoded.raw);
  if (good && !answer_body_.done()) {
    head.clear();
    head.rest();
    good = co_await deliver_body(exchange, chunked);
  }
  const bool pump_unfinished = pumping_;
  co_await stop_pump();
  if (exchange.over()) co_return;
  if (client_gone || pumped_ == Pumped::client_gone) {
    keep_alive_ = false;
    exchange.finish(Outcome::client_gone, false);
  } else if (!good) {
    // The client has seen a part: it must not take it for the whole.
    keep_alive_ = false;
    cut_ = true;
    down_.reset_when_destroyed();
    static_cast<void>(exchange.failed(AttemptFailure::reset, facts(true, true)));
  } else {
    if (pump_unfinished || pumped_ != Pumped::complete) keep_alive_ = reusable = false;
    if (!upstream_->in.empty()) reusable = false;  // Bytes nobody asked for.
    exchange.finish(status >= 500 ? Outcome::backend_error : Outcome::success, reusable);
  }
}

std::string_view HttpSession::session_field(const Exchange& exchange) const {
  const AffinityCookies* cookies = exchange.cluster().affinity();
  if (cookies == nullptr || !exchange.assignment().new_session) return {};
  return cookies->field_for(exchange.assignment().backend);
}

// The rest of the body. False when it broke off, with the exchange still open, or when the client
// left, with the exchange over.
Task<bool> HttpSession::deliver_body(Exchange& exchange, bool chunked) {
  for (;;) {
    bool ended = false;
    if (upstream_->in.empty()) {
      const IoError error = co_await upstream_->stream.read_into(upstream_->in);
      ended = error == kEndOfStream;
      if (error != 0 && !(ended && answer_body_.complete_at_end_of_stream())) co_return false;
      if (exchange.aborted()) co_return false;
    }
    http::BodyDecoder::Decoded decoded;
    if (!ended) {
      exchange.progress();
      decoded = answer_body_.decode(upstream_->in);
      if (decoded.malformed) co_return false;
    }
    const bool last = ended || answer_body_.done();
    http::Outgoing outgoing(chunked);
    outgoing.set_body(decoded.data, last);
    const IoError error = co_await write_down(outgoing.pieces());
    if (exchange.aborted() && !(last && error == 0)) co_return false;
    if (error != 0) {
      co_await stop_pump();
      keep_alive_ = false;
      exchange.finish(Outcome::client_gone, false);
      co_return false;
    }
    bytes_out_ += decoded.data.size();
    upstream_->in.consume(decoded.raw);
    if (last) co_return true;
  }
}

// ---------------------------------------------------------------------------------------------
// Writing to the client, and the books

// 0 when all is out. A client that does not read for too long is one that left.
Task<IoError> HttpSession::write_down(Pieces pieces) {
  if (down_.try_write(pieces)) co_return down_.write_error();
  const DeadlineId stall =
      worker_.set_deadline(DeadlineKind::idle, now() + setup_->body_timeout, id_);
  const IoError error = co_await down_.finish_write();
  DeadlineId ended = stall;
  worker_.cancel_deadline(ended);
  co_return error;
}

Task<void> HttpSession::answer_ourselves(int status) {
  status_ = status;
  if (worker_.stopping() || minor_version_ == 0) keep_alive_ = false;
  Buffer answer(worker_.buffers());
  // Rounded up: whoever comes back then is not refused again.
  const auto wait = std::chrono::ceil<std::chrono::seconds>(retry_after_).count();
  http::write_own_response(status, !keep_alive_, is_head_, answer,
                           static_cast<std::uint64_t>(wait));
  const std::string_view piece = answer.view();
  if (co_await write_down({&piece, 1}) != 0) keep_alive_ = false;
}

// The end of a connection that may still have bytes coming in. Closing at once would reset it, and
// a reset can overtake our answer on its way to the client.
Task<void> HttpSession::linger() {
  if (status_ == 0) co_return;
  down_.shut_down_write();
  set_deadline(DeadlineKind::idle, kLingerTime);
  late_ = false;
  while (!late_ && !aborting_) {
    in_.clear();
    // Not in the condition: with no local variable to hold, GCC 12 lays this coroutine's frame out
    // so that its handle does not point to it, and it is never resumed.
    const IoError error = co_await down_.read_into(in_);
    if (error != 0) break;
  }
}

void HttpSession::account(const Exchange* exchange) {
  // RFC 9110, section 15: a status of no known class counts as one of the server's faults.
  ++counters_.answers[std::min<std::size_t>(static_cast<std::size_t>(status_) / 100, 5)];
  counters_.bytes_in += bytes_in_;
  counters_.bytes_out += bytes_out_;
  const Duration total = began_ == Instant{} ? Duration{} : now() - began_;
  counters_.durations.add(total);
  if (!worker_.access_log().enabled()) return;
  AccessRecord record;
  record.listener = setup_->name;
  record.client = client_;
  record.method = method_;
  record.target = target_;
  record.host = host_;
  if (route_ != nullptr) record.route = route_->label;
  record.status = status_;
  record.outcome = own_outcome();
  record.bytes_in = bytes_in_;
  record.bytes_out = bytes_out_;
  if (exchange != nullptr) exchange->describe(record);
  record.times.request = head_time_;
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
