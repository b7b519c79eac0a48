// Backends, the network between them and the daemons, and faults.
#include <utility>

#include "lbcore/assert.h"
#include "lbcore/subject.h"
#include "lbsim/simulation.h"

namespace lb::sim {

std::uint32_t Simulation::backend_index(const std::string& id) const {
  return backend_indices_.at(id);
}

void Simulation::open_connection(AttemptId id) {
  cross(attempts_.at(id), Lane::connect,
        {.kind = EventKind::connect_done, .a = id.slot, .b = id.generation});
}

void Simulation::backend_receives(AttemptId id) {
  if (!attempts_.contains(id)) return;
  Attempt& attempt = attempts_.at(id);
  if (held(attempt, {.kind = EventKind::backend_receives, .a = id.slot, .b = id.generation})) {
    return;
  }
  attempt.reaches_backend = true;
  attempt.arrived = now_;
  // A process that is gone cannot even refuse, and one that came back knows nothing of connections
  // it had in an earlier life: its host resets them.
  const BackendModel& model = backends_[attempt.backend];
  if (!model.up() || attempt.epoch != model.epoch()) return answer_daemon(id, 0);
  attempt.found = model.in_flight();
  admit(id);
}

void Simulation::admit(AttemptId id) {
  const std::uint32_t index = attempts_.at(id).backend;
  const BackendModel::Admission admission = backends_[index].admit(subject_of(id));
  weigh(index);
  switch (admission) {
    case BackendModel::Admission::served: return serve(index, id);
    case BackendModel::Admission::waiting: return;
    case BackendModel::Admission::overloaded: return answer_daemon(id, 503);
    case BackendModel::Admission::broken: return answer_daemon(id, 0);
    case BackendModel::Admission::failing:
      return answer_daemon(id, 500, backends_[index].fails_in());
  }
}

void Simulation::serve(std::uint32_t backend, AttemptId id) {
  BackendModel& model = backends_[backend];
  const Attempt& attempt = attempts_.at(id);
  const Duration now = now_.time_since_epoch();
  const Duration work = model.draw_service_time(
      {.now = now, .load = attempt.workload, .fresh_connection = !attempt.reused});
  BackendModel::Pace* pace = model.pace();
  if (pace != nullptr && model.shares()) {
    pace->shared.begin(now, subject_of(id), static_cast<double>(work.count()));
    return arm_shared(backend);
  }
  const Duration takes =
      pace == nullptr ? work : pace->time.end_of(now, static_cast<double>(work.count())) - now;
  push(takes,
       {.kind = EventKind::service_done, .a = backend, .b = model.epoch(), .c = subject_of(id)});
}

// Requests that slow each other: whoever comes or goes changes when the next one is done.
void Simulation::arm_shared(std::uint32_t backend) {
  BackendModel::Pace& pace = *backends_[backend].pace();
  const Duration now = now_.time_since_epoch();
  ++pace.version;
  const auto end = pace.shared.next_end(now);
  if (end) push(*end - now, {.kind = EventKind::shared_due, .a = backend, .b = pace.version});
}

void Simulation::shared_due(std::uint32_t backend, std::uint32_t version) {
  BackendModel& model = backends_[backend];
  if (model.pace()->version != version) return;
  const JobId job = model.pace()->shared.take(now_.time_since_epoch());
  service_done(backend, model.epoch(), subject_as<AttemptId>(job));
  arm_shared(backend);
}

void Simulation::service_done(std::uint32_t backend, std::uint32_t epoch, AttemptId id) {
  BackendModel& model = backends_[backend];
  if (model.epoch() != epoch) return;  // It crashed meanwhile; the connection broke then.
  if (attempts_.contains(id) && attempts_.at(id).parts_left > 0) return go_on_dripping(backend, id);
  const int status = model.finish(subject_of(id));
  if (status == 0) return;
  if (model.spoils_answers()) return begin_answer(backend, id, status);
  if (attempts_.contains(id)) {
    const Attempt& attempt = attempts_.at(id);
    model.note_latency(attempt.found, now_ - attempt.arrived);
  }
  answer_daemon(id, status);
  serve_waiting(backend);
  weigh(backend);
}

void Simulation::serve_waiting(std::uint32_t backend) {
  while (const auto job = backends_[backend].next_waiting()) {
    serve(backend, subject_as<AttemptId>(*job));
  }
}

// An answer, or with status 0 the news of a broken connection.
void Simulation::answer_daemon(AttemptId id, int status, Duration later) {
  const Event event{
      .kind = EventKind::daemon_hears, .a = id.slot, .b = id.generation, .c = Words{status}.pack()};
  if (attempts_.contains(id)) {
    const Attempt& attempt = attempts_.at(id);
    later += backends_[attempt.backend].answer_delay() +
             paths_.draw_loss_delay(attempt.backend, attempt.daemon);
  }
  if (later == Duration::zero()) return push(Lane::one_way, event);
  push(scenario_.network.one_way + later, event);
}

void Simulation::strike(const scenario::Fault& fault) {
  const std::uint32_t index = backend_index(fault.backend);
  BackendModel& model = backends_[index];
  const bool was_hung = model.hung();
  model.strike(fault, now_.time_since_epoch());
  paths_.strike(index, fault);
  if (fault.kind == scenario::FaultKind::crash) break_connections(index);
  if (fault.kind == scenario::FaultKind::recover && was_hung) thaw(index);
  if (paths_.sound(index)) release(index);
  weigh(index);
}

bool Simulation::held(std::uint32_t backend, std::uint32_t daemon, const Event& event) {
  if (!paths_.cut(backend, daemon)) return false;
  held_[backend].push_back(event);
  return true;
}

void Simulation::release(std::uint32_t backend) {
  const auto held = held_.find(backend);
  if (held == held_.end()) return;
  for (const Event& event : std::exchange(held->second, {})) push(Duration::zero(), event);
}

void Simulation::cross_troubled(const Attempt& attempt, Lane lane, const Event& event) {
  const Duration lost = paths_.draw_loss_delay(attempt.backend, attempt.daemon);
  if (lost == Duration::zero()) return push(lane, event);
  push(lost + (lane == Lane::connect ? scenario_.network.connect : scenario_.network.one_way),
       event);
}

// A crash: the host resets what was open, used or idle.
void Simulation::break_connections(std::uint32_t backend) {
  attempts_.for_each([&](AttemptId id, const Attempt& attempt) {
    if (attempt.backend == backend && attempt.reaches_backend) answer_daemon(id, 0);
  });
  for (std::uint32_t index = 0; index < brains_.size(); ++index) {
    if (!brains_[index].balancer) continue;
    for (const ConnectionId connection : brains_[index].balancer->idle_connections()) {
      if (brains_[index].connection_peer[connection.slot].backend != backend) continue;
      const Event broken = of_idle(EventKind::idle_broken, index, connection);
      if (!held(backend, brains_[index].daemon->number, broken)) push(Lane::one_way, broken);
    }
  }
}

void Simulation::thaw(std::uint32_t backend) {
  const BackendModel::Thawed thawed = backends_[backend].thaw();
  const std::uint32_t epoch = backends_[backend].epoch();
  for (const JobId job : thawed.finished) service_done(backend, epoch, subject_as<AttemptId>(job));
  for (const JobId job : thawed.arrived) admit(subject_as<AttemptId>(job));
  serve_waiting(backend);
}

// A probe opens a connection of its own. It takes no place among the requests: a loaded backend is
// not a sick one.
void Simulation::start_probe(const Daemon& daemon, const ProbeId& probe) {
  std::uint32_t slot = static_cast<std::uint32_t>(probes_.size());
  if (free_probes_.empty()) {
    probes_.emplace_back();
  } else {
    slot = free_probes_.back();
    free_probes_.pop_back();
  }
  probes_[slot] = {daemon.number, daemon.life, probe};
  const std::uint32_t backend = daemon.backend_of_id[probe.backend.value];
  BackendModel& model = backends_[backend];
  const bool http = daemon.control.health_check(probe).type == ProbeType::http;
  Event result{.kind = EventKind::probe_result, .a = slot};
  if (paths_.cut(backend, daemon.number)) return free_probes_.push_back(slot);
  if (!model.accepts_connections()) return push(Lane::connect, result);
  if (!http) {
    result.c = 1;
    return push(Lane::connect, result);
  }
  // A hung process accepts and says nothing: the control brain's timeout decides.
  if (model.hung()) return free_probes_.push_back(slot);
  result.c = model.passes_probes() ? 1 : 0;
  push(scenario_.network.connect + 2 * scenario_.network.one_way + model.answer_delay() +
           paths_.draw_loss_delay(backend, daemon.number),
       result);
}

Event Simulation::of_idle(EventKind kind, std::uint32_t brain, ConnectionId connection) const {
  const std::uint64_t life = brains_[brain].daemon->life;
  return {.kind = kind, .a = brain, .b = connection.slot, .c = life << 32U | connection.generation};
}

std::optional<ConnectionId> Simulation::idle_of(const Event& event) const {
  const Brain& brain = brains_[event.a];
  if (!brain.balancer || event.c >> 32U != brain.daemon->life) return std::nullopt;
  return ConnectionId{event.b, static_cast<std::uint32_t>(event.c)};
}

void Simulation::idle_broken(const Event& event) {
  const auto connection = idle_of(event);
  if (connection) brains_[event.a].balancer->handle_connection_closed(now_, *connection);
}

// What was opened ahead of need: idle now, unless the backend would not have it.
void Simulation::spare_connected(const Event& event) {
  const auto connection = idle_of(event);
  if (!connection) return;
  const Brain& brain = brains_[event.a];
  const Peer peer = brain.connection_peer[connection->slot];
  if (held(peer.backend, brain.daemon->number, event)) return;
  const BackendModel& model = backends_[peer.backend];
  const bool open = model.accepts_connections() && model.epoch() == peer.epoch;
  brain.balancer->handle_spare_connection(now_, *connection, open);
  touch(event.a);
}

// A question about load is answered beside the requests, by a process that can answer at all. It
// goes over a connection that is kept, so one that refuses new ones answers, too.
void Simulation::load_asked(std::uint32_t slot) {
  Report& report = reports_[slot];
  BackendModel& model = backends_[report.backend];
  const bool cut = paths_.cut(report.backend, brains_[report.brain].daemon->number);
  if (!model.up() || model.hung() || model.resets() || cut) return free_reports_.push_back(slot);
  report.load = model.load();
  push(scenario_.network.one_way + model.answer_delay(), {.kind = EventKind::load_told, .a = slot});
}

void Simulation::load_told(std::uint32_t slot) {
  const Report report = reports_[slot];
  free_reports_.push_back(slot);
  const Brain& brain = brains_[report.brain];
  if (!brain.balancer || brain.daemon->life != report.life) return;
  brain.balancer->handle_load_report(now_, report.id, report.load);
}

}  // namespace lb::sim
