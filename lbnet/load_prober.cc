#include "lbnet/load_prober.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "lbcore/assert.h"
#include "lbnet/http/body_decoder.h"
#include "lbnet/http/dictionary.h"
#include "lbnet/http/head_parser.h"
#include "lbnet/proxy_sender.h"
#include "lbnet/stream.h"
#include "lbnet/tls/client_context.h"
#include "lbnet/tls/tls_connection.h"

namespace lb::net {
namespace {

// An answer is a line or two. A connection over which more comes than this is not worth keeping.
constexpr std::size_t kHeadMax = std::size_t{8} << 10U;
constexpr std::size_t kBodyMax = std::size_t{4} << 10U;

// What nobody has; it keeps sums of it within 32 bits.
constexpr std::int64_t kInFlightMax = 1'000'000'000;

}  // namespace

// What is said with one backend.
struct LoadProber::Talk {
  Talk(BackendId id, const Endpoint& where, std::string_view name, std::string text,
       BufferPool& buffers)
      : backend(id), endpoint(where), host(name), question(std::move(text)), in(buffers) {}

  BackendId backend;
  Endpoint endpoint;
  std::string host;  // As configured, with the port.
  std::string question;
  Buffer in;                     // Outlives the stream, which reads into it to its end.
  std::optional<Stream> stream;  // While there is a connection, or one is being made.
  DeadlineId deadline;
  Instant due;             // When its last question was over at the latest.
  bool under_way = false;  // It was asked and has not answered.
  bool abandoned = false;  // Nobody wants the answer any more.
  bool told = false;       // The answer told a load.
  bool keep_asking =
      true;  // The last question was not in vain; otherwise the next waits for `due`.
};

LoadProber::LoadProber(boost::asio::io_context& io, BufferPool& buffers, Told told)
    : io_(io), buffers_(buffers), told_(std::move(told)) {}

LoadProber::~LoadProber() { LB_ASSERT(at_rest()); }

// ---------------------------------------------------------------------------------------------
// Whom to ask

void LoadProber::apply(const std::optional<LoadQuestion>& question,
                       std::span<const BackendId> backends,
                       std::shared_ptr<const tls::ClientContext> tls, SentProxyHeader header) {
  const bool same = question == question_ && tls == tls_ && header == header_;
  question_ = question;
  header_ = header;
  tls_ = std::move(tls);
  std::vector<BackendId> staying;
  if (same) staying.assign(backends.begin(), backends.end());
  std::sort(staying.begin(), staying.end());
  for (std::unique_ptr<Talk>& talk : talks_) {
    if (!std::binary_search(staying.begin(), staying.end(), talk->backend)) forget(talk);
  }
  std::erase(talks_, nullptr);
}

void LoadProber::forget(std::unique_ptr<Talk>& talk) {
  if (!talk->under_way) return talk.reset();
  deadlines_.cancel(talk->deadline);
  abandon(*talk);
  forgotten_.push_back(std::move(talk));
}

LoadProber::Talk* LoadProber::find(BackendId backend) {
  const auto place = std::lower_bound(
      talks_.begin(), talks_.end(), backend,
      [](const std::unique_ptr<Talk>& talk, BackendId id) { return talk->backend < id; });
  return place != talks_.end() && (*place)->backend == backend ? place->get() : nullptr;
}

LoadProber::Talk& LoadProber::talk_with(BackendId backend, const Endpoint& endpoint,
                                        std::string_view host) {
  if (Talk* talk = find(backend)) return *talk;
  std::string text = "GET " + question_->path + " HTTP/1.1\r\nHost: ";
  text.append(host).append("\r\nUser-Agent: lbd-load-probe\r\n\r\n");
  const auto place = std::lower_bound(
      talks_.begin(), talks_.end(), backend,
      [](const std::unique_ptr<Talk>& talk, BackendId id) { return talk->backend < id; });
  return **talks_.insert(
      place, std::make_unique<Talk>(backend, endpoint, host, std::move(text), buffers_));
}

// ---------------------------------------------------------------------------------------------
// When

void LoadProber::ask(Instant now, BackendId backend, const Endpoint& endpoint,
                     std::string_view host) {
  if (!question_) return;
  Talk& talk = talk_with(backend, endpoint, host);
  if (talk.under_way || (!talk.keep_asking && now < talk.due)) {
    ++counters_.dropped;
    return;
  }
  ++counters_.asked;
  ++under_way_;
  talk.under_way = true;
  talk.abandoned = talk.told = false;
  talk.keep_asking = true;
  talk.due = now + question_->max_age;
  talk.deadline = deadlines_.set(DeadlineKind::probe, talk.due, backend.value);
  asked_.push_back(&talk);
  // The request that gave rise to it goes first.
  if (asked_.size() == 1) boost::asio::post(io_, [this] { start_asked(); });
}

void LoadProber::start_asked() {
  for (Talk* talk : asked_) spawn(probe(*talk));
  asked_.clear();
}

void LoadProber::handle_timeout(Instant now) {
  while (const auto expired = deadlines_.pop_expired(now)) {
    abandon(*find(BackendId{static_cast<std::uint32_t>(expired->subject)}));
  }
}

void LoadProber::abandon(Talk& talk) {
  talk.abandoned = true;
  if (talk.stream) talk.stream->cancel();
}

void LoadProber::abandon_all() {
  for (const std::unique_ptr<Talk>& talk : talks_) {
    if (talk->under_way) abandon(*talk);
  }
}

// ---------------------------------------------------------------------------------------------
// Question and answer

Task<void> LoadProber::probe(Talk& talk) {
  bool keep = false;
  if (!talk.abandoned) keep = co_await question_and_answer(talk);
  if (keep) {
    // From now on whatever comes in is the end of the connection, and later the next answer.
    talk.in.rest();
    talk.stream->on_unawaited_read(&LoadProber::idle_stream_woke, &talk);
    talk.stream->start_read_into(talk.in);
  } else {
    talk.stream.reset();
    talk.in.clear();
    talk.in.rest();
  }
  ++(talk.told ? counters_.told : counters_.failed);
  --under_way_;
  talk.under_way = false;
  deadlines_.cancel(talk.deadline);
  std::erase_if(forgotten_, [&](const auto& each) { return each.get() == &talk; });
}

// True when the connection is good for another question.
Task<bool> LoadProber::question_and_answer(Talk& talk) {
  const bool kept = talk.stream.has_value();
  talk.keep_asking = false;
  if (!kept) {
    if (!co_await connect(talk)) co_return false;
  }
  talk.stream->on_unawaited_read(nullptr, nullptr);
  const std::string_view question = talk.question;
  // All that was written before has been answered, so there is room; where there is none, something
  // is wrong.
  const bool sent = talk.stream->try_write({&question, 1}) && talk.stream->write_error() == 0;
  std::size_t head_size = 0;
  if (sent) head_size = co_await read_head(talk);
  if (head_size == 0) {
    // A kept connection may have been closed just as it was used: no reason to wait.
    talk.keep_asking = kept && talk.in.empty() && !talk.abandoned;
    co_return false;
  }
  if (!http::parse_response_head(talk.in.view().substr(0, head_size), false, head_)) {
    co_return false;
  }
  const bool persistent = head_.persistent() && head_.status >= 200;
  const http::Framing framing = head_.framing;
  take_answer(talk);
  talk.in.consume(head_size);
  if (!persistent) co_return false;
  co_return co_await skip_body(talk, framing);
}

Task<bool> LoadProber::connect(Talk& talk) {
  const int fd = start_connecting(talk.endpoint);
  if (fd < 0) co_return false;
  talk.stream.emplace(io_, fd);
  IoError error = co_await talk.stream->finish_connect();
  if (error == 0 && header_ != SentProxyHeader::none) {
    error = send_header(*talk.stream, ProxyHeaderText::local(header_));
  }
  if (error == 0 && !talk.abandoned && tls_) {
    talk.stream->start_tls(tls_->connect(talk.host, nullptr));
    error = co_await talk.stream->handshake();
  }
  co_return error == 0 && !talk.abandoned;
}

// The size of the answer's head, once all of it is there; 0 when it never is.
Task<std::size_t> LoadProber::read_head(Talk& talk) {
  http::HeadScanner scanner;
  auto found = http::HeadScanner::Result::incomplete;
  while (found == http::HeadScanner::Result::incomplete && talk.in.size() < kHeadMax) {
    const IoError error = co_await talk.stream->read_into(talk.in);
    if (error != 0 || talk.abandoned) co_return 0;
    found = scanner.scan(talk.in.view());
  }
  const bool whole = found == http::HeadScanner::Result::complete && scanner.start() == 0;
  co_return whole ? scanner.end() : 0;
}

void LoadProber::take_answer(Talk& talk) {
  const std::optional<LoadReport> report = read_load(head_);
  if (!report) return;
  talk.told = talk.keep_asking = true;
  told_(talk.backend, *report);
}

// True when the body came to its end, and nothing after it.
Task<bool> LoadProber::skip_body(Talk& talk, http::Framing framing) {
  if (framing.kind == http::Framing::Kind::until_close) co_return false;
  http::BodyDecoder body(framing);
  std::size_t skipped = 0;
  for (;;) {
    const http::BodyDecoder::Decoded decoded = body.decode(talk.in);
    talk.in.consume(decoded.raw);
    skipped += decoded.raw;
    if (decoded.malformed || skipped > kBodyMax) co_return false;
    if (body.done()) co_return talk.in.empty();
    const IoError error = co_await talk.stream->read_into(talk.in);
    if (error != 0 || talk.abandoned) co_return false;
  }
}

// An idle connection has nothing to say: its end, or bytes nobody asked for, make it useless.
void LoadProber::idle_stream_woke(void* subject) {
  Talk& talk = *static_cast<Talk*>(subject);
  talk.stream.reset();
  talk.in.clear();
  talk.in.rest();
}

// ---------------------------------------------------------------------------------------------
// The words of an answer

std::optional<LoadReport> read_load(const http::ResponseHead& head) {
  if (head.status < 200 || head.status > 299) return std::nullopt;
  std::optional<std::int64_t> in_flight;
  std::optional<std::int64_t> latency;
  for (const http::Field& field : head.fields) {
    if (!http::equal_ignoring_case(field.name, "Backend-Load")) continue;
    http::Dictionary dictionary(field.value);
    while (const auto member = dictionary.next()) {
      if (member->key == "in-flight") in_flight = member->integer;
      if (member->key == "latency") latency = member->integer;
    }
    if (dictionary.malformed()) return std::nullopt;
  }
  if (!in_flight || *in_flight < 0 || *in_flight > kInFlightMax) return std::nullopt;
  if (!latency || *latency < 0) return std::nullopt;
  // 15 digits of microseconds are fewer nanoseconds than a Duration holds.
  return LoadReport{.in_flight = static_cast<std::uint32_t>(*in_flight),
                    .latency = std::chrono::microseconds{*latency}};
}

}  // namespace lb::net
