// The loop and the clients.
#include "lbsim/simulation.h"

#include <algorithm>
#include <utility>

#include "lbcore/assert.h"
#include "lbcore/subject.h"
#include "lbsim/scenario/config_change.h"
#include "lbsim/scenario/seeds.h"

namespace lb::sim {
namespace {

using scenario::ClientResult;

bool is_idempotent(const std::string& method) { return method != "POST" && method != "PATCH"; }

}  // namespace

Simulation::Simulation(const scenario::Scenario& scenario, const Wishes& wishes)
    : scenario_(scenario),
      digest_(mix(scenario.seed)),
      collector_(scenario, wishes.over_time),
      journal_(wishes.journal ? std::make_unique<journal::Writer>(wishes.journal) : nullptr),
      config_(scenario.config),
      worker_count_(std::max<std::uint32_t>(scenario.config.workers.count, 1)),
      daemon_choice_(scenario.fleet, scenario::fleet_seed(scenario.seed)),
      split_draws_(scenario::split_seed(scenario.seed)),
      resolver_draws_(scenario::resolver_seed(scenario.seed)),
      paths_(scenario, scenario.fleet.daemons) {
  for (const auto& member : scenario.all_backends()) {
    const std::string& id = member.backend.id;
    const std::uint64_t seed = scenario::backend_seed(scenario.seed, id);
    backend_indices_.emplace(id, static_cast<std::uint32_t>(backends_.size()));
    backends_.emplace_back(id, scenario.behaviour(id), seed);
    backends_.back().set_loads(scenario.load);
    places_.push_back(collector_.place_of(id));
  }
  weights_.resize(backends_.size());
  presence_.resize(backends_.size());
  for (const auto& member : scenario.all_backends()) {
    presence_[backend_index(member.backend.id)].brains += scenario.fleet.daemons * worker_count_;
  }
  note_presence();
  make_daemons();
  start_daemons();
  for (std::size_t i = 0; i < scenario.load.size(); ++i) {
    const scenario::Load& load = scenario.load[i];
    Workload& workload =
        workloads_.emplace_back(Workload{.index = static_cast<std::uint32_t>(i),
                                         .load = &load,
                                         .prng = Prng(scenario::load_seed(scenario.seed, i)),
                                         .requests = ClientRequests(load, i)});
    workload.idempotent = is_idempotent(load.request.method);
    workload.bodiless = load.request.method == "HEAD";
    if (!std::holds_alternative<scenario::ClosedLoop>(load.arrivals)) {
      workload.arrivals =
          std::make_unique<scenario::ArrivalProcess>(load, scenario::load_seed(scenario.seed, i));
    }
    const std::uint32_t clients = scenario::client_count(load);
    for (std::uint32_t client = 0; client < clients; ++client) {
      workload.client_keys.push_back(hash_bytes(scenario::client_address(i, client)));
    }
    workload.sessions.resize(clients);
  }
  apply_listeners();
}

scenario::Report Simulation::run(const Progress& progress) {
  for (std::uint32_t i = 0; i < scenario_.events.size(); ++i) {
    push(scenario_.events[i].at, {.kind = EventKind::timeline, .a = i});
  }
  for (std::uint32_t i = 0; i < workloads_.size(); ++i) {
    const auto* closed = std::get_if<scenario::ClosedLoop>(&workloads_[i].load->arrivals);
    if (closed == nullptr) {
      schedule_next_arrival(i);
      continue;
    }
    for (std::uint32_t client = 0; client < closed->clients; ++client) {
      push(Duration::zero(), {.kind = EventKind::arrival, .a = i, .b = client});
    }
  }
  start_cuts();
  start_scalers();
  if (collector_.over_time() != nullptr) {
    push(collector_.over_time()->interval(), {.kind = EventKind::look});
  }
  constexpr std::uint64_t kEventsBetweenProgress = 1U << 16U;
  std::uint64_t events = 0;
  while (!events_.empty()) {
    const Event event = events_.pop();
    LB_ASSERT(event.at >= now_);
    sending_ = event.at.time_since_epoch() < scenario_.duration;
    if (!sending_ && requests_.size() == 0 && retrying_.size() == 0) break;
    now_ = event.at;
    dispatch(event);
    if (touched_ != kNobody) {
      after_brain(touched_);
      if (!draining_.empty()) end_drains();
    }
    if (progress && ++events % kEventsBetweenProgress == 0) {
      progress(now_.time_since_epoch(), events);
    }
  }
  finish_measures();
  for (const Brain& brain : brains_) {
    if (!brain.balancer) continue;
    LB_ASSERT(brain.balancer->in_progress() == 0);
    LB_ASSERT(brain.balancer->counters().requests == brain.balancer->counters().outcomes.total());
  }
  return report();
}

scenario::Report Simulation::report() {
  std::vector<scenario::BalancerTotals> daemons = totals();
  scenario::Report report = collector_.finish("simulated", total());
  if (daemons.size() > 1) report.daemons = std::move(daemons);
  report.client_retries = client_retries_;
  constexpr std::string_view kDigits = "0123456789abcdef";
  report.digest.emplace();
  for (unsigned shift = 64; shift > 0; shift -= 4) {
    *report.digest += kDigits[(digest_ >> (shift - 4)) & 0xfU];
  }
  return report;
}

void Simulation::dispatch(const Event& event) {
  const SimRequestId request{event.a, event.b};
  const AttemptId attempt{event.a, event.b};
  const auto status = static_cast<int>(event.c);
  switch (event.kind) {
    case EventKind::arrival: {
      if (!sending_) break;
      workloads_[event.a].arrivals ? arrive(event.a) : begin_request(event.a, event.b, 0);
      break;
    }
    case EventKind::client_timeouts: client_timeouts(event.a); break;
    case EventKind::client_retries: retry_request({event.a, event.b}); break;
    case EventKind::daemon_receives: daemon_receives(request); break;
    case EventKind::connect_done: connect_done(attempt); break;
    case EventKind::backend_receives: backend_receives(attempt); break;
    case EventKind::shared_due: shared_due(event.a, event.b); break;
    case EventKind::service_done:
      service_done(event.a, event.b, subject_as<AttemptId>(event.c));
      break;
    case EventKind::daemon_hears: daemon_hears(attempt, Words::unpack(event.c)); break;
    case EventKind::client_hears: client_hears(request, status); break;
    case EventKind::client_left: client_left(request); break;
    case EventKind::idle_broken: idle_broken(event); break;
    case EventKind::brain_wakes: brain_wakes(event.a); break;
    case EventKind::control_wakes: control_wakes(daemons_[event.a]); break;
    case EventKind::probe_result:
      probe_returns(event.a, event.c == 1 ? ProbeResult::pass : ProbeResult::fail);
      break;
    case EventKind::load_exchange: exchange_load(daemons_[event.a], event.b); break;
    case EventKind::spare_connected: spare_connected(event); break;
    case EventKind::load_asked: load_asked(event.a); break;
    case EventKind::load_told: load_told(event.a); break;
    case EventKind::scaler_looks: scaler_looks(event.a); break;
    case EventKind::scaler_starts: scaler_starts(event.a, event.b); break;
    case EventKind::resolved: resolve(daemons_[event.a], ClusterId{event.b}); break;
    case EventKind::drain_ends: {
      Daemon& daemon = daemons_[event.a];
      if (daemon.draining && daemon.life == event.b) crash(daemon);
      break;
    }
    case EventKind::look: look(); break;
    case EventKind::cut: cut(event.a); break;
    case EventKind::observe: observe(event.a); break;
    case EventKind::timeline: play(scenario_.events[event.a]); break;
  }
}

void Simulation::arrive(std::uint32_t index) {
  const scenario::Arrival arrival = workloads_[index].next;
  schedule_next_arrival(index);
  begin_request(index, arrival.client, arrival.target);
}

void Simulation::schedule_next_arrival(std::uint32_t index) {
  const auto next = workloads_[index].arrivals->next();
  if (!next) return;
  scenario::Arrival& arrival = workloads_[index].next;
  arrival.at = next->at;
  arrival.client = next->client;
  arrival.target = next->target;
  push(next->at - now_.time_since_epoch(), {.kind = EventKind::arrival, .a = index});
}

void Simulation::begin_request(std::uint32_t index, std::uint32_t client, std::uint32_t target) {
  ++sent_;
  in_system_.rise(since_start());
  const SimRequestId id = requests_.make();
  SimRequest& request = requests_.at(id);
  request.workload = index;
  request.client = client;
  request.target = target;
  request.sent = now_;
  send_request(id, request);
}

void Simulation::retry_request(RetryId id) {
  const SimRequestId again = requests_.insert(retrying_.at(id));
  retrying_.erase(id);
  ++client_retries_;
  send_request(again, requests_.at(again));
}

void Simulation::send_request(SimRequestId id, SimRequest& request) {
  Workload& workload = workloads_[request.workload];
  request.daemon = daemon_choice_.next(workload.key_of_client(request.client));
  push(Lane::one_way, {.kind = EventKind::daemon_receives, .a = id.slot, .b = id.generation});
  // Two out for one in: the queue is as long as there are requests, however patient they are.
  for (int n = 0; n < 2 && !workload.patience.empty(); ++n) {
    if (client_waits(workload.patience.front().request)) break;
    workload.patience.drop();
  }
  workload.patience.push({now_ + workload.load->timeout, id});
  if (std::exchange(workload.patience_armed, true)) return;
  push(workload.load->timeout, {.kind = EventKind::client_timeouts, .a = request.workload});
}

void Simulation::client_timeouts(std::uint32_t index) {
  Workload& workload = workloads_[index];
  workload.patience_armed = false;
  while (!workload.patience.empty()) {
    const auto [ends, id] = workload.patience.front();
    const bool waits = client_waits(id);
    if (waits && ends > now_) {
      workload.patience_armed = true;
      return push(ends - now_, {.kind = EventKind::client_timeouts, .a = index});
    }
    workload.patience.drop();
    if (!waits) continue;
    conclude(id, ClientResult::timed_out, kNobody);
    push(Lane::one_way, {.kind = EventKind::client_left, .a = id.slot, .b = id.generation});
  }
}

void Simulation::client_hears(SimRequestId id, int status) {
  if (!requests_.contains(id)) return;
  const SimRequest& request = requests_.at(id);
  if (request.client_waits) {
    const ClientResult result = status == 0    ? ClientResult::failed
                                : status < 500 ? ClientResult::ok
                                               : ClientResult::server_error;
    conclude(id, result, request.answered_by);
  }
  forget_if_over(id);
}

void Simulation::conclude(SimRequestId id, ClientResult result, std::uint32_t backend) {
  SimRequest& request = requests_.at(id);
  request.client_waits = false;
  note(static_cast<std::uint64_t>(result), id.slot);
  const scenario::ClientRetries& retries = workloads_[request.workload].load->retries;
  if (result != ClientResult::ok && request.tries < retries.attempts) {
    const RetryId retry = retrying_.insert({.workload = request.workload,
                                            .client = request.client,
                                            .target = request.target,
                                            .sent = request.sent,
                                            .tries = request.tries + 1});
    return push(retries.backoff,
                {.kind = EventKind::client_retries, .a = retry.slot, .b = retry.generation});
  }
  in_system_.fall(since_start());
  collector_.add({.sent = request.sent.time_since_epoch(),
                  .latency = now_ - request.sent,
                  .result = result,
                  .backend = {},
                  .load = request.workload},
                 backend == kNobody ? scenario::Collector::kNobody : places_[backend]);
  const auto* closed =
      std::get_if<scenario::ClosedLoop>(&workloads_[request.workload].load->arrivals);
  if (closed == nullptr) return;
  const Duration think = scenario::sample(closed->think_time, workloads_[request.workload].prng);
  push(think, {.kind = EventKind::arrival, .a = request.workload, .b = request.client});
}

void Simulation::forget_if_over(SimRequestId id) {
  const SimRequest& request = requests_.at(id);
  if (!request.client_waits && !request.daemon_has_it) requests_.erase(id);
}

void Simulation::play(const scenario::Event& event) {
  if (const auto* fault = std::get_if<scenario::Fault>(&event.what)) return strike(*fault);
  if (const auto* fault = std::get_if<scenario::DaemonFault>(&event.what)) return play(*fault);
  scenario::change_clusters(event, config_.clusters);
  number_clusters();
  note_presence();
  const auto* set = std::get_if<scenario::SetBackends>(&event.what);
  if (set != nullptr && set->after) return resolve_later(*set);
  if (const auto* reload = std::get_if<scenario::Reload>(&event.what)) {
    for (config::ListenerConfig& listener : config_.listeners) {
      for (const config::ListenerConfig& next : reload->config.listeners) {
        if (next.name == listener.name) listener = next;
      }
    }
  }
  for (Daemon& daemon : daemons_) {
    std::vector<ClusterConfig> clusters = clusters_of(daemon);
    scenario::change_clusters(event, clusters);
    change_config(daemon, clusters);
  }
  apply_listeners();
}

scenario::Report simulate(const scenario::Scenario& scenario, const Wishes& wishes) {
  return Simulation(scenario, wishes).run(wishes.progress);
}

}  // namespace lb::sim
