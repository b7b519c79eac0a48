#include "lbnet/cluster_runtime.h"

#include <algorithm>
#include <cerrno>
#include <functional>

#include "lbnet/clock.h"
#include "lbnet/proxy_sender.h"
#include "lbnet/tls/client_context.h"
#include "lbnet/tls/tls_connection.h"
#include "lbnet/worker.h"

namespace lb::net {

// A connection nobody waits for: opened ahead of the first request that would.
Task<void> ClusterRuntime::open_spare(ConnectionId id, BackendId backend) {
  ++spares_opening_;
  IoError error = open_upstream(id, backend);
  if (error == 0) {
    upstream(id).opening_spare = true;
    error = co_await finish_opening(upstream(id));
    upstream(id).opening_spare = false;
    if (!up_to_date(upstream(id))) error = ECANCELED;
  }
  --spares_opening_;
  if (error == 0) {
    watch_idle(upstream(id));
  } else {
    close_upstream(id);
  }
  brain_.handle_spare_connection(now(), id, error == 0);
  after_brain();
}

ClusterRuntime::ClusterRuntime(Worker& worker, const ClusterSetup& setup, std::uint64_t seed)
    : worker_(worker),
      brain_(now(), setup.plan, seed),
      load_prober_(worker.io(), worker.buffers(), [this](BackendId backend, const auto& report) {
        brain_.handle_load_report(now(), backend, report);
        after_brain();
      }) {
  apply(setup);
}

ClusterRuntime::~ClusterRuntime() = default;

void ClusterRuntime::apply(const ClusterSetup& setup) {
  name_ = setup.plan.config.name;
  take_tls(setup);
  take_peers(setup);
  key_expression_ = lb::key_expression(setup.plan.config.strategy);
  affinity_.reset();
  if (setup.plan.config.affinity) affinity_.emplace(setup.plan);
  load_prober_.apply(load_question(setup.plan.config.strategy), setup.plan.backend_ids, tls_,
                     setup.plan.config.proxy_protocol);
  brain_.handle_config(now(), setup.plan);
  after_brain();
}

// What was agreed on by other rules is not gone by any longer: no idle connection is used again, no
// session resumed.
void ClusterRuntime::take_tls(const ClusterSetup& setup) {
  if (setup.tls == tls_) return;
  tls_ = setup.tls;
  for (Peer& peer : peers_) peer.session.reset();
  for (const std::unique_ptr<Upstream>& upstream : upstreams_) {
    if (upstream && upstream->idle) drop_idle(upstream->id);
  }
}

// Who is new, and who was there and stays, in the configuration or in the brain's memory.
void ClusterRuntime::take_peers(const ClusterSetup& setup) {
  std::vector<Peer> peers;
  const std::vector<BackendId>& ids = setup.plan.backend_ids;
  peers.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const BackendConfig& backend = setup.plan.config.backends[i];
    const Peer* known = find_peer(ids[i]);
    auto session = known == nullptr ? nullptr : known->session;
    if (tls_ && !session) session = std::make_shared<tls::SessionSlot>();
    peers.push_back({ids[i], backend.id, setup.endpoints[i], backend.address, std::move(session)});
  }
  for (const BackendStatus& status : brain_.backends()) {
    const Peer* known = find_peer(status.id);
    if (known != nullptr) peers.push_back(*known);
  }
  // Of two with the same id the first stays: its host name may have been looked up anew.
  std::ranges::stable_sort(peers, std::ranges::less{}, &Peer::id);
  const auto doubles = std::ranges::unique(peers, std::ranges::equal_to{}, &Peer::id);
  peers.erase(doubles.begin(), doubles.end());
  peers_ = std::move(peers);
}

void ClusterRuntime::after_brain() {
  while (const auto action = brain_.poll_action()) act(*action);
  if (const auto next = brain_.poll_timeout()) worker_.wake_by(*next);
}

void ClusterRuntime::act(const Action& action) {
  switch (action.kind) {
    case Action::Kind::abort_attempt:
      if (RequestOwner* owner = owners_[action.request.slot]) owner->abort_attempt(action.failure);
      break;
    case Action::Kind::attempt_due:
      if (RequestOwner* owner = owners_[action.request.slot]) owner->attempt_due();
      break;
    case Action::Kind::close_connection: close_upstream(action.connection); break;
    case Action::Kind::open_connection:
      if (!worker_.ending()) spawn(open_spare(action.connection, action.backend));
      break;
    case Action::Kind::ask_load:
      if (!worker_.ending()) ask_load(action.backend);
      break;
  }
}

void ClusterRuntime::ask_load(BackendId backend) {
  const Peer* peer = find_peer(backend);
  LB_ASSERT(peer != nullptr);
  load_prober_.ask(now(), backend, peer->endpoint, host_field(peer->endpoint, peer->address));
  if (const auto next = load_prober_.poll_timeout()) worker_.wake_by(*next);
}

void ClusterRuntime::handle_timeout(Instant at) {
  brain_.handle_timeout(at);
  load_prober_.handle_timeout(at);
  if (const auto next = load_prober_.poll_timeout()) worker_.wake_by(*next);
  after_brain();
}

void ClusterRuntime::abandon_own_work() {
  load_prober_.abandon_all();
  for (const std::unique_ptr<Upstream>& upstream : upstreams_) {
    if (upstream && upstream->opening_spare) upstream->stream.cancel();
  }
}

void ClusterRuntime::set_owner(RequestId request, RequestOwner* owner) {
  if (request.slot >= owners_.size()) owners_.resize(request.slot + 1);
  owners_[request.slot] = owner;
}

IoError ClusterRuntime::open_upstream(ConnectionId id, BackendId backend,
                                      std::unique_ptr<const ProxyHeaderText> header) {
  const Peer* peer = find_peer(backend);
  LB_ASSERT(peer != nullptr);
  const int fd = start_connecting(peer->endpoint);
  if (fd < 0) return errno;
  if (id.slot >= upstreams_.size()) {
    upstreams_.resize(id.slot + 1);
    watches_.resize(id.slot + 1);
  }
  upstreams_[id.slot] = std::make_unique<Upstream>(worker_.io(), fd, worker_.buffers(), id);
  upstreams_[id.slot]->header = std::move(header);
  if (tls_) {
    upstreams_[id.slot]->tls = tls_.get();
    upstreams_[id.slot]->stream.start_tls(
        tls_->connect(host_field(peer->endpoint, peer->address), peer->session));
  }
  if (!watches_[id.slot]) watches_[id.slot] = std::make_unique<Watch>();
  *watches_[id.slot] = {this, id};
  return 0;
}

Task<IoError> ClusterRuntime::finish_opening(Upstream& upstream) {
  IoError error = co_await upstream.stream.finish_connect();
  if (error == 0 && upstream.header) error = send_header(upstream.stream, *upstream.header);
  if (error == 0 && upstream.tls != nullptr) error = co_await upstream.stream.handshake();
  co_return error;
}

Upstream& ClusterRuntime::upstream(ConnectionId id) {
  LB_ASSERT(upstreams_[id.slot] && upstreams_[id.slot]->id == id);
  return *upstreams_[id.slot];
}

const TlsConnection* ClusterRuntime::tls_of(ConnectionId id) const {
  const bool open =
      id.slot < upstreams_.size() && upstreams_[id.slot] && upstreams_[id.slot]->id == id;
  return open ? upstreams_[id.slot]->stream.tls() : nullptr;
}

void ClusterRuntime::close_upstream(ConnectionId id) {
  if (id.slot >= upstreams_.size()) return;
  std::unique_ptr<Upstream>& upstream = upstreams_[id.slot];
  if (!upstream || upstream->id != id) return;
  // Whoever opens it still waits for it, and will close it.
  if (upstream->opening_spare) return upstream->stream.cancel();
  upstream.reset();
}

void ClusterRuntime::cancel_upstream(ConnectionId id) {
  if (id.slot >= upstreams_.size()) return;
  Upstream* upstream = upstreams_[id.slot].get();
  if (upstream != nullptr && upstream->id == id) upstream->stream.cancel();
}

void ClusterRuntime::watch_idle(Upstream& upstream) {
  upstream.idle = true;
  upstream.in.rest();
  upstream.stream.on_unawaited_read(&ClusterRuntime::idle_upstream_woke,
                                    watches_[upstream.id.slot].get());
  upstream.stream.start_read_into(upstream.in);
}

// An idle connection has nothing to say: its end, or bytes nobody asked for, make it useless.
void ClusterRuntime::idle_upstream_woke(void* watch) {
  const auto [cluster, id] = *static_cast<Watch*>(watch);
  cluster->drop_idle(id);
}

void ClusterRuntime::drop_idle(ConnectionId id) {
  brain_.handle_connection_closed(now(), id);
  close_upstream(id);
}

const ClusterRuntime::Peer* ClusterRuntime::find_peer(BackendId id) const {
  const auto place = std::lower_bound(peers_.begin(), peers_.end(), id,
                                      [](const Peer& a, BackendId b) { return a.id < b; });
  return place != peers_.end() && place->id == id ? &*place : nullptr;
}

ClusterSnapshot ClusterRuntime::snapshot() const {
  ClusterSnapshot snapshot;
  snapshot.name = name_;
  snapshot.counters = brain_.counters();
  snapshot.load_probes = load_prober_.counters();
  snapshot.in_progress = brain_.in_progress();
  snapshot.queue_length = brain_.queue_length();
  snapshot.panicking = brain_.panicking();
  snapshot.max_in_flight_per_backend = brain_.config().limits.max_in_flight_per_backend;
  for (const BackendStatus& status : brain_.backends()) {
    const Peer* peer = find_peer(status.id);
    LB_ASSERT(peer != nullptr);
    snapshot.backends.push_back({status, peer->name, peer->address, status.errors.read(now())});
  }
  return snapshot;
}

std::string_view ClusterRuntime::backend_name(BackendId id) const {
  const Peer* peer = find_peer(id);
  return peer == nullptr ? std::string_view{} : peer->name;
}

}  // namespace lb::net
