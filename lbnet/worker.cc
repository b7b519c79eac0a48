#include "lbnet/worker.h"

#include <pthread.h>

#include <utility>

#include "lbcore/subject.h"
#include "lbnet/clock.h"

namespace lb::net {

void ListenerCounters::add(const ListenerCounters& other) {
  connections += other.connections;
  connections_active += other.connections_active;
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += other.answers[i];
  rejected += other.rejected;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  durations.add(other.durations);
}

Worker::Worker(const WorkerOptions& options)
    : options_(options), io_(1), work_(io_.get_executor()), timer_(io_), share_timer_(io_) {}

Worker::~Worker() = default;

void Worker::run() {
  io_.run();
  // Sessions are gone; what is left are idle connections and their streams.
  clusters_.clear();
}

void Worker::apply(const std::vector<ClusterSetup>& clusters) {
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
        std::any_of(clusters.begin(), clusters.end(), [&](const ClusterSetup& setup) {
          return setup.plan.id == place->first;
        });
    if (!configured && place->second->brain().in_progress() == 0) {
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

void Worker::apply_health(ClusterId id, BackendId backend, HealthState state) {
  if (ClusterRuntime* runtime = cluster(id)) {
    runtime->brain().handle_health(backend, state);
    runtime->after_brain();
  }
}

void Worker::apply_sibling_load(std::uint32_t sibling, ClusterId id,
                                const std::vector<BackendLoad>& loads) {
  if (ClusterRuntime* runtime = cluster(id)) {
    runtime->brain().handle_sibling_load(sibling, loads);
  }
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
  work_.reset();
  timer_.cancel();
  share_timer_.cancel();
  io_.stop();
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
    cluster->brain().handle_timeout(at);
    cluster->after_brain();
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
  std::vector<std::pair<ClusterId, std::vector<BackendLoad>>> loads;
  bool any = false;
  for (const auto& [id, cluster] : clusters_) {
    loads.emplace_back(id, cluster->brain().own_load());
    any = any || !loads.back().second.empty();
  }
  options_.share_load(options_.index, loads);
  if (any) start_sharing();
}

WorkerSnapshot Worker::snapshot() const {
  WorkerSnapshot snapshot;
  snapshot.listeners = listener_counters_;
  snapshot.sessions = sessions_.size();
  for (const auto& [_, cluster] : clusters_) {
    ClusterSnapshot& copy = snapshot.clusters.emplace_back();
    copy.name = cluster->name();
    copy.counters = cluster->brain().counters();
    copy.in_progress = cluster->brain().in_progress();
    for (BackendStatus status : cluster->brain().backends()) {
      ClusterSnapshot::Backend backend{status, status.config->id, status.config->address};
      backend.status.config = nullptr;
      copy.backends.push_back(std::move(backend));
    }
  }
  return snapshot;
}

}  // namespace lb::net
