#include "lbnet/tcp_session.h"

#include "lbnet/clock.h"
#include "lbnet/exchange.h"
#include "lbnet/splice.h"
#include "lbnet/tls/tls_connection.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

// What goes one way: counts it, and keeps the brain from giving it up for idle.
class Meter final : public SpliceWatcher {
 public:
  Meter(Exchange& exchange, std::uint64_t& bytes) : exchange_(exchange), bytes_(bytes) {}

  // False when the brain has given it up all the same.
  bool moved(std::size_t bytes) override {
    bytes_ += bytes;
    exchange_.progress();
    return !exchange_.aborted();
  }

 private:
  Exchange& exchange_;
  std::uint64_t& bytes_;
};

class TcpSession final : public Session {
 public:
  TcpSession(Worker& worker, std::shared_ptr<const ListenerSetup> setup, Stream down,
             const Endpoint& peer)
      : worker_(worker),
        setup_(std::move(setup)),
        down_(std::move(down)),
        in_(worker.buffers()),
        client_(address_of(peer)),
        id_(worker.add_session(this)),
        counters_(worker.counters(setup_->name)) {
    ++counters_.connections;
    ++counters_.connections_active;
  }
  ~TcpSession() {
    --counters_.connections_active;
    worker_.remove_session(id_);
  }

  Task<void> run();

  void deadline_passed(DeadlineKind) override {}  // It sets none: the brain's idle timeout rules.
  void drain() override {}  // A session is all or nothing; it ends with its peers or by abort().
  void abort() override {
    down_.cancel();
    if (exchange_ != nullptr && !exchange_->over()) {
      exchange_->abort_attempt(AttemptFailure::drain_timeout);
    }
  }

 private:
  Task<bool> connect(Exchange& exchange);
  Task<void> relay(Exchange& exchange);
  Task<void> carry_up(Exchange& exchange);
  Task<bool> carry(Exchange& exchange, Stream& from, Buffer& buffer, Stream& to,
                   std::uint64_t& bytes);
  void account(const Exchange* exchange);

  Worker& worker_;
  std::shared_ptr<const ListenerSetup> setup_;
  Stream down_;
  Buffer in_;
  std::string client_;
  SessionId id_;
  ListenerCounters& counters_;
  Exchange* exchange_ = nullptr;
  Instant began_ = now();
  bool broken_ = false;  // Either direction ended other than by the end of its stream.
  Signal up_ended_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

Task<void> TcpSession::run() {
  if (worker_.rate_limit() != nullptr) {
    const HashKey key = key_of(worker_.rate_limit()->key, {.client_address = client_});
    if (worker_.over_rate(key) > Duration{}) {
      ++counters_.rate_limited;
      down_.reset_when_destroyed();
      account(nullptr);
      co_return;
    }
  }
  ClusterRuntime* cluster = worker_.cluster(setup_->cluster);
  if (cluster == nullptr) {
    down_.reset_when_destroyed();
    co_return;
  }
  worker_.note_load();
  Exchange exchange(*cluster, down_);
  exchange_ = &exchange;
  if (co_await connect(exchange)) {
    co_await relay(exchange);
  } else {
    // A client that is refused should learn it as it would from the backend itself.
    down_.reset_when_destroyed();
  }
  exchange_ = nullptr;
  account(&exchange);
}

// To whoever can be reached. False: nobody, and the exchange is over.
Task<bool> TcpSession::connect(Exchange& exchange) {
  bool ready = exchange.start({.key = hash_bytes(client_), .pooled = false}, now());
  if (ready && exchange.queued()) ready = co_await exchange.next_attempt();
  while (ready) {
    const IoError error = co_await exchange.connect();
    if (error == 0) co_return true;
    const AttemptFacts nothing_sent{.body_replayable = true};
    if (!exchange.failed_to_connect(error, nothing_sent)) break;
    ready = co_await exchange.next_attempt();
    if (ready && worker_.stopping()) {
      exchange.finish(Outcome::client_gone, false);
      break;
    }
  }
  co_return false;
}

Task<void> TcpSession::relay(Exchange& exchange) {
  Upstream& upstream = exchange.upstream();
  spawn(carry_up(exchange));
  // That may be over before it has waited for anything, with nobody there yet to be told.
  bool carried = false;
  if (!broken_) carried = co_await carry(exchange, upstream.stream, upstream.in, down_, bytes_out_);
  if (!carried) {
    // The client need not go on talking to a backend that broke off.
    broken_ = true;
    down_.cancel();
    upstream.stream.cancel();
  }
  co_await up_ended_;
  if (exchange.aborted()) {
    down_.reset_when_destroyed();
    static_cast<void>(exchange.failed(AttemptFailure::idle_timeout, {.answer_begun = true}));
    co_return;
  }
  if (broken_) {  // Neither side may take what it got for all there was.
    down_.reset_when_destroyed();
    upstream.stream.reset_when_destroyed();
  }
  exchange.finish(broken_ ? Outcome::cut : Outcome::success, false);
}

Task<void> TcpSession::carry_up(Exchange& exchange) {
  Upstream& upstream = exchange.upstream();
  if (!co_await carry(exchange, down_, in_, upstream.stream, bytes_in_)) {
    broken_ = true;
    upstream.stream.cancel();
  }
  up_ended_.raise();
}

// Bytes one way until their end, which is passed on too: the other way may go on. False when
// either side broke. Whoever says so much at a time may have more to say than copying is cheapest
// for.
Task<bool> TcpSession::carry(Exchange& exchange, Stream& from, Buffer& buffer, Stream& to,
                             std::uint64_t& bytes) {
  Meter meter(exchange, bytes);
  Spliced spliced = Spliced::trickles;
  while (spliced == Spliced::trickles) {
    const IoError error = co_await from.read_into(buffer);
    if (error == kEndOfStream) break;
    if (error != 0 || exchange.aborted()) co_return false;
    const std::string_view data = buffer.view();
    const bool bulk = data.size() >= kBulkRead;
    static_cast<void>(meter.moved(data.size()));
    const bool written = to.try_write({&data, 1});
    const IoError write_error = written ? to.write_error() : co_await to.finish_write();
    if (write_error != 0 || exchange.aborted()) co_return false;
    buffer.clear();
    buffer.rest();
    if (bulk && can_splice(from, to)) {
      spliced = co_await splice_while_bulk(worker_.pipes(), from, to, meter);
    }
  }
  if (spliced == Spliced::broken) co_return false;
  to.shut_down_write();
  co_return true;
}

// Without an exchange it was refused by the rate limit.
void TcpSession::account(const Exchange* exchange) {
  ++counters_.answers[0];
  counters_.bytes_in += bytes_in_;
  counters_.bytes_out += bytes_out_;
  const Duration total = now() - began_;
  counters_.durations.add(total);
  if (!worker_.access_log().enabled()) return;
  AccessRecord record;
  record.listener = setup_->name;
  record.client = client_;
  if (const TlsFacts* facts = down_.tls_facts()) {
    record.tls_version = facts->version;
    record.tls_cipher = facts->cipher;
    record.sni = facts->sni;
  }
  record.bytes_in = bytes_in_;
  record.bytes_out = bytes_out_;
  record.outcome = "rate_limited";
  if (exchange != nullptr) exchange->describe(record);
  record.times.total = total;
  worker_.access_log().write(record);
}

Task<void> serve_connection(Worker& worker, std::shared_ptr<const ListenerSetup> setup, Stream down,
                            Endpoint peer) {
  TcpSession session(worker, std::move(setup), std::move(down), peer);
  co_await session.run();
}

}  // namespace

void start_tcp_session(Worker& worker, std::shared_ptr<const ListenerSetup> setup, Stream down,
                       const Endpoint& peer) {
  spawn(serve_connection(worker, std::move(setup), std::move(down), peer));
}

}  // namespace lb::net
