#include "lbnet/http1_client.h"

#include <algorithm>

#include "lbnet/clock.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr Duration kLingerTime = std::chrono::seconds{1};
constexpr std::chrono::duration<double> kBoughtMax = std::chrono::hours{24 * 365};

}  // namespace

Http1Client::Http1Client(Worker& worker, Stream stream, SessionId session)
    : worker_(worker),
      session_(session),
      stream_(std::move(stream)),
      in_(worker.buffers()),
      idle_since_(now()) {}

Http1Client::~Http1Client() { worker_.cancel_deadline(deadline_); }

void Http1Client::set_deadline(DeadlineKind kind, Instant at) {
  worker_.cancel_deadline(deadline_);
  deadline_ = worker_.set_deadline(kind, at, session_);
}

void Http1Client::deadline_passed() {
  late_ = true;
  stream_.cancel();
}

void Http1Client::cut() {
  cut_ = true;
  keep_alive_ = false;
  stream_.reset_when_destroyed();
}

// ---------------------------------------------------------------------------------------------
// A request

Task<Http1Client::Read> Http1Client::read_request() {
  begin_request();
  bool head_is_timed = false;
  for (;;) {
    if (!in_.empty()) {
      if (began_ == Instant{}) began_ = now();
      const auto found = scanner_.scan(in_.view());
      if (found == http::HeadScanner::Result::malformed) co_return refuse(400);
      if (scanner_.first_line_size() > http::kRequestLineMax) co_return refuse(414);
      if (found == http::HeadScanner::Result::complete) {
        heard_ = head_is_timed ? now() : began_;
        co_return take_head();
      }
      if (found == http::HeadScanner::Result::too_long) co_return refuse(431);
      const int bad = look_at_first_line();
      if (bad != 0) co_return refuse(bad);
      // One deadline for the whole head, from its first byte. Most heads come in one piece and
      // need none.
      if (!head_is_timed) set_deadline(DeadlineKind::head, began_ + setup_->head_timeout);
      head_is_timed = true;
    }
    idle_ = in_.empty();
    if (idle_ && worker_.stopping()) co_return Read::closed;
    if (idle_) {
      set_deadline(DeadlineKind::idle, idle_since_ + setup_->idle_timeout);
      in_.rest();
    }
    const IoError error = co_await stream_.read_into(in_);
    // A deadline that passes while bytes are on their way up to us finds nothing to cancel. For an
    // idle client they came at the last moment; an unfinished head is late all the same.
    if (idle_) late_ = false;
    idle_ = false;
    if (late_ && (error == 0 || error == ECANCELED)) co_return refuse(408);
    if (error != 0) co_return Read::closed;
  }
}

// 0, or the status that refuses a request of which no more has come.
int Http1Client::look_at_first_line() {
  if (first_line_is_good_) return 0;
  const auto line = in_.view().substr(scanner_.start(), scanner_.first_line_size());
  first_line_is_good_ = line.ends_with('\n');
  return http::refuse_first_line(line);
}

void Http1Client::begin_request() {
  scanner_.reset();
  first_line_is_good_ = false;
  began_ = heard_ = {};
  refusal_ = 0;
  late_ = keep_alive_ = is_head_ = answered_ = heard_out_ = false;
}

Http1Client::Read Http1Client::take_head() {
  worker_.cancel_deadline(deadline_);
  http::RequestHead& head = worker_.request_head();
  const std::string_view bytes =
      in_.view().substr(scanner_.start(), scanner_.end() - scanner_.start());
  const int status = http::parse_request_head(bytes, head, stream_.tls() != nullptr);
  if (status != 0) return refuse(status);
  is_head_ = head.is_head();
  minor_version_ = head.minor_version;
  keep_alive_ = head.persistent();
  return Read::request;
}

Http1Client::Read Http1Client::refuse(int status) {
  worker_.cancel_deadline(deadline_);
  refusal_ = status;
  return Read::refused;
}

int Http1Client::take_request(const http::RequestHead& head) {
  message_->chunked_body = head.framing.kind == http::Framing::Kind::chunked;
  message_->body = http::BodyDecoder(head.framing);
  in_.consume(scanner_.end());
  message_->part = {};
  if (!message_->body.done() && !in_.empty()) message_->part = message_->body.decode(in_);
  message_->bytes_in = message_->part.data.size();
  if (message_->part.malformed) return 400;
  if (setup_->max_body > 0 && head.framing.length > setup_->max_body) return 413;
  return setup_->max_body > 0 && message_->bytes_in > setup_->max_body ? 413 : 0;
}

void Http1Client::end_request(Instant at) {
  release_part();
  idle_since_ = at;
  // A head that was refused is still there.
  heard_out_ = message_->body.done() && !message_->tunnel && in_.empty();
  message_ = nullptr;
}

void Http1Client::release_part() {
  in_.consume(message_->part.raw);
  message_->part = {};
}

Task<Http1Client::BodyRead> Http1Client::read_body() {
  release_part();
  Message& message = *message_;
  const Instant from = now();
  // How long a tunnel may be silent is the cluster's to say: see Exchange::progress().
  if (!message.tunnel) {
    set_deadline(DeadlineKind::idle, from + patience(message.bytes_in, message.waited_in));
  }
  const IoError error = co_await stream_.read_into(in_);
  worker_.cancel_deadline(deadline_);
  message.waited_in += now() - from;
  if (error == ECANCELED && !late_) co_return BodyRead::stopped;
  if (error == kEndOfStream && message.body.complete_at_end_of_stream()) {
    message.body.end_of_stream();
    co_return BodyRead::part;
  }
  if (error != 0) co_return BodyRead::gone;
  message.part = message.body.decode(in_);
  if (message.part.malformed) co_return BodyRead::malformed;
  message.bytes_in += message.part.data.size();
  const bool too_large =
      setup_->max_body > 0 && message.bytes_in > setup_->max_body && !message.tunnel;
  co_return too_large ? BodyRead::too_large : BodyRead::part;
}

// ---------------------------------------------------------------------------------------------
// Its answer

Task<IoError> Http1Client::send_interim(const http::ResponseHead& answer) {
  if (minor_version_ == 0) co_return 0;
  Buffer interim(worker_.buffers());
  if (!http::write_response_head(answer, {}, interim)) co_return EMSGSIZE;
  const std::string_view piece = interim.view();
  co_return co_await write({&piece, 1}, after(false));
}

Task<IoError> Http1Client::send_continue() {
  co_return co_await write({&kContinue, 1}, after(false));
}

bool Http1Client::begin_answer(const http::ResponseHead& answer, const AnswerOptions& asked) {
  const http::BodyCoding coding = http::coding_for_client(answer, minor_version_);
  const bool known_end =
      coding != http::BodyCoding::as_is || answer.framing.kind == http::Framing::Kind::length;
  if (!known_end || worker_.stopping()) keep_alive_ = false;
  const http::ResponseOptions options{
      .coding = coding,
      .close = !keep_alive_,
      .keep_alive = keep_alive_ && minor_version_ == 0,
      .rules = asked.changes.rules,
      .session_field = asked.session_field,
      .via = setup_->via,
      .trailers = asked.trailers && coding == http::BodyCoding::chunked,
      .cors = asked.changes.cors};
  message_->head.clear();
  message_->outgoing = http::Outgoing(coding == http::BodyCoding::chunked);
  return http::write_response_head(answer, options, message_->head);
}

void Http1Client::begin_tunnel() {
  message_->tunnel = true;
  keep_alive_ = false;
  message_->body = http::BodyDecoder({http::Framing::Kind::until_close, 0});
  // It may have gone on without waiting for our answer.
  message_->part = message_->body.decode(in_);
  message_->bytes_in = message_->part.data.size();
}

bool Http1Client::set_trailers(const std::vector<http::Field>& trailers, const HeaderRules* rules) {
  return http::write_trailers(trailers, rules, message_->trailers);
}

bool Http1Client::try_send(std::string_view data, bool last) {
  message_->outgoing.clear();
  if (message_->head.empty()) {
    message_->head.rest();
  } else {
    message_->outgoing.set_head(message_->head.view());
    message_->head.clear();  // Its bytes stay as long as nothing is written to it.
  }
  message_->outgoing.set_body(data, last, message_->trailers.view());
  answered_ = true;
  message_->bytes_out += data.size();
  return stream_.try_write(message_->outgoing.pieces(), after(last));
}

// A client that does not read for too long is one that left.
Task<IoError> Http1Client::finish_send() {
  const Instant from = now();
  DeadlineId stall = worker_.set_deadline(
      DeadlineKind::idle, from + patience(message_->bytes_out, message_->waited_out), session_);
  const IoError error = co_await stream_.finish_write();
  worker_.cancel_deadline(stall);
  message_->waited_out += now() - from;
  co_return error;
}

// How long to wait for the client now, when so many bytes have gone its way or come from there, and
// it took so long. Only the time it kept us waiting counts: neither a slow backend nor a quiet
// stream of events is its fault. Bytes buy time at the least rate, on top of what it had at first.
Duration Http1Client::patience(std::uint64_t bytes, Duration waited) const {
  if (setup_->min_rate == 0 || message_->tunnel) return setup_->body_timeout;
  const std::chrono::duration<double> bought{static_cast<double>(bytes) /
                                             static_cast<double>(setup_->min_rate)};
  const Duration left = setup_->body_timeout - waited +
                        std::chrono::duration_cast<Duration>(std::min(bought, kBoughtMax));
  return std::clamp(left, Duration{}, setup_->body_timeout);
}

// What goes out next, after the last bytes of an answer or after others.
Stream::Next Http1Client::after(bool last) const {
  return last && !keep_alive_ ? Stream::Next::end : Stream::Next::anything;
}

Task<IoError> Http1Client::write(Pieces pieces, Stream::Next next) {
  if (stream_.try_write(pieces, next)) co_return stream_.write_error();
  co_return co_await finish_send();
}

Task<void> Http1Client::answer(int status, Duration retry_after) {
  decide_own_close();
  Buffer head(worker_.buffers());
  // Rounded up: whoever comes back then is not refused again.
  const auto wait = std::chrono::ceil<std::chrono::seconds>(retry_after).count();
  http::write_own_response(status, !keep_alive_, is_head_, head, static_cast<std::uint64_t>(wait));
  co_await write_own(head.view(), {});
}

Task<void> Http1Client::answer(http::RouteAnswer answer, std::string_view body) {
  decide_own_close();
  answer.close = !keep_alive_;
  answer.body_size = body.size();
  Buffer head(worker_.buffers());
  if (!http::write_route_answer(answer, head)) co_return co_await this->answer(500);
  if (is_head_) body = {};
  message_->bytes_out = body.size();
  co_await write_own(head.view(), body);
}

// A body that was not read stands between this request and the next.
void Http1Client::decide_own_close() {
  if (worker_.stopping() || minor_version_ == 0 || !message_->body.done()) keep_alive_ = false;
}

Task<void> Http1Client::write_own(std::string_view head, std::string_view body) {
  const std::array<std::string_view, 2> pieces{head, body};
  answered_ = true;
  const IoError error = co_await write({pieces.data(), body.empty() ? 1U : 2U}, after(true));
  if (error != 0) keep_alive_ = false;
}

// Closing a connection that may still have bytes coming in would reset it, and a reset can overtake
// our answer on its way to the client.
Task<void> Http1Client::linger() {
  if (!answered_ || cut_) co_return;
  if (!heard_out_ || stream_.tls() != nullptr) stream_.shut_down_write();
  if (heard_out_) co_return;  // It has said what it wanted to, and nothing more.
  set_deadline(DeadlineKind::idle, now() + kLingerTime);
  late_ = false;
  while (!late_) {
    in_.clear();
    const IoError error = co_await stream_.read_into(in_);
    if (error != 0) break;
  }
}

}  // namespace lb::net
