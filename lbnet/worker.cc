#include "lbnet/worker.h"

#include <pthread.h>

#include <utility>

#include "lbcore/subject.h"
#include "lbnet/clock.h"

namespace lb::net {
namespace {

// Draws that have nothing to do with those of the brains.
constexpr std::uint64_t kDrawsSalt = 0x6472617773ULL;
constexpr std::uint64_t kIdsSalt = 0x696473ULL;

}  // namespace

void ListenerCounters::add(const ListenerCounters& other) {
  connections += other.connections;
  connections_active += other.connections_active;
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += other.answers[i];
  rejected += other.rejected;
  not_routed += other.not_routed;
  redirected += other.redirected;
  responded += other.responded;
  rate_limited += other.rate_limited;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  pauses_full += other.pauses_full;
  pauses_descriptors += other.pauses_descriptors;
  refused_per_client += other.refused_per_client;
  proxy_headers.untrusted += other.proxy_headers.untrusted;
  proxy_headers.malformed += other.proxy_headers.malformed;
  proxy_headers.timeout += other.proxy_headers.timeout;
  durations.add(other.durations);
  tls.full += other.tls.full;
  tls.resumed += other.tls.resumed;
  tls.failed += other.tls.failed;
  tls.handshakes_active += other.tls.handshakes_active;
}

Worker::Worker(const WorkerOptions& options)
    : options_(options),
      // Anybody may post to it; its sockets are touched by its own thread alone, and need no locks.
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(io_.get_executor()),
      timer_(io_),
      share_timer_(io_),
      tells_(options.share_load && options.has_siblings),
      draws_(combine(combine(options.seed, options.index), kDrawsSalt)),
      ids_(combine(combine(options.seed, options.index), kIdsSalt)) {}

Worker::~Worker() = default;

void Worker::run() {
  io_.run();
  // Sessions are gone; what is left are idle connections and their streams.
  clusters_.clear();
}

void Worker::apply(const std::vector<ClusterSetup>& clusters) {
  const bool has_tallies = std::any_of(
      clusters.begin(), clusters.end(),
      [](const ClusterSetup& setup) { return setup.plan.config.outlier_ejection.has_value(); });
  tells_ = options_.share_load && (options_.has_siblings || has_tallies);
  for (const ClusterSetup& setup : clusters) {
    std::unique_ptr<ClusterRuntime>& runtime = clusters_[setup.plan.id];
    if (runtime) {
      runtime->apply(setup);
    } else {
      const std::uint64_t seed =
          combine(combine(options_.seed, options_.index), setup.plan.id.value);
      runtime = std::make_unique<ClusterRuntime>(*this, setup, seed);
    }
  }
  // A cluster that left takes nothing new; it goes when its last request has ended.
  for (auto place = clusters_.begin(); place != clusters_.end();) {
    const bool configured =
        std::any_of(clusters.begin(), clusters.end(),
                    [&](const ClusterSetup& setup) { return setup.plan.id == place->first; });
    if (!configured && place->second->at_rest()) {
      place = clusters_.erase(place);
      continue;
    }
    if (!configured) {
      ClusterSetup empty;
      empty.plan.id = place->first;
      empty.plan.config = place->second->brain().config();
      empty.plan.config.backends.clear();
      place->second->apply(empty);
    }
    ++place;
  }
}

void Worker::apply_health(ClusterId id, BackendId backend, HealthState state, bool silent) {
  if (ClusterRuntime* runtime = cluster(id)) {
    runtime->brain().handle_health(now(), backend, state, silent);
    runtime->after_brain();
  }
}

void Worker::apply_ejection(ClusterId id, BackendId backend, bool ejected) {
  if (ClusterRuntime* runtime = cluster(id)) {
    runtime->brain().handle_ejection(now(), backend, ejected);
    runtime->after_brain();
  }
}

void Worker::apply_sibling_load(std::uint32_t sibling, ClusterId id,
                                const std::vector<BackendLoad>& loads) {
  if (ClusterRuntime* runtime = cluster(id)) {
    runtime->brain().handle_sibling_load(now(), sibling, loads);
    runtime->after_brain();
  }
}

void Worker::apply_rate_limit(const std::optional<RateLimitConfig>& limit) {
  if (!limit) return limiter_.reset();
  if (limiter_ && limiter_->config() == *limit) return;
  limiter_.emplace(
      *limit, combine(options_.seed, options_.index),
      options_.has_siblings ? RateLimiter::Siblings::some : RateLimiter::Siblings::none);
}

void Worker::apply_sibling_spent(const std::vector<RateLimiter::Spent>& spent) {
  if (!limiter_) return;
  const Instant at = now();
  for (const auto& [key, count] : spent) limiter_->debit(at, key, count);
}

Duration Worker::over_rate(HashKey key) {
  const RateLimiter::Decision decision = limiter_->admit(now(), key);
  if (decision.admitted) note_load();
  return decision.retry_after;
}

ClusterRuntime* Worker::cluster(ClusterId id) {
  const auto place = clusters_.find(id);
  return place == clusters_.end() ? nullptr : place->second.get();
}

void Worker::open_listener(const ListenerSetup& setup, int fd) {
  listeners_[setup.name] = std::make_unique<Listener>(*this, setup, fd);
}

void Worker::update_listener(const ListenerSetup& setup) {
  const auto place = listeners_.find(setup.name);
  if (place != listeners_.end()) place->second->update(setup);
}

void Worker::close_listener(const std::string& name) { listeners_.erase(name); }

void Worker::stop(bool at_once) {
  stopping_ = true;
  listeners_.clear();
  sessions_.for_each(
      [&](SessionId, Session* session) { at_once ? session->abort() : session->drain(); });
  tell_if_drained();
}

void Worker::tell_if_drained() {
  if (!stopping_ || sessions_.size() > 0) return;
  if (!std::exchange(drained_, true)) options_.drained();
}

void Worker::end() {
  ending_ = true;
  work_.reset();
  timer_.cancel();
  share_timer_.cancel();
  for (auto& [_, cluster] : clusters_) cluster->abandon_own_work();
  // Not at once: whoever waited for what was abandoned wakes up first, and leaves nothing behind.
  boost::asio::post(io_, [this] { io_.stop(); });
}

SessionId Worker::add_session(Session* session) { return sessions_.insert(session); }

void Worker::remove_session(SessionId id) {
  sessions_.erase(id);
  tell_if_drained();
}

DeadlineId Worker::set_deadline(DeadlineKind kind, Instant at, SessionId session) {
  wake_by(at);
  return deadlines_.set(kind, at, subject_of(session));
}

// The timer is set to an earlier time when one is asked for, and never to a later one: a deadline
// that is cancelled or moved, as nearly all are, costs no system call. A firing that finds nothing
// due sets it to what is next.
void Worker::wake_by(Instant at) {
  if (armed_ && *armed_ <= at) return;
  armed_ = at;
  timer_.expires_at(std::chrono::steady_clock::time_point{at.time_since_epoch()});
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) wake();
  });
}

void Worker::wake() {
  armed_.reset();
  const Instant at = now();
  while (const auto expired = deadlines_.pop_expired(at)) {
    const auto id = subject_as<SessionId>(expired->subject);
    if (sessions_.contains(id)) sessions_.at(id)->deadline_passed(expired->kind);
  }
  for (auto& [_, cluster] : clusters_) {
    cluster->handle_timeout(at);
  }
  if (const auto next = deadlines_.earliest()) wake_by(*next);
}

void Worker::start_sharing() {
  sharing_ = true;
  share_timer_.expires_after(options_.load_exchange);
  share_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) share();
  });
}

void Worker::share() {
  sharing_ = false;
  const Instant at = now();
  WorkerReport report;
  bool any = false;
  for (const auto& [id, cluster] : clusters_) {
    Balancer& brain = cluster->brain();
    any = any || brain.in_progress() > 0;
    if (options_.has_siblings) report.loads.emplace_back(id, brain.own_load());
    std::vector<Tally> tallies = brain.take_tallies(at);
    if (!tallies.empty()) report.tallies.emplace_back(id, std::move(tallies));
  }
  if (limiter_) report.spent = limiter_->take_spent();
  any = any || !report.spent.empty();
  options_.share_load(options_.index, std::move(report));
  if (any) start_sharing();
}

std::optional<Explanation> Worker::explain(ClusterId id, const RequestInput& input) {
  ClusterRuntime* runtime = cluster(id);
  if (runtime == nullptr) return std::nullopt;
  return runtime->brain().explain(now(), input);
}

WorkerSnapshot Worker::snapshot() const {
  WorkerSnapshot snapshot;
  snapshot.listeners = listener_counters_;
  snapshot.sessions = sessions_.size();
  for (const auto& [_, cluster] : clusters_) {
    snapshot.clusters.push_back(cluster->snapshot());
  }
  return snapshot;
}

}  // namespace lb::net
