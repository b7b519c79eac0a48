// What a Balancer says, held against what the model expects: starts, next steps, actions.
#include <rapidcheck.h>

#include <algorithm>
#include <utility>

#include "tests/properties/balancer_world.h"

namespace lb::testing {
namespace {

std::string word(Start::Kind kind) {
  switch (kind) {
    case Start::Kind::assigned: return "assigned";
    case Start::Kind::queued: return "queued";
    case Start::Kind::refused: return "refused";
  }
  return "?";
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Starts

BalancerWorld::Expected BalancerWorld::expect(const Request& request, bool arriving) const {
  using Room = ClusterModel::Room;
  if (request.session && request.attempts == 0 && model_.takes_session(*request.session)) {
    return {.kind = Start::Kind::assigned, .sticky = true};
  }
  if (arriving && !called_for_two_reasons_.empty()) return {.unsure = true};
  // A newcomer never overtakes those who wait, nor the one who has just been called.
  const bool overtakes = arriving && (queue_.size() > 0 || somebody_called());
  switch (overtakes ? Room::later : model_.room()) {
    case Room::now: return {.kind = Start::Kind::assigned};
    case Room::never: return {.kind = Start::Kind::refused, .outcome = Outcome::no_backend};
    case Room::later: break;
  }
  if (request.from_queue || queue_.size() < model_.config.limits.queue) {
    return {.kind = Start::Kind::queued};
  }
  return {.kind = Start::Kind::refused, .outcome = Outcome::over_limit};
}

void BalancerWorld::started(const Start& start, Request request, const Expected& expected) {
  law(start.kind == expected.kind || expected.unsure,
      "starts: " + word(start.kind) + " where it should be " + word(expected.kind));
  switch (start.kind) {
    case Start::Kind::refused:
      law(start.outcome == expected.outcome || expected.unsure,
          "starts: refused as " + std::string{to_string(start.outcome)} + ", not as " +
              std::string{to_string(expected.outcome)});
      ++counters_.outcomes[start.outcome];
      return;
    case Start::Kind::queued:
      if (request.from_queue) {
        queue_.put_back(request.priority, {start.request, request.queued_since});
      } else {
        ++counters_.queued;
        request.queued_since = now_;
        request.deadline = now_ + model_.config.limits.queue_timeout;
        queue_.push_back(request.priority, {start.request, now_});
      }
      request.phase = Phase::queued;
      request.from_queue = true;
      break;
    case Start::Kind::assigned:
      law((start->reason == PickReason::sticky) == expected.sticky,
          expected.sticky ? "affinity: a session was moved though its backend could take it"
                          : "affinity: a session was kept on a backend that may not take it");
      assigned(start, request);
      break;
  }
  requests_[start.request] = request;
}

void BalancerWorld::assigned(const Start& start, Request& request) {
  const BackendId id = start->backend;
  const std::string name = show(id);
  law(start->request == start.request, "starts: two names for one request");
  law(start->attempt == ++request.attempts, "starts: the number of the attempt is wrong");
  const std::set<BackendId> eligible = model_.eligible();
  const std::set<BackendId> open = model_.open();
  const bool all_tried =
      std::includes(request.tried.begin(), request.tried.end(), open.begin(), open.end());
  if (start->reason == PickReason::sticky) {
    law(id == *request.session, "affinity: another backend than the session's");
  } else if (start->reason == PickReason::last_resort) {
    law(all_tried, "last resort: somebody eligible has not been tried");
    law(last_resorts(request).contains(id), "last resort: " + name + " is none");
  } else {
    law(!all_tried || open.empty() || last_resorts(request).empty(),
        "last resort: an ejected backend is left, and a tried one was picked");
    law(eligible.contains(id), "eligibility: picked " + name + ", which is not eligible");
    law(model_.below_limit(id), "limits: picked " + name + ", which is at its limit");
    law(open.contains(id), "breaker: picked " + name + ", whose breaker lets nobody through");
    const std::uint32_t priority = model_.members.at(id).config.priority;
    const auto same_level = [&](BackendId other) {
      return model_.members.at(other).config.priority == priority;
    };
    law(start->eligible_count == std::count_if(eligible.begin(), eligible.end(), same_level),
        "starts: eligible_count is wrong");
    const bool untried_left = std::any_of(
        open.begin(), open.end(), [&](BackendId other) { return !request.tried.contains(other); });
    law(!untried_left || !request.tried.contains(id),
        "retries: picked a tried backend while an untried one could take it");
  }
  law(!model_.full(), "limits: the cluster has more in flight than it may");
  if (request.from_queue) {
    law(!request.deadline || late_ || *request.deadline > now_,
        "queue: waited longer than its timeout and was let in");
  }

  ClusterModel::Member& member = model_.members.at(id);
  const bool kept = request.session == id;
  law(start->new_session == (model_.config.affinity && !kept),
      "affinity: new_session has to be told once for each move");
  if (request.session && !kept && !std::exchange(request.session_moved, true)) {
    ++counters_.sessions_moved;
  }
  if (start->new_session) cookies_[request.client] = id;
  ++counters_.attempts;
  ++member.picked;
  ++member.in_flight;
  request.tried.insert(id);
  request.backend = id;
  request.connection = start->connection;
  request.result_known = request.answered_well = false;
  request.attempt_started = now_;
  request.from_queue = request.its_turn = false;
  request.epoch = member.breaker.begin();
  if (member.breaker.state == BreakerState::half_open && model_.config.circuit_breaker) {
    law(member.breaker.trials <= model_.config.circuit_breaker->trials,
        "breaker: more trials at the same time than allowed");
  }
  take_connection(start, request);
  request.reused = start->reused;
  request.phase = start->reused ? Phase::sending : Phase::connecting;
  request.deadline =
      now_ + (start->reused ? model_.config.timeouts.idle : model_.config.timeouts.connect);
}

// Who may be picked when all that are eligible have been tried.
std::set<BackendId> BalancerWorld::last_resorts(const Request& request) const {
  std::set<BackendId> ids;
  for (const auto& [id, member] : model_.members) {
    const bool ejected = model_.standing(member) == Exclusion::ejected;
    if (ejected && model_.is_open(id) && !request.tried.contains(id)) ids.insert(id);
  }
  return ids;
}

void BalancerWorld::take_connection(const Start& start, const Request& request) {
  const auto known = connections_.find(start->connection);
  ++(start->reused ? counters_.connections_reused : counters_.connections_opened);
  if (!start->reused) {
    law(known == connections_.end(), "connections: a new one has the name of another");
    if (request.pooled && !request.met_dead) {
      for (const auto& [_, other] : connections_) {
        law(other.state != Connection::State::idle || other.backend != start->backend,
            "connections: one was opened though an idle one was there");
      }
    }
    connections_[start->connection] = {
        .backend = start->backend, .state = Connection::State::busy, .opened = now_, .requests = 1};
    return;
  }
  law(!request.met_dead, "connections: reused one after another that was dead");
  law(known != connections_.end(), "connections: reused one that is not there");
  Connection& connection = known->second;
  law(request.pooled, "connections: a TCP session over one that others used");
  law(connection.state == Connection::State::idle, "connections: two requests on one");
  law(connection.backend == start->backend, "connections: it leads to another backend");
  for (const auto& [_, other] : connections_) {
    law(other.state != Connection::State::idle || other.backend != connection.backend ||
            other.handed_back <= connection.handed_back,
        "connections: not the newest idle one");
  }
  ++connection.requests;
  law(connection.requests_max == 0 || connection.requests <= connection.requests_max,
      "connections: reused beyond max_requests");
  law(late_ || connection.expires > now_, "connections: reused beyond max_age or idle_timeout");
  connection.state = Connection::State::busy;
}

void BalancerWorld::check_explanation(const Explanation& explanation, const Start& start) const {
  law(explanation.kind == start.kind,
      "explain: " + word(explanation.kind) + ", and then it was " + word(start.kind));
  law(explanation.picked.has_value() == (start.kind == Start::Kind::assigned),
      "explain: a pick, or none, that does not fit");
  if (!start) return;
  law(*explanation.picked == start->backend, "explain: names another than the pick that follows");
  law(explanation.reason == start->reason, "explain: for another reason");
  law(start->reason != PickReason::hashed || make_strategy(model_.config.strategy)->uses_key(),
      "explain: hashed, by a strategy that does not hash");
}

void BalancerWorld::check_candidates(const Explanation& explanation) const {
  const std::set<BackendId> eligible = model_.eligible();
  const auto strategy = make_strategy(model_.config.strategy);
  const bool by_weight = strategy->uses_weights() && !strategy->uses_key();
  law(explanation.candidates.size() == model_.members.size(), "explain: somebody is missing");
  for (const Explanation::Candidate& candidate : explanation.candidates) {
    const BackendId id = candidate.backend;
    const ClusterModel::Member& member = model_.members.at(id);
    law(candidate.exclusion == model_.exclusion(id), "explain: another exclusion of " + show(id));
    law(candidate.in_flight == model_.in_flight(id), "in flight: of " + show(id) + " is wrong");
    law(candidate.weight == member.config.weight && candidate.priority == member.config.priority,
        "explain: weight or priority of " + show(id) + " is wrong");
    if (!eligible.contains(id)) {
      law(candidate.effective_weight == 0, "explain: a weight of one that is not in the choice");
      continue;
    }
    // Weights grow together with the ramps of their level.
    const bool ramping = std::any_of(eligible.begin(), eligible.end(), [&](BackendId other) {
      const ClusterModel::Member& neighbour = model_.members.at(other);
      return neighbour.config.priority == member.config.priority && neighbour.ramp_percent < 100;
    });
    const std::uint32_t percent = ramping && by_weight ? member.ramp_percent : 1;
    law(candidate.effective_weight == member.config.weight * percent,
        "slow start: the effective weight of " + show(id) + " is wrong");
  }
}

// ---------------------------------------------------------------------------------------------
// Attempts

void BalancerWorld::record(const Request& request, bool failed, bool gateway) {
  if (!model_.config.outlier_ejection) return;
  model_.members.at(request.backend).results.push_back({failed, failed && gateway});
}

void BalancerWorld::note_good_answer(Request& request) {
  request.answered_well = true;
  if (!model_.config.circuit_breaker) return;
  model_.members.at(request.backend).breaker.answer(request.epoch, *model_.config.circuit_breaker);
}

void BalancerWorld::attempt_ended(Request& request, CircuitBreaker::Result result) {
  ClusterModel::Member& member = model_.members.at(request.backend);
  if (std::exchange(request.result_known, true) || !model_.config.circuit_breaker) return;
  const CircuitBreakerConfig& config = *model_.config.circuit_breaker;
  if (request.answered_well ? member.breaker.end_answer(request.epoch, result, config)
                            : member.breaker.end(request.epoch, result, config)) {
    ++counters_.breakers_opened;
    member.breaker.half_opens = now_ + model_.config.circuit_breaker->open_time;
  }
}

void BalancerWorld::record_success(Request& request) {
  record(request, false, false);
  attempt_ended(request, CircuitBreaker::Result::success);
  model_.members.at(request.backend).broken_since.reset();
}

// Of what was in flight when a backend began to break connections, and of dead kept connections,
// nothing is charged.
bool BalancerWorld::breaks_for_free(Request& request) {
  auto& since = model_.members.at(request.backend).broken_since;
  if (!since) since = now_;
  request.met_dead |= request.reused;
  return request.reused || request.attempt_started <= *since;
}

std::size_t BalancerWorld::retrying() const {
  return static_cast<std::size_t>(std::count_if(
      requests_.begin(), requests_.end(), [](const auto& entry) { return entry.second.retrying; }));
}

bool BalancerWorld::within_budget(std::size_t retrying) const {
  const RetryConfig& retries = model_.config.retries;
  const auto share = requests_.size() * retries.budget_percent / 100;
  return retrying < std::max<std::size_t>(retries.budget_floor, share);
}

// Which requests are called back from a backend that has fallen silent.
std::deque<RequestId> BalancerWorld::expect_abandoned(BackendId backend) const {
  std::deque<RequestId> all;
  const RetryConfig& retries = model_.config.retries;
  const bool others =
      !model_.eligible().contains(backend) && model_.room() == ClusterModel::Room::now;
  if (!others || !retries.on.reset) return all;
  std::size_t charged = retrying();
  for (const auto& [id, request] : requests_) {
    if (!request.has_attempt() || request.backend != backend || !request.repeatable) continue;
    if (request.phase == Phase::answering || request.aborted) continue;
    if (request.attempts >= retries.attempts) continue;
    if (!request.retrying && !within_budget(charged)) continue;
    if (!request.retrying) ++charged;
    all.push_back(id);
  }
  return all;
}

NextStep::Kind BalancerWorld::expect_next(Request& request, bool worth, bool free,
                                          const AttemptFacts& facts) {
  const bool safe =
      facts.body_replayable && !facts.answer_begun && (facts.idempotent || !facts.request_sent);
  if (!worth || !safe || request.out_of_all) return NextStep::Kind::give_up;
  if (request.attempts >= model_.config.retries.attempts) return NextStep::Kind::give_up;
  if (request.retrying || free) return NextStep::Kind::retry;
  if (!within_budget(retrying())) {
    ++counters_.retries_denied;
    return NextStep::Kind::give_up;
  }
  request.retrying = true;
  return NextStep::Kind::retry;
}

void BalancerWorld::attempt_over(RequestId id, const NextStep& step) {
  Request& request = requests_.at(id);
  connections_.erase(request.connection);
  ClusterModel::Member& member = model_.members.at(request.backend);
  --member.in_flight;
  if (step.kind == NextStep::Kind::give_up) ++member.outcomes[step.outcome];
  model_.forget_finished();
  if (step.kind == NextStep::Kind::give_up) {
    ++counters_.outcomes[step.outcome];
    requests_.erase(id);
    return;
  }
  ++counters_.retries;
  request.from_queue = false;
  request.phase = Phase::backing_off;
  const BackoffConfig& backoff = model_.config.retries.backoff;
  Duration ceiling = std::min(backoff.base, backoff.max);
  for (unsigned n = 1; n < request.attempts; ++n) ceiling = std::min(ceiling * 2, backoff.max);
  request.deadline = now_ + ceiling;
}

// ---------------------------------------------------------------------------------------------
// Actions

void BalancerWorld::after_brain() {
  while (const auto action = balancer_->poll_action()) {
    if (last_fired_) {
      const auto at = fires_at(*action);
      law(!at || *at >= *last_fired_, "deadlines: they do not fire in order");
      if (at) last_fired_ = at;
    }
    note(*action);
  }
  if (last_fired_) check_nothing_overdue();
  last_fired_.reset();
  if (slow_ || carrying_out_) return;
  carrying_out_ = true;
  while (!pending_.empty()) carry_out_first();
  carrying_out_ = false;
}

void BalancerWorld::carry_out_first() {
  if (pending_.empty()) return;
  const RequestId id = pending_.front();
  pending_.pop_front();
  const Request& request = requests_.at(id);
  if (request.phase == Phase::called) return come(id);
  const bool begun = request.phase == Phase::answering;
  fail_attempt(id, request.abort,
               {.request_sent = request.phase != Phase::connecting,
                .idempotent = request.repeatable || id.slot % 2 == 0,
                .body_replayable = true,
                .answer_begun = begun});
}

// The instant that made the Balancer say so; nothing where something else did.
std::optional<Instant> BalancerWorld::fires_at(const Action& action) const {
  if (action.kind == Action::Kind::close_connection) {
    const auto found = connections_.find(action.connection);
    return found == connections_.end() ? std::nullopt : std::optional{found->second.expires};
  }
  const auto found = requests_.find(action.request);
  if (found == requests_.end()) return std::nullopt;
  const Request& request = found->second;
  if (action.kind == Action::Kind::attempt_due && request.out_of_time) {
    if (request.phase == Phase::backing_off || place_in_time_) return std::nullopt;
    return std::min(request.deadline.value_or(Instant::max()),
                    request.overall.value_or(Instant::max()));
  }
  if (action.kind != Action::Kind::abort_attempt) return std::nullopt;
  switch (action.failure) {
    case AttemptFailure::request_timeout: return request.overall;
    case AttemptFailure::drain_timeout: return model_.members.at(request.backend).drained;
    case AttemptFailure::silence: return std::nullopt;
    default: return request.deadline;
  }
}

void BalancerWorld::note(const Action& action) {
  switch (action.kind) {
    case Action::Kind::abort_attempt: return note_abort(action);
    case Action::Kind::attempt_due: return note_due(action.request);
    case Action::Kind::close_connection: return note_close(action.connection);
    case Action::Kind::open_connection: {
      const auto member = model_.members.find(action.backend);
      law(member != model_.members.end() && model_.standing(member->second) == Exclusion::none,
          "warm-up: of a backend that is not well");
      law(!connections_.contains(action.connection),
          "connections: a new one has the name of another");
      connections_[action.connection] = {.backend = action.backend, .opened = now_};
      ++member->second.spares_opening;
      const auto there = std::count_if(connections_.begin(), connections_.end(), [&](auto& entry) {
        return entry.second.backend == action.backend &&
               entry.second.state != Connection::State::busy;
      });
      const ConnectionPoolConfig& pool = model_.config.connection_pool;
      law(there <= std::min(pool.warm_up, pool.max_idle_per_backend),
          "warm-up: more connections than wanted");
      return;
    }
    case Action::Kind::ask_load:
      law(model_.eligible().contains(action.backend), "probes: asked one that is not eligible");
      return;
  }
}

void BalancerWorld::note_due(RequestId id) {
  law(requests_.contains(id), "actions: one about a request that is over");
  Request& request = requests_.at(id);
  law(request.phase == Phase::queued || request.phase == Phase::backing_off,
      "actions: an attempt is due where nobody waits for one");
  if (request.phase == Phase::queued && !request.out_of_time) {
    law(!somebody_called(), "queue: two are called at the same time");
    law(queue_.next(now_, model_.config.limits) == id, "queue: " + show(id) + " is called first");
  }
  request.its_turn = request.phase == Phase::queued && !request.out_of_time;
  if (request.phase == Phase::queued && request.out_of_time && place_in_time_) {
    called_for_two_reasons_.insert(id);
  }
  if (request.phase == Phase::backing_off) {
    request.from_queue = false;
    request.deadline.reset();
  }
  queue_.remove(id);
  request.phase = Phase::called;
  pending_.push_back(id);
}

void BalancerWorld::note_abort(const Action& action) {
  law(requests_.contains(action.request), "actions: one about a request that is over");
  Request& request = requests_.at(action.request);
  law(request.has_attempt(), "deadlines: an abort where no attempt is under way");
  law(!request.aborted, "deadlines: an attempt is aborted twice");
  if (action.failure == AttemptFailure::silence) {
    law(!abandoned_.empty() && abandoned_.front() == action.request,
        "silence: a request was called back that had to stay, or too early");
    abandoned_.pop_front();
    request.retrying = true;
    return aborted(action);
  }
  const auto at = fires_at(action);
  law(at && *at <= now_, "deadlines: an attempt is aborted before its time");
  for (const auto& other : {request.deadline, request.overall}) {
    law(!other || *other >= *at, "deadlines: not the first of them ended the attempt");
  }
  const AttemptFailure expected =
      request.phase == Phase::connecting ? AttemptFailure::connect_timeout
      : request.phase == Phase::waiting  ? AttemptFailure::response_timeout
                                         : AttemptFailure::idle_timeout;
  law(action.failure == expected || action.failure == AttemptFailure::request_timeout ||
          action.failure == AttemptFailure::drain_timeout,
      "deadlines: aborted as " + std::string{to_string(action.failure)});
  aborted(action);
}

void BalancerWorld::aborted(const Action& action) {
  Request& request = requests_.at(action.request);
  request.aborted = true;
  request.abort = action.failure;
  request.deadline.reset();
  pending_.push_back(action.request);
}

void BalancerWorld::note_close(ConnectionId id) {
  const auto closed = connections_.find(id);
  law(closed != connections_.end(), "connections: asked to close one that is not open");
  law(closed->second.state == Connection::State::idle,
      "connections: asked to close one in use, or not open yet");
  law(!last_fired_ || closed->second.expires <= now_, "connections: closed before its time");
  connections_.erase(closed);
}

void BalancerWorld::check_nothing_overdue() {
  for (const auto& [id, request] : requests_) {
    const bool waits = request.phase == Phase::queued || request.phase == Phase::backing_off;
    if (!waits && (!request.has_attempt() || request.aborted)) continue;
    const std::string name = show(id);
    law(!request.deadline || *request.deadline > now_, "deadlines: that of " + name + " was lost");
    law(!request.overall || *request.overall > now_,
        "deadlines: " + name + " takes longer in all than it may");
    if (waits) continue;
    const auto& drained = model_.members.at(request.backend).drained;
    law(!drained || *drained > now_, "removal: " + name + " goes on after the grace");
  }
  for (const auto& [id, connection] : connections_) {
    law(connection.state != Connection::State::idle || connection.expires > now_,
        "connections: " + show(id) + " stays idle for too long");
  }
  const auto next = balancer_->poll_timeout();
  law(!next || *next > now_, "deadlines: one that has passed is left behind");
}

bool BalancerWorld::somebody_called() const {
  return std::any_of(requests_.begin(), requests_.end(), [](const auto& entry) {
    return entry.second.phase == Phase::called && entry.second.its_turn;
  });
}

}  // namespace lb::testing
