// The daemons themselves: configuration, health and load, as their threads pass them on.
#include <algorithm>
#include <utility>

#include "lbsim/scenario/config_change.h"
#include "lbsim/scenario/seeds.h"
#include "lbsim/simulation.h"

namespace lb::sim {

// ---------------------------------------------------------------------------------------------
// Configuration

// Nobody is added later: brains know their daemon by its address.
void Simulation::make_daemons() {
  daemons_.reserve(scenario_.fleet.daemons);
  for (std::uint32_t number = 0; number < scenario_.fleet.daemons; ++number) {
    daemons_.emplace_back(number, scenario::control_seed(scenario_.seed, number));
    daemons_.back().exchange_armed.resize(worker_count_);
  }
}

// The run starts when all of them serve, or later, and every backend is well then.
void Simulation::start_daemons() {
  number_clusters();
  for (Daemon& daemon : daemons_) {
    const Instant since = now_ - age_of(daemon);
    apply_config(daemon, config_.clusters, since);
    live_until_now(daemon, since);
    after_control(daemon);
  }
  observe_all();
}

// How long before the run it was started: anything up to the longest time after which what it does
// by itself comes again.
Duration Simulation::age_of(const Daemon& daemon) const {
  const bool together = scenario_.fleet.probes == scenario::ProbePhase::together;
  Duration longest{};
  for (const ClusterConfig& cluster : config_.clusters) {
    if (cluster.health_check) longest = std::max(longest, cluster.health_check->interval);
    if (cluster.outlier_ejection) longest = std::max(longest, cluster.outlier_ejection->interval);
  }
  if (daemon.number == 0 || together || longest == Duration::zero()) return {};
  Prng prng(scenario::age_seed(scenario_.seed, daemon.number));
  return Duration{
      static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>(longest.count())))};
}

// What the control brain did before the run began, when all probes passed and at once.
void Simulation::live_until_now(Daemon& daemon, Instant since) {
  pass_all_probes(daemon, since);
  for (;;) {
    const std::optional<Instant> next = daemon.control.poll_timeout();
    if (!next || *next >= now_) return;
    daemon.control.handle_timeout(*next);
    pass_all_probes(daemon, *next);
  }
}

void Simulation::pass_all_probes(Daemon& daemon, Instant at) {
  while (const auto action = daemon.control.poll_action()) {
    if (action->kind != ControlAction::Kind::start_probe) continue;
    daemon.control.handle_probe_result(at, action->probe, ProbeResult::pass);
  }
}

// The world's numbers of clusters, and room for a brain in every worker. A cluster that leaves the
// configuration keeps its own.
void Simulation::number_clusters() {
  for (const ClusterConfig& cluster : config_.clusters) {
    const auto next = static_cast<std::uint32_t>(cluster_numbers_.size());
    if (!cluster_numbers_.try_emplace(cluster.name, ClusterId{next}).second) continue;
    for (Daemon& daemon : daemons_) {
      for (std::uint32_t worker = 0; worker < worker_count_; ++worker) {
        brains_.emplace_back(Brain{.daemon = &daemon, .worker = worker});
      }
    }
  }
}

std::vector<std::uint32_t> Simulation::brains_of(const Daemon& daemon) const {
  std::vector<std::uint32_t> brains;
  for (std::uint32_t cluster = 0; cluster < cluster_numbers_.size(); ++cluster) {
    for (std::uint32_t worker = 0; worker < worker_count_; ++worker) {
      brains.push_back(brain_of(cluster, daemon, worker));
    }
  }
  return brains;
}

// A configuration that the control brain has had `since` then. The caller lets after_control()
// follow.
void Simulation::apply_config(Daemon& daemon, const std::vector<ClusterConfig>& clusters,
                              Instant since) {
  apply_rate_limit(daemon);
  daemon.control.handle_config(since, clusters);
  const std::vector<ClusterPlan> plans = daemon.control.plans();
  daemon.id_of_backend.resize(backends_.size(), BackendId{kNobody});
  for (const ClusterPlan& plan : plans) {
    at_slot(daemon.cluster_of_id, plan.id.value) = cluster_numbers_.at(plan.config.name).value;
    for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
      const std::uint32_t backend = backend_index(plan.config.backends[i].id);
      at_slot(daemon.backend_of_id, plan.backend_ids[i].value) = backend;
      daemon.id_of_backend[backend] = plan.backend_ids[i];
    }
  }
  if (daemon.state == Daemon::State::serving) apply_plans(daemon, plans);
}

std::vector<ClusterConfig> Simulation::clusters_of(const Daemon& daemon) {
  std::vector<ClusterConfig> clusters;
  for (ClusterPlan& plan : daemon.control.plans()) clusters.push_back(std::move(plan.config));
  return clusters;
}

// A daemon that is gone reads its configuration when it starts.
void Simulation::change_config(Daemon& daemon, const std::vector<ClusterConfig>& clusters) {
  if (daemon.state == Daemon::State::gone) return;
  apply_config(daemon, clusters, now_);
  after_control(daemon);
}

void Simulation::resolve_later(const scenario::SetBackends& set) {
  if (scenario::find_cluster(config_.clusters, set.cluster) == nullptr) return;
  for (const Daemon& daemon : daemons_) {
    push(scenario::sample(*set.after, resolver_draws_),
         {.kind = EventKind::resolved,
          .a = daemon.number,
          .b = cluster_numbers_.at(set.cluster).value});
  }
}

// Whenever a daemon asks it gets the answer of that moment.
void Simulation::resolve(Daemon& daemon, ClusterId number) {
  std::vector<ClusterConfig> clusters = clusters_of(daemon);
  for (ClusterConfig& cluster : clusters) {
    if (cluster_numbers_.at(cluster.name) != number) continue;
    const ClusterConfig* now = scenario::find_cluster(config_.clusters, cluster.name);
    if (now != nullptr) cluster.backends = now->backends;
  }
  change_config(daemon, clusters);
}

void Simulation::apply_plans(Daemon& daemon, const std::vector<ClusterPlan>& plans) {
  for (const ClusterPlan& plan : plans) {
    const std::uint32_t cluster = daemon.cluster_of_id[plan.id.value];
    for (std::uint32_t worker = 0; worker < worker_count_; ++worker) {
      apply_plan(brain_of(cluster, daemon, worker), plan);
    }
  }
  const std::vector<std::uint32_t> brains = brains_of(daemon);
  for (const std::uint32_t index : brains) {
    const ClusterId cluster = brains_[index].cluster;
    const bool configured = std::any_of(
        plans.begin(), plans.end(), [&](const ClusterPlan& plan) { return plan.id == cluster; });
    if (!configured) apply_plan(index, {cluster, {}, {}, {}, {}});
  }
  for (const std::uint32_t index : brains) {
    after_brain(index);
    if (observed_) observe(index);
  }
}

void Simulation::apply_plan(std::uint32_t index, const ClusterPlan& plan) {
  Brain& brain = brains_[index];
  brain.key = key_expression(plan.config.strategy);
  brain.has_breakers = plan.config.circuit_breaker.has_value();
  brain.cluster = plan.id;
  if (brain.balancer) return brain.balancer->handle_config(now_, plan);
  const std::uint64_t seed =
      scenario::in_life(scenario::brain_seed(scenario_.seed, index), brain.daemon->life);
  brain.balancer = std::make_unique<Balancer>(now_, plan, seed);
  if (journal_) brain.balancer->tell(journal_->begin(index, now_, plan, seed));
}

// A limit that did not change keeps what it knows.
void Simulation::apply_rate_limit(Daemon& daemon) {
  const auto& limit = config_.rate_limit;
  if (!daemon.limiters.empty() && limit == daemon.limiters.front().config()) return;
  daemon.limiters.clear();
  for (std::uint32_t worker = 0; limit && worker < worker_count_; ++worker) {
    const std::uint32_t limiter = daemon.number * worker_count_ + worker;
    daemon.limiters.emplace_back(*limit, combine(scenario_.seed, limiter));
  }
}

// Clients look for the listener of their load once; what it does with them may change.
void Simulation::apply_listeners() {
  const auto number_of = [&](const std::string& name) {
    const auto known = cluster_numbers_.find(name);
    return known == cluster_numbers_.end() ? ClusterId{} : known->second;
  };
  for (Workload& workload : workloads_) {
    const auto listener = std::find_if(
        config_.listeners.begin(), config_.listeners.end(), [&](const auto& candidate) {
          return workload.load->listener.empty() || candidate.name == workload.load->listener;
        });
    workload.pooled = listener->protocol == config::Protocol::http;
    workload.cluster = number_of(listener->cluster);
    workload.routes.reset();
    if (listener->routes.empty()) continue;
    workload.routes =
        std::make_shared<const RouteTable>(listener->routes, listener->ambiguous_paths, number_of);
  }
}

// ---------------------------------------------------------------------------------------------
// Lives

// lbd accepts when its first probes are back.
void Simulation::open(Daemon& daemon) {
  daemon.state = Daemon::State::serving;
  apply_plans(daemon, daemon.control.plans());
  for (const SimRequestId id : std::exchange(daemon.waiting, {})) daemon_receives(id);
}

void Simulation::play(const scenario::DaemonFault& fault) {
  Daemon& daemon = daemons_[fault.daemon];
  const bool gone = daemon.state == Daemon::State::gone;
  if (fault.drain > Duration::zero()) {
    if (!gone && !daemon.draining) drain(daemon, fault.drain);
    return;
  }
  if (fault.kind == scenario::FaultKind::crash && !gone) crash(daemon);
  if (fault.kind == scenario::FaultKind::recover && gone) restart(daemon);
}

// Its listeners are closed, and all else goes on.
void Simulation::drain(Daemon& daemon, Duration grace) {
  note(Mark::daemon_drains, daemon.number);
  if (has_finished(daemon)) return crash(daemon);
  daemon.draining = true;
  draining_.push_back(daemon.number);
  push(grace, {.kind = EventKind::drain_ends, .a = daemon.number, .b = daemon.life});
}

// Between two events, of which one was about a brain.
void Simulation::end_drains() {
  for (std::size_t i = draining_.size(); i-- > 0;) {
    Daemon& daemon = daemons_[draining_[i]];
    if (has_finished(daemon)) crash(daemon);
  }
}

bool Simulation::has_finished(const Daemon& daemon) const {
  if (!daemon.waiting.empty()) return false;
  for (std::uint32_t cluster = 0; cluster < cluster_numbers_.size(); ++cluster) {
    for (std::uint32_t worker = 0; worker < worker_count_; ++worker) {
      const Brain& brain = brains_[brain_of(cluster, daemon, worker)];
      if (brain.balancer && brain.balancer->in_progress() > 0) return false;
    }
  }
  return true;
}

void Simulation::crash(Daemon& daemon) {
  note(Mark::daemon_gone, daemon.number);
  if (std::exchange(daemon.draining, false)) std::erase(draining_, daemon.number);
  daemon.state = Daemon::State::gone;
  keep_counters(daemon);
  break_clients(daemon);
  for (const std::uint32_t index : brains_of(daemon)) {
    Brain& brain = brains_[index];
    brain = Brain{.daemon = brain.daemon,
                  .worker = brain.worker,
                  .cluster = ClusterId{kNobody},
                  .standing = std::move(brain.standing)};
  }
  daemon.control_armed.reset();
  daemon.limiters.clear();
}

// Its host resets the connections of its clients, and of those that waited to be accepted.
void Simulation::break_clients(Daemon& daemon) {
  requests_.for_each([&](SimRequestId id, SimRequest& request) {
    if (request.daemon != daemon.number || !request.daemon_has_it) return;
    leave_queue(request);
    if (attempts_.contains(request.attempt)) end_attempt(request.attempt);
    request.daemon_has_it = false;
    request.answered_by = kNobody;
    answer_client(id, 0);
  });
  for (const SimRequestId id : std::exchange(daemon.waiting, {})) {
    if (requests_.contains(id)) answer_client(id, 0);
  }
}

// What its brains counted is counted, though they die; what they had in progress has ended, too.
void Simulation::keep_counters(Daemon& daemon) const {
  for (const std::uint32_t index : brains_of(daemon)) {
    if (!brains_[index].balancer) continue;
    const Balancer& balancer = *brains_[index].balancer;
    daemon.past.add(totals_of(balancer.counters()));
    daemon.past.outcomes["daemon_gone"] += balancer.in_progress();
  }
}

// As a new process: it knows nothing but its configuration.
void Simulation::restart(Daemon& daemon) {
  note(Mark::daemon_back, daemon.number);
  daemon.state = Daemon::State::starting;
  ++daemon.life;
  daemon.control = Control(
      scenario::in_life(scenario::control_seed(scenario_.seed, daemon.number), daemon.life));
  daemon.backend_of_id.clear();
  daemon.id_of_backend.clear();
  daemon.cluster_of_id.clear();
  apply_config(daemon, config_.clusters, now_);
  after_control(daemon);
}

// ---------------------------------------------------------------------------------------------
// Health

void Simulation::control_wakes(Daemon& daemon) {
  if (daemon.control_armed != now_) return;
  daemon.control_armed.reset();
  daemon.control.handle_timeout(now_);
  after_control(daemon);
}

void Simulation::probe_returns(std::uint32_t slot, ProbeResult result) {
  free_probes_.push_back(slot);
  const Probe& probe = probes_[slot];
  Daemon& daemon = daemons_[probe.daemon];
  if (daemon.life != probe.life || daemon.state == Daemon::State::gone) return;
  daemon.control.handle_probe_result(now_, probe.id, result);
  after_control(daemon);
}

void Simulation::after_control(Daemon& daemon) {
  while (const auto action = daemon.control.poll_action()) {
    switch (action->kind) {
      case ControlAction::Kind::start_probe: start_probe(daemon, action->probe); break;
      case ControlAction::Kind::abandon_probe: break;  // Its result will come late, and be ignored.
      case ControlAction::Kind::health_changed:
        note(static_cast<std::uint64_t>(action->to), action->probe.backend.value);
        pass_on(daemon, *action);
        break;
      case ControlAction::Kind::ejection_changed:
        note(action->ejection.ejected ? Mark::ejected : Mark::readmitted,
             action->probe.backend.value);
        pass_on(daemon, *action);
        break;
    }
  }
  if (daemon.state == Daemon::State::starting && daemon.control.knows_all()) open(daemon);
  const std::optional<Instant> next = daemon.control.poll_timeout();
  if (next && (!daemon.control_armed || *next < *daemon.control_armed)) {
    daemon.control_armed = next;
    push(*next - now_, {.kind = EventKind::control_wakes, .a = daemon.number});
  }
}

// A change of a backend, to all workers of the daemon; before it serves, they are told all at once.
void Simulation::pass_on(const Daemon& daemon, const ControlAction& change) {
  if (daemon.state != Daemon::State::serving) return;
  const std::uint32_t cluster = daemon.cluster_of_id[change.probe.cluster.value];
  for (std::uint32_t worker = 0; worker < worker_count_; ++worker) {
    const std::uint32_t brain = brain_of(cluster, daemon, worker);
    Balancer& balancer = *brains_[brain].balancer;
    if (change.kind == ControlAction::Kind::health_changed) {
      balancer.handle_health(now_, change.probe.backend, change.to, change.silent);
    } else {
      balancer.handle_ejection(now_, change.probe.backend, change.ejection.ejected);
    }
    after_brain(brain);
    if (observed_) observe(brain);
  }
}

// ---------------------------------------------------------------------------------------------
// What workers tell each other, and the control brain

void Simulation::arm_load_exchange(Daemon& daemon, std::uint32_t worker) {
  // A worker without siblings has only the control brain to tell.
  const bool tells =
      worker_count_ > 1 || std::any_of(config_.clusters.begin(), config_.clusters.end(),
                                       [](const ClusterConfig& cluster) {
                                         return cluster.outlier_ejection.has_value();
                                       });
  if (!tells || daemon.exchange_armed[worker]) return;
  daemon.exchange_armed[worker] = true;
  push(config_.load_exchange, {.kind = EventKind::load_exchange, .a = daemon.number, .b = worker});
}

void Simulation::exchange_load(Daemon& daemon, std::uint32_t worker) {
  daemon.exchange_armed[worker] = false;
  if (daemon.state != Daemon::State::serving) return;
  bool loaded = false;
  for (std::uint32_t cluster = 0; cluster < cluster_numbers_.size(); ++cluster) {
    const Brain& from = brains_[brain_of(cluster, daemon, worker)];
    const std::vector<Tally> tallies = from.balancer->take_tallies(now_);
    if (!tallies.empty()) daemon.control.handle_tallies(now_, from.cluster, worker, tallies);
    loaded = loaded || !tallies.empty();
    if (worker_count_ == 1) {
      loaded = loaded || from.balancer->in_flight() > 0;
      continue;
    }
    const std::vector<BackendLoad> load = from.balancer->own_load();
    loaded = loaded || !load.empty();
    for (std::uint32_t sibling = 0; sibling < worker_count_; ++sibling) {
      if (sibling == worker) continue;
      const std::uint32_t to = brain_of(cluster, daemon, sibling);
      brains_[to].balancer->handle_sibling_load(now_, worker, load);
      after_brain(to);
    }
  }
  loaded = exchange_spent(daemon, worker) || loaded;
  if (loaded) arm_load_exchange(daemon, worker);
  after_control(daemon);
}

// What the rate limiter let in. True when there was something to tell.
bool Simulation::exchange_spent(Daemon& daemon, std::uint32_t worker) {
  if (daemon.limiters.empty()) return false;
  const std::vector<RateLimiter::Spent> all = daemon.limiters[worker].take_spent();
  for (const auto& [key, count] : all) {
    for (std::uint32_t sibling = 0; sibling < worker_count_; ++sibling) {
      if (sibling != worker) daemon.limiters[sibling].debit(now_, key, count);
    }
  }
  return !all.empty();
}

}  // namespace lb::sim
