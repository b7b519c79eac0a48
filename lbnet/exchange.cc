#include "lbnet/exchange.h"

#include <cerrno>

#include "lbnet/clock.h"
#include "lbnet/proxy_sender.h"
#include "lbnet/tls/tls_connection.h"

namespace lb::net {

Exchange::~Exchange() { LB_ASSERT(over_); }

Instant Exchange::now_() { return now(); }

// The clock is read once for all that happens at once: a reading is a five-hundredth of a request.
bool Exchange::start(const RequestInput& input, Instant at) {
  started_ = at;
  if (cluster_.sent_header() != SentProxyHeader::none && !knows_client()) {
    outcome_ = Outcome::client_gone;
    ended_ = at;
    return false;
  }
  over_ = false;
  return take(cluster_.brain().handle_request(at, input), at);
}

bool Exchange::take(const Start& start, Instant at) {
  queued_ = start.kind == Start::Kind::queued;
  if (start.kind == Start::Kind::refused) {
    end(start.outcome, at);
    return false;
  }
  if (queued_) {
    assignment_.request = start.request;
    attempt_due_.reset();
    cluster_.set_owner(start.request, this);
  } else {
    begin(*start, at);
  }
  cluster_.after_brain();
  return true;
}

void Exchange::begin(const Assignment& assignment, Instant at) {
  assignment_ = assignment;
  connected_ = assignment.reused;
  aborted_ = false;
  attempt_started_ = at;
  sent_ = {};
  queue_time_ = attempt_started_ - started_;
  connect_time_ = response_time_ = {};
  cluster_.set_owner(assignment.request, this);
  // From here on what comes in on it is for us.
  if (!connected_) return;
  upstream().idle = false;
  upstream().stream.on_unawaited_read(nullptr, nullptr);
}

Task<IoError> Exchange::connect() {
  if (connected_) co_return upstream().stream.quiet() ? 0 : ECONNRESET;
  std::unique_ptr<const ProxyHeaderText> header;
  const SentProxyHeader version = cluster_.sent_header();
  if (version != SentProxyHeader::none) {
    // It was known when the request began, unless no header was asked for at that time.
    if (!knows_client()) co_return ENOTCONN;
    header = std::make_unique<const ProxyHeaderText>(version, client_way_);
  }
  IoError error =
      cluster_.open_upstream(assignment_.connection, assignment_.backend, std::move(header));
  if (error == 0) error = co_await ClusterRuntime::finish_opening(upstream());
  if (error == 0 && aborted_) error = ECANCELED;  // It was made just when its time was up.
  if (error != 0) {
    note_failure();
    co_return error;
  }
  connected_ = true;
  const Instant at = now();
  connect_time_ = at - attempt_started_;
  cluster_.brain().handle_connected(at, assignment_.request);
  cluster_.after_brain();
  co_return 0;
}

// Asked for at most once: the client may be gone by the time of another attempt.
bool Exchange::knows_client() {
  if (!client_known_) client_known_ = find_way(client_, client_way_);
  return client_known_;
}

// What TLS has to say about it, nobody else can.
void Exchange::note_failure() {
  const TlsConnection* tls = cluster_.tls_of(assignment_.connection);
  if (tls != nullptr) connect_failure_ = tls->failure();
}

void Exchange::sent() {
  sent_ = now();
  cluster_.brain().handle_sent(sent_, assignment_.request);
  cluster_.after_brain();
}

bool Exchange::answered(int status, const AttemptFacts& facts) {
  const Instant at = now();
  if (sent_ != Instant{}) response_time_ = at - sent_;  // It may answer before it heard us out.
  const NextStep step = cluster_.brain().handle_answer(at, assignment_.request, status, facts);
  if (step.kind == NextStep::Kind::deliver) {
    cluster_.after_brain();
    return true;
  }
  attempt_due_.reset();
  cluster_.close_upstream(assignment_.connection);
  return false;
}

bool Exchange::failed(AttemptFailure otherwise, const AttemptFacts& facts) {
  const AttemptFailure failure = aborted_ ? abort_reason_ : otherwise;
  cluster_.close_upstream(assignment_.connection);
  const Instant at = now();
  const NextStep step =
      cluster_.brain().handle_attempt_failed(at, assignment_.request, failure, facts);
  attempt_due_.reset();
  if (step.kind == NextStep::Kind::retry) return true;
  end(step.outcome, at);
  return false;
}

bool Exchange::failed_to_connect(IoError error, const AttemptFacts& facts) {
  if (is_own_shortage(error)) return failed(AttemptFailure::shortage, facts);
  // A kept one broke, or its backend said what nobody had asked for.
  return failed(connected_ ? AttemptFailure::reset : AttemptFailure::connect_failure, facts);
}

Task<bool> Exchange::next_attempt() {
  cluster_.after_brain();  // Arms the timer for the wait.
  bool goes_on = true;
  do {
    co_await attempt_due_;
    const Instant at = now();
    goes_on = take(cluster_.brain().handle_attempt_due(at, assignment_.request), at);
  } while (goes_on && queued_);
  co_return goes_on;
}

void Exchange::finish(Outcome outcome, bool reusable) {
  if (reusable && !cluster_.up_to_date(upstream())) reusable = false;
  if (reusable) {
    cluster_.watch_idle(upstream());
  } else {
    cluster_.close_upstream(assignment_.connection);
  }
  const Instant at = now();
  cluster_.brain().handle_finished(at, assignment_.request, outcome, reusable);
  end(outcome, at);
}

void Exchange::end(Outcome outcome, Instant at) {
  over_ = true;
  outcome_ = outcome;
  ended_ = at;
  if (assignment_.request) cluster_.set_owner(assignment_.request, nullptr);
  cluster_.after_brain();
}

void Exchange::abort_attempt(AttemptFailure failure) {
  aborted_ = true;
  abort_reason_ = failure;
  cluster_.cancel_upstream(assignment_.connection);
  client_.cancel();
}

void Exchange::describe(AccessRecord& record) const {
  record.cluster = cluster_.name();
  record.outcome = to_string(outcome_);
  record.attempts = assignment_.attempt;
  if (assignment_.connection) {
    record.backend = cluster_.backend_name(assignment_.backend);
    record.reason = assignment_.reason;
    record.eligible = assignment_.eligible_count;
    record.reused_connection = assignment_.reused;
  } else {
    record.attempts = 0;
  }
  record.error = connect_failure_;
  record.times.queue = queue_time_;
  record.times.connect = connect_time_;
  record.times.response = response_time_;
}

}  // namespace lb::net
