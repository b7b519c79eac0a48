// A request in a daemon: what lbnet does on sockets for the real brain, done in virtual time.
#include "lbcore/assert.h"
#include "lbcore/subject.h"
#include "lbsim/simulation.h"

namespace lb::sim {
namespace {

constexpr std::uint64_t kAnySigner = ~std::uint64_t{0};

// Whose secret it is when none is configured: made up at every start.
std::uint64_t signer_of(const Daemon& daemon) {
  return std::uint64_t{daemon.life} << 32U | daemon.number;
}

}  // namespace

void Simulation::daemon_receives(SimRequestId id) {
  if (!requests_.contains(id)) return;  // The client's patience was shorter than its way here.
  SimRequest& request = requests_.at(id);
  if (!request.client_waits) return;
  const Workload& workload = workloads_[request.workload];
  Daemon& daemon = daemons_[request.daemon];
  if (daemon.state == Daemon::State::gone || daemon.draining) return daemon_refuses(id);
  if (daemon.state == Daemon::State::starting) return daemon.waiting.push_back(id);
  const std::uint32_t worker = worker_of(workload, request.client);
  if (over_rate(daemon, worker, request)) {
    note(429, id.slot);
    request.answered_by = kNobody;
    return answer_client(id, workload.pooled ? 429 : 0);
  }
  Destination destination{workload.cluster};
  if (workload.routes && !follow_routes(id, destination)) return;
  request.brain = brain_of(destination.cluster.value, daemon, worker);
  arm_load_exchange(daemon, worker);
  const Brain& brain = brains_[request.brain];
  start_attempt(id, brain.balancer->handle_request(
                        now_, {.key = key_for(brain.key, request),
                               .pooled = workload.pooled,
                               .repeatable = workload.pooled && workload.idempotent,
                               .priority = destination.priority,
                               .session = session_of(daemon, request)}));
}

// Nobody listens. A client that knows all addresses tries the next one when it has heard so.
void Simulation::daemon_refuses(SimRequestId id) {
  SimRequest& request = requests_.at(id);
  note(Mark::daemon_refused, id.slot);
  if (!daemon_choice_.knows_all() || ++request.refused == daemons_.size()) {
    request.answered_by = kNobody;
    return answer_client(id, 0);
  }
  request.daemon = daemon_choice_.after(request.daemon);
  push(2 * scenario_.network.one_way,
       {.kind = EventKind::daemon_receives, .a = id.slot, .b = id.generation});
}

std::optional<BackendId> Simulation::session_of(const Daemon& daemon,
                                                const SimRequest& request) const {
  const auto* session = workloads_[request.workload].session_of(request.client);
  if (session == nullptr) return std::nullopt;
  if (session->signer != kAnySigner && session->signer != signer_of(daemon)) return std::nullopt;
  return daemon.id_of_backend[session->backend];
}

void Simulation::remember_session(const SimRequest& request, const Attempt& attempt) {
  const Brain& brain = brains_[request.brain];
  const bool secret = !brain.balancer->config().affinity->cookie.secret.empty();
  workloads_[request.workload].remember(
      {request.client, attempt.backend, secret ? kAnySigner : signer_of(*brain.daemon)});
}

// A client's connection stays with the worker that accepted it.
std::uint32_t Simulation::worker_of(const Workload& workload, std::uint32_t client) const {
  if (worker_count_ == 1) return 0;
  return static_cast<std::uint32_t>(mix(workload.key_of_client(client)) % worker_count_);
}

bool Simulation::over_rate(Daemon& daemon, std::uint32_t worker, const SimRequest& request) {
  if (daemon.limiters.empty()) return false;
  RateLimiter& limiter = daemon.limiters[worker];
  return !limiter.admit(now_, key_for(limiter.config().key, request)).admitted;
}

HashKey Simulation::key_for(const KeyExpression& expression, const SimRequest& request) {
  Workload& workload = workloads_[request.workload];
  if (expression.source == KeyExpression::Source::client_ip || !workload.pooled) {
    return workload.key_of_client(request.client);
  }
  return key_of(expression, workload.requests.of(request.client, request.target));
}

bool Simulation::follow_routes(SimRequestId id, Destination& destination) {
  SimRequest& request = requests_.at(id);
  Workload& workload = workloads_[request.workload];
  const RequestAttributes attributes = workload.requests.of(request.client, request.target);
  const Routed routed = workload.routes->route(attributes, path_scratch_);
  if (routed && routed.route->split) {
    const Split& split = *routed.route->split;
    destination = {split.pick(attributes, split.trivial() ? 0 : split_draws_.next()),
                   routed.route->priority};
    return true;
  }
  const auto [status, outcome] =
      routed.result == Routed::Result::bad_path ? std::pair{400, "rejected"}
      : !routed                                 ? std::pair{404, "not_routed"}
      : routed.route->redirect ? std::pair{int{routed.route->redirect->status()}, "redirected"}
                               : std::pair{int{routed.route->respond->status}, "responded"};
  ++daemons_[request.daemon].past.outcomes[outcome];
  note(static_cast<std::uint64_t>(status), id.slot);
  request.answered_by = kNobody;
  answer_client(id, status);
  return false;
}

void Simulation::start_attempt(SimRequestId id, const Start& start) {
  SimRequest& request = requests_.at(id);
  leave_queue(request);
  const std::uint32_t index = request.brain;
  if (start.kind == Start::Kind::refused) {
    request.daemon_has_it = false;
    refuse_client(id, start.outcome);
    return touch(index);
  }
  request.daemon_has_it = true;
  request.brain_request = start.request;
  Brain& brain = brains_[index];
  at_slot(brain.request_of, start.request.slot) = id;
  if (start.kind == Start::Kind::queued) {
    request.queued = true;
    queued_.rise(since_start());
    return touch(index);
  }
  const std::uint32_t backend = brain.daemon->backend_of_id[start->backend.value];
  if (!start->reused) {
    at_slot(brain.connection_peer, start->connection.slot) = {backend, backends_[backend].epoch()};
  }
  note(start->backend.value, id.slot);
  const AttemptId attempt_id = attempts_.make();
  request.attempt = attempt_id;
  Attempt& attempt = attempts_.at(attempt_id);
  attempt.request = id;
  attempt.connection = start->connection;
  attempt.workload = request.workload;
  attempt.daemon = brain.daemon->number;
  attempt.backend = backend;
  attempt.reused = start->reused;
  attempt.new_session = start->new_session;
  weights_[backend].in_flight.rise(since_start());
  start->reused ? send_to_backend(attempt_id) : open_connection(attempt_id);
  touch(index);
}

void Simulation::connect_done(AttemptId id) {
  if (!attempts_.contains(id) || !attempts_.at(id).daemon_waits) return;
  const Attempt& attempt = attempts_.at(id);
  if (held(attempt, {.kind = EventKind::connect_done, .a = id.slot, .b = id.generation})) return;
  if (!backends_[attempt.backend].accepts_connections()) {
    return attempt_failed(id, AttemptFailure::connect_failure);
  }
  const SimRequest& request = requests_.at(attempt.request);
  brains_[request.brain].balancer->handle_connected(now_, request.brain_request);
  send_to_backend(id);
}

void Simulation::send_to_backend(AttemptId id) {
  Attempt& attempt = attempts_.at(id);
  const SimRequest& request = requests_.at(attempt.request);
  attempt.request_sent = true;
  attempt.epoch = brains_[request.brain].connection_peer[attempt.connection.slot].epoch;
  brains_[request.brain].balancer->handle_sent(now_, request.brain_request);
  cross(attempt, Lane::one_way,
        {.kind = EventKind::backend_receives, .a = id.slot, .b = id.generation});
  touch(request.brain);
}

void Simulation::daemon_hears(AttemptId id, Words words) {
  if (!attempts_.contains(id)) return;
  const Attempt& attempt = attempts_.at(id);
  if (held(
          attempt,
          {.kind = EventKind::daemon_hears, .a = id.slot, .b = id.generation, .c = words.pack()})) {
    return;
  }
  if (words.more || attempt.answer_begun) return daemon_hears_part(id, words);
  if (!attempt.daemon_waits) return attempts_.erase(id);
  if (words.status == 0) {
    attempt_failed(id, AttemptFailure::reset);
    return attempts_.erase(id);
  }
  const SimRequestId request_id = attempt.request;
  SimRequest& request = requests_.at(request_id);
  const AttemptFacts facts = facts_of(attempt);
  request.answered_by = attempt.backend;
  if (attempt.new_session) remember_session(request, attempt);
  end_attempt(id);
  attempts_.erase(id);
  Balancer& balancer = *brains_[request.brain].balancer;
  next_step(request_id, balancer.handle_answer(now_, request.brain_request, words.status, facts),
            words.status);
}

AttemptFacts Simulation::facts_of(const Attempt& attempt) const {
  return {.request_sent = attempt.request_sent,
          .idempotent = workloads_[attempt.workload].idempotent,
          .body_replayable = true,
          .answer_begun = attempt.answer_begun};
}

void Simulation::attempt_failed(AttemptId id, AttemptFailure failure) {
  const Attempt attempt = attempts_.at(id);
  SimRequest& request = requests_.at(attempt.request);
  end_attempt(id);
  Balancer& balancer = *brains_[request.brain].balancer;
  next_step(attempt.request,
            balancer.handle_attempt_failed(now_, request.brain_request, failure, facts_of(attempt)),
            0);
}

void Simulation::next_step(SimRequestId id, const NextStep& step, int status) {
  SimRequest& request = requests_.at(id);
  const std::uint32_t brain = request.brain;
  switch (step.kind) {
    case NextStep::Kind::deliver:
      brains_[brain].balancer->handle_finished(
          now_, request.brain_request, status < 500 ? Outcome::success : Outcome::backend_error,
          true);
      request.daemon_has_it = false;
      answer_client(id, status);
      break;
    case NextStep::Kind::retry:
      request.answered_by = kNobody;
      break;  // The brain says when, by an action.
    case NextStep::Kind::give_up:
      request.daemon_has_it = false;
      refuse_client(id, step.outcome);
      break;
  }
  touch(brain);
}

void Simulation::answer_client(SimRequestId id, int status) {
  push(Lane::one_way, {.kind = EventKind::client_hears,
                       .a = id.slot,
                       .b = id.generation,
                       .c = static_cast<std::uint64_t>(status)});
}

// The daemon's own answer. A TCP client gets none, only a reset connection.
void Simulation::refuse_client(SimRequestId id, Outcome outcome) {
  SimRequest& request = requests_.at(id);
  request.answered_by = kNobody;
  answer_client(id, workloads_[request.workload].pooled ? status_for(outcome) : 0);
}

void Simulation::client_left(SimRequestId id) {
  if (!requests_.contains(id)) return;  // Its answer was on the way, and ended it.
  SimRequest& request = requests_.at(id);
  leave_queue(request);
  if (request.daemon_has_it) {
    if (attempts_.contains(request.attempt)) end_attempt(request.attempt);
    request.daemon_has_it = false;
    brains_[request.brain].balancer->handle_finished(now_, request.brain_request,
                                                     Outcome::client_gone, false);
    touch(request.brain);
  }
  forget_if_over(id);
}

// The daemon is done with an attempt. The attempt itself lives on while a backend works on it.
void Simulation::end_attempt(AttemptId id) {
  Attempt& attempt = attempts_.at(id);
  attempt.daemon_waits = false;
  weights_[attempt.backend].in_flight.fall(since_start());
  requests_.at(attempt.request).attempt = {};
  if (!attempt.request_sent) attempts_.erase(id);
}

// ---------------------------------------------------------------------------------------------
// The brain's time and actions

void Simulation::brain_wakes(std::uint32_t index) {
  Brain& brain = brains_[index];
  if (brain.armed != now_) return;  // A later decision made this wake-up pointless.
  brain.armed = Instant::max();
  brain.balancer->handle_timeout(now_);
  touch(index);
}

void Simulation::touch(std::uint32_t index) {
  if (touched_ != index && touched_ != kNobody) after_brain(touched_);
  touched_ = index;
}

void Simulation::after_brain(std::uint32_t index) {
  while (const auto action = brains_[index].balancer->poll_action()) act(index, *action);
  if (touched_ == index) touched_ = kNobody;
  Brain& brain = brains_[index];
  if (brain.has_breakers) observe_breakers(index);
  const Instant next = brain.balancer->timeout_or_never();
  // A wake-up that comes too early asks again; only one that would come too late is a fault.
  if (next >= brain.armed) return;
  brain.armed = next;
  push(next - now_, {.kind = EventKind::brain_wakes, .a = index});
}

void Simulation::act(std::uint32_t index, const Action& action) {
  Brain& brain = brains_[index];
  switch (action.kind) {
    case Action::Kind::close_connection: break;  // Nothing here has a socket.
    case Action::Kind::abort_attempt: {
      const SimRequestId id = brain.request_of[action.request.slot];
      attempt_failed(requests_.at(id).attempt, action.failure);
      break;
    }
    case Action::Kind::attempt_due:
      start_attempt(brain.request_of[action.request.slot],
                    brain.balancer->handle_attempt_due(now_, action.request));
      break;
    case Action::Kind::open_connection: {
      const std::uint32_t backend = brain.daemon->backend_of_id[action.backend.value];
      at_slot(brain.connection_peer, action.connection.slot) = {backend,
                                                                backends_[backend].epoch()};
      push(Lane::connect, of_idle(EventKind::spare_connected, index, action.connection));
      break;
    }
    case Action::Kind::ask_load: {
      auto slot = static_cast<std::uint32_t>(reports_.size());
      if (free_reports_.empty()) {
        reports_.emplace_back();
      } else {
        slot = free_reports_.back();
        free_reports_.pop_back();
      }
      reports_[slot] = {.brain = index,
                        .life = brain.daemon->life,
                        .backend = brain.daemon->backend_of_id[action.backend.value],
                        .id = action.backend};
      push(Lane::one_way, {.kind = EventKind::load_asked, .a = slot});
      break;
    }
  }
}

}  // namespace lb::sim
