#include "lbnet/forwarding.h"

#include <cerrno>

#include "lbnet/clock.h"
#include "lbnet/http/head_writer.h"
#include "lbnet/http/outgoing.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

// Of a body, for another attempt: see keep().
constexpr std::size_t kKeptMax = std::size_t{32} << 10U;

}  // namespace

Forwarding::Forwarding(Worker& worker, Http1Client& client, ClusterRuntime& cluster)
    : worker_(worker),
      client_(client),
      exchange_(cluster, client.stream()),
      head_(worker.buffers()),
      kept_(worker.buffers()) {}

bool Forwarding::take_head(const http::RequestHead& head, std::string_view client_address,
                           const http::RequestChanges& changes,
                           const http::AnswerChanges& answer_changes) {
  idempotent_ = head.idempotent();
  expects_continue_ = head.expects_continue;
  takes_trailers_ = head.takes_trailers && head.minor_version >= 1;
  upgrade_ = head.upgrade;
  answer_changes_ = answer_changes;
  return http::write_request_head(head, client_address, head_, changes);
}

void Forwarding::abort() {
  aborting_ = true;
  if (!exchange_.over()) exchange_.abort_attempt(AttemptFailure::drain_timeout);
}

// ---------------------------------------------------------------------------------------------
// Attempts

Task<int> Forwarding::run(const RequestInput& input, Instant at) {
  worker_.note_load();
  bool ready = exchange_.start(input, at);
  if (ready && exchange_.queued()) ready = co_await exchange_.next_attempt();
  while (ready) {
    const Attempted result = co_await attempt();
    if (result != Attempted::retry) break;
    ready = co_await exchange_.next_attempt();
    if (ready && aborting_) {
      exchange_.finish(Outcome::client_gone, false);
      break;
    }
  }
  ended_ = exchange_.ended();
  if (status_ == 0 && exchange_.outcome() != Outcome::client_gone) {
    status_ = status_for(exchange_.outcome());
    co_await client_.answer(status_);
    ended_ = now();
  }
  co_return status_;
}

Task<Forwarding::Attempted> Forwarding::attempt() {
  const IoError unconnected = co_await exchange_.connect();
  if (unconnected != 0) {
    const bool again = exchange_.failed_to_connect(unconnected, facts(false, false));
    co_return again ? Attempted::retry : Attempted::over;
  }
  upstream_ = &exchange_.upstream();
  incoming_ = Incoming::good;
  answer_ = http::AnswerReader(
      {.head = client_.is_head(), .takes_trailers = takes_trailers_, .upgrade = upgrade_});
  if (co_await send_request() != 0 || exchange_.aborted()) {
    co_return co_await attempt_failed(AttemptFailure::reset);
  }
  AttemptFailure failure = AttemptFailure::reset;
  if (!co_await read_answer_head(failure)) co_return co_await attempt_failed(failure);
  if (!exchange_.answered(worker_.response_head().status, facts(true, false))) {
    co_return Attempted::retry;
  }
  co_await deliver();
  co_return Attempted::delivered;
}

// The head and what of the body is at hand or was kept, in one write. More of it is left to the
// pump.
Task<IoError> Forwarding::send_request() {
  http::Outgoing outgoing(client_.body_is_chunked());
  outgoing.set_head(head_.view());
  outgoing.set_body(pump_started_ ? kept_.view() : client_.body_at_hand(), client_.body_complete());
  const bool written = upstream_->stream.try_write(outgoing.pieces());
  const IoError error =
      written ? upstream_->stream.write_error() : co_await upstream_->stream.finish_write();
  if (error != 0) co_return error;
  if (client_.body_complete()) {
    exchange_.sent();
    co_return 0;
  }
  // Not by the pump: it must not write to a client that may be getting its answer meanwhile.
  if (expects_continue_) {
    const IoError client_error = co_await client_.send_continue();
    if (client_error != 0 && !exchange_.aborted()) incoming_ = Incoming::client_gone;
    if (client_error != 0) co_return client_error;
    expects_continue_ = false;
  }
  spawn(pump_body());
  // It may be over before it has waited for anything, and then nobody else would say so.
  co_return hopeless() ? ECANCELED : 0;
}

// True when worker.response_head() holds the head of a final answer, with its bytes in front of
// the upstream's buffer. False with the failure otherwise.
Task<bool> Forwarding::read_answer_head(AttemptFailure& failure) {
  http::ResponseHead& head = worker_.response_head();
  for (;;) {
    failure = AttemptFailure::invalid_answer;
    const auto found = answer_.next_head(upstream_->in, head);
    if (found == http::AnswerReader::Result::final) co_return true;
    if (found == http::AnswerReader::Result::invalid) co_return false;
    failure = AttemptFailure::reset;
    if (found == http::AnswerReader::Result::interim) {
      const IoError error = head.status == 100 ? 0 : co_await client_.send_interim(head);
      if (error != 0 && !exchange_.aborted()) incoming_ = Incoming::client_gone;
      if (error != 0) co_return false;
      answer_.take_head(upstream_->in);
      continue;
    }
    if (co_await upstream_->stream.read_into(upstream_->in) != 0) co_return false;
    // Whoever gave up meanwhile found nothing to cancel: this was on its way up to us.
    if (exchange_.aborted() || hopeless()) co_return false;
  }
}

Task<Forwarding::Attempted> Forwarding::attempt_failed(AttemptFailure failure) {
  co_await stop_pump();
  if (hopeless()) {
    exchange_.finish(Outcome::client_gone, false);
    client_.end_after_this();
    if (incoming_ == Incoming::client_gone) co_return Attempted::over;
    status_ = incoming_ == Incoming::malformed ? 400 : 413;
    co_await client_.answer(status_);
    co_return Attempted::over;
  }
  co_return exchange_.failed(failure, facts(true, false)) ? Attempted::retry : Attempted::over;
}

// ---------------------------------------------------------------------------------------------
// The request's body, when it is longer than what came with the head

Task<void> Forwarding::pump_body() {
  if (!pump_started_) keep(client_.body_at_hand());
  pump_started_ = pumping_ = true;
  pump_must_stop_ = false;
  pump_ended_.reset();
  incoming_ = co_await pump_until_done();
  pumping_ = false;
  if (hopeless()) upstream_->stream.cancel();  // Whoever waits for the answer has to know.
  pump_ended_.raise();
}

Task<Forwarding::Incoming> Forwarding::pump_until_done() {
  // What comes behind a request for a tunnel is the tunnel's; otherwise the part that came with the
  // head has gone with it.
  bool at_hand = tunnel_ && !client_.part().empty();
  while (!client_.body_complete()) {
    const Http1Client::BodyRead read =
        at_hand ? Http1Client::BodyRead::part : co_await client_.read_body();
    at_hand = false;
    switch (read) {
      case Http1Client::BodyRead::part: break;
      case Http1Client::BodyRead::stopped: co_return Incoming::stopped;
      case Http1Client::BodyRead::gone: co_return Incoming::client_gone;
      case Http1Client::BodyRead::malformed: co_return Incoming::malformed;
      case Http1Client::BodyRead::too_large: co_return Incoming::too_large;
    }
    keep(client_.part());
    if (pump_must_stop_) co_return Incoming::stopped;
    exchange_.progress();
    http::Outgoing outgoing(client_.body_is_chunked());
    outgoing.set_body(client_.part(), client_.body_complete());
    const bool written = upstream_->stream.try_write(outgoing.pieces());
    const IoError error =
        written ? upstream_->stream.write_error() : co_await upstream_->stream.finish_write();
    if (pump_must_stop_ || error == ECANCELED) co_return Incoming::stopped;
    if (error != 0) co_return Incoming::upstream_broke;
  }
  if (tunnel_) {
    upstream_->stream.shut_down_write();
  } else {
    exchange_.sent();
  }
  co_return Incoming::good;
}

// For another attempt. A small body often comes a moment after its head, and a backend that breaks
// off then is no reason to lose it.
void Forwarding::keep(std::string_view part) {
  if (!replayable_ || part.empty()) return;
  replayable_ = idempotent_ && !tunnel_ && kept_.size() + part.size() <= kKeptMax;
  if (replayable_) return kept_.append(part);
  kept_.clear();
  kept_.rest();
}

Task<void> Forwarding::stop_pump() {
  if (!pumping_) co_return;
  pump_must_stop_ = true;
  client_.cancel();
  upstream_->stream.cancel();
  co_await pump_ended_;
}

// ---------------------------------------------------------------------------------------------
// The answer

Task<void> Forwarding::deliver() {
  const http::ResponseHead& answer = worker_.response_head();
  status_ = answer.status;
  // It may answer before it has heard us out; what it did not hear cannot be read away.
  if (incoming_ != Incoming::good || !client_.body_complete()) client_.end_after_this();
  const bool reusable = answer.persistent() && answer.status != 101 && !answer.withholds_body &&
                        answer.framing.kind != http::Framing::Kind::until_close;
  tunnel_ = answer.status == 101;
  const Http1Client::AnswerOptions options{
      .changes = answer_changes_, .session_field = session_field(), .trailers = takes_trailers_};
  if (!client_.begin_answer(answer, options)) {
    status_ = 0;
    co_await stop_pump();
    static_cast<void>(exchange_.failed(AttemptFailure::invalid_answer, facts(true, false)));
    co_return;
  }
  answer_.take_head(upstream_->in);
  const Delivered delivered = co_await carry_answer();
  const bool request_unfinished = pumping_;
  co_await stop_pump();
  finish(delivered, request_unfinished, reusable);
}

std::string_view Forwarding::session_field() const {
  const AffinityCookies* cookies = exchange_.cluster().affinity();
  if (cookies == nullptr || !exchange_.assignment().new_session) return {};
  return cookies->field_for(exchange_.assignment().backend);
}

// Its head with what of the body is at hand, in one write, then the rest as it comes.
Task<Forwarding::Delivered> Forwarding::carry_answer() {
  Buffer& in = upstream_->in;
  http::BodyDecoder& body = answer_.body();
  for (bool with_head = true;; with_head = false) {
    bool ended = false;
    if (!with_head && in.empty()) {
      const IoError error = co_await upstream_->stream.read_into(in);
      ended = error == kEndOfStream && body.complete_at_end_of_stream();
      if ((error != 0 && !ended) || exchange_.aborted()) co_return Delivered::broke;
    }
    if (!with_head && !ended) exchange_.progress();
    const auto decoded = ended ? http::BodyDecoder::Decoded{} : body.decode(in);
    const bool last = ended || body.done();
    if (last && !take_trailers()) co_return Delivered::broke;
    const IoError error = client_.try_send(decoded.data, last) ? client_.write_error()
                                                               : co_await client_.finish_send();
    if (exchange_.aborted() && !(last && error == 0)) co_return Delivered::broke;
    if (error != 0) co_return Delivered::client_gone;
    if (decoded.malformed) co_return Delivered::broke;
    in.consume(decoded.raw);
    if (last) co_return Delivered::complete;
    if (with_head && tunnel_) {
      client_.begin_tunnel();
      spawn(pump_body());
      if (hopeless()) co_return Delivered::client_gone;  // As in send_request().
    }
  }
}

bool Forwarding::take_trailers() {
  const std::string_view trailers = answer_.body().trailers();
  if (trailers.empty()) return true;
  std::vector<http::Field>& fields = worker_.response_head().fields;  // The head's are out.
  return http::parse_trailers(trailers, fields) &&
         client_.set_trailers(fields, answer_changes_.rules);
}

void Forwarding::finish(Delivered delivered, bool request_unfinished, bool reusable) {
  if (delivered == Delivered::client_gone || incoming_ == Incoming::client_gone) {
    client_.end_after_this();
    return exchange_.finish(Outcome::client_gone, false);
  }
  if (delivered == Delivered::broke) {
    // The client has seen a part: it must not take it for the whole.
    client_.cut();
    static_cast<void>(exchange_.failed(AttemptFailure::reset, facts(true, true)));
    return;
  }
  if (request_unfinished || incoming_ != Incoming::good) {
    client_.end_after_this();
    reusable = false;
  }
  if (!upstream_->in.empty()) reusable = false;  // Bytes nobody asked for.
  exchange_.finish(status_ >= 500 ? Outcome::backend_error : Outcome::success, reusable);
}

}  // namespace lb::net
