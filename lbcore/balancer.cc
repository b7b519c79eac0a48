// The life of a request. Who may be picked is in balancer_membership.cc, what can be seen from
// outside in balancer_views.cc.
#include "lbcore/balancer.h"

#include <utility>

#include "lbcore/assert.h"
#include "lbcore/balancer_state.h"
#include "lbcore/subject.h"

namespace lb {
namespace {

bool is_gateway_failure(int status) { return status >= 502 && status <= 504; }

}  // namespace

Balancer::Balancer(Instant now, const ClusterPlan& plan, std::uint64_t seed)
    : prng_(seed), pool_(deadlines_) {
  config_.strategy = plan.config.strategy;
  eligible_.use(config_.strategy);
  handle_config(now, plan);
  started_ = true;
}

Balancer::~Balancer() = default;

// ---------------------------------------------------------------------------------------------
// Getting a place

Start Balancer::handle_request(Instant now, const RequestInput& input) {
  LB_ASSERT(input.priority < AdmissionQueue::kClassCount);
  ++counters_.requests;
  const RequestId id = requests_.make();
  Request& request = requests_.at(id);
  request.key = input.key;
  request.pooled = input.pooled;
  request.repeatable = input.repeatable;
  request.priority = static_cast<std::uint8_t>(input.priority);
  if (config_.affinity) request.session = input.session;
  if (config_.timeouts.request > Duration::zero()) {
    request.overall =
        deadlines_.set(DeadlineKind::request, now + config_.timeouts.request, subject_of(id));
  }
  const Start start = place(now, id, request);
  told(now, input::Request{input}, start);
  return start;
}

Start Balancer::handle_attempt_due(Instant now, RequestId id) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::called);
  const bool was_queued = id == called_;
  if (was_queued) called_ = {};
  if (request.out_of_time) {
    const bool too_long = !deadlines_.contains(request.overall) && request.overall;
    const Outcome outcome = too_long ? Outcome::timeout : Outcome::queue_timeout;
    const Start over = refuse(id, request, outcome);
    if (was_queued) call_next(now);
    told(now, input::AttemptDue{id}, over);
    return over;
  }
  const Start start = place(now, id, request);
  if (was_queued) call_next(now);
  told(now, input::AttemptDue{id}, start);
  return start;
}

// An attempt, a place in the queue, or the end.
Start Balancer::place(Instant now, RequestId id, Request& request) {
  if (const BackendSlot slot = session_of(request); slot != kNoSlot) {
    return assign(now, id, request, {slot, PickReason::sticky, 1});
  }
  const bool overtakes = request.phase == Request::Phase::arriving && somebody_waits();
  switch (overtakes ? Room::later : room()) {
    case Room::now: return assign(now, id, request, choose(now, request));
    case Room::later: return wait_in_queue(now, id, request);
    case Room::never: break;
  }
  return refuse(id, request, Outcome::no_backend);
}

Balancer::Room Balancer::room() const {
  if (!eligible_.any()) return Room::never;
  const bool cluster_full =
      config_.limits.max_in_flight > 0 && in_flight_ >= config_.limits.max_in_flight;
  if (eligible_.any_open()) return cluster_full ? Room::later : Room::now;
  // Limits are over when somebody finishes; breakers are over when they are over.
  for (const BackendSlot slot : slots_by_id_) {
    if (backends_[slot].place && !below_limit(backends_[slot])) return Room::later;
  }
  return Room::never;
}

// The backend this request's session is on, when it can take it. It need not be eligible for
// others: one that drains keeps its sessions.
BackendSlot Balancer::session_of(const Request& request) const {
  if (!request.session || request.attempts > 0) return kNoSlot;
  const Backend* backend = find_backend(*request.session);
  if (backend == nullptr || !is_open(*backend)) return kNoSlot;
  const bool takes_sessions =
      backend->place || (standing(*backend) == Exclusion::draining && !backend->ejected &&
                         (!config_.health_check || backend->health == HealthState::healthy));
  const bool cluster_full =
      config_.limits.max_in_flight > 0 && in_flight_ >= config_.limits.max_in_flight;
  return takes_sessions && !cluster_full ? slot_of(*backend) : kNoSlot;
}

EligibleSet::Choice Balancer::choose(Instant now, const Request& request) {
  const EligibleSet::Choice choice = request.attempts == 0 ? eligible_.pick(request.key, now, prng_)
                                                           : choose_another(now, request);
  if (!eligible_.asks_load()) return choice;
  while (const auto slot = eligible_.poll_load_probe()) {
    actions_.push({.kind = Action::Kind::ask_load, .backend = backends_[*slot].id});
  }
  return choice;
}

EligibleSet::Choice Balancer::choose_another(Instant now, const Request& request) {
  std::array<EligibleSet::Place, RetryConfig::kAttemptsMax> tried{};
  std::size_t count = 0;
  for (const BackendId id : request.tried_backends()) {
    const Backend* backend = find_backend(id);
    if (backend != nullptr && backend->place) tried[count++] = backend->place;
  }
  const EligibleSet::Choice choice = eligible_.pick(request.key, {tried.data(), count}, now, prng_);
  if (!request.has_tried(backends_[choice.slot].id)) return choice;
  const BackendSlot ejected = last_resort_for(request);
  return ejected == kNoSlot ? choice : EligibleSet::Choice{ejected, PickReason::last_resort, 1};
}

// Where everybody else has failed the request, an ejected backend is the better guess than one of
// them again: it may be well by now, or have been ejected for nothing. The one with the least to
// do.
BackendSlot Balancer::last_resort_for(const Request& request) const {
  BackendSlot best = kNoSlot;
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    if (standing(backend) != Exclusion::ejected || !is_open(backend)) continue;
    if (request.has_tried(backend.id)) continue;
    if (best == kNoSlot || backend.in_flight() < backends_[best].in_flight()) best = slot;
  }
  return best;
}

Start Balancer::assign(Instant now, RequestId id, Request& request,
                       const EligibleSet::Choice& choice) {
  Backend& backend = backends_[choice.slot];
  request.backend = choice.slot;
  request.attempt_started = now;
  request.result_known = request.answered_well = false;
  request.tried[request.attempts++] = backend.id;
  request.epoch = backend.breaker.started();
  ++backend.picked;
  ++counters_.attempts;
  change_load(now, choice.slot, +1, true);

  const bool takes_idle = request.pooled && !request.needs_fresh;
  const ConnectionId idle = takes_idle ? pool_.check_out(choice.slot) : ConnectionId{};
  request.reused = static_cast<bool>(idle);
  request.connection = idle ? idle : pool_.open(now, choice.slot);
  ++(idle ? counters_.connections_reused : counters_.connections_opened);
  request.phase = idle ? Request::Phase::sending : Request::Phase::connecting;
  idle ? set_deadline(request, id, DeadlineKind::idle, now + config_.timeouts.idle)
       : set_deadline(request, id, DeadlineKind::connect, now + config_.timeouts.connect);
  const bool session_kept = request.session == backend.id;
  if (request.session && !session_kept && !std::exchange(request.session_moved, true)) {
    ++counters_.sessions_moved;
  }
  const bool new_session = config_.affinity && !session_kept;
  return {.kind = Start::Kind::assigned,
          .request = id,
          .assignment = {.request = id,
                         .backend = backend.id,
                         .connection = request.connection,
                         .reused = static_cast<bool>(idle),
                         .reason = choice.reason,
                         .attempt = request.attempts,
                         .eligible_count = choice.candidates,
                         .new_session = new_session}};
}

Start Balancer::refuse(RequestId id, Request& request, Outcome outcome) {
  deadlines_.cancel(request.deadline);
  deadlines_.cancel(request.overall);
  if (request.retrying) --retrying_;
  requests_.erase(id);
  ++counters_.outcomes[outcome];
  return {.kind = Start::Kind::refused, .outcome = outcome};
}

// ---------------------------------------------------------------------------------------------
// The queue

Start Balancer::wait_in_queue(Instant now, RequestId id, Request& request) {
  const bool first_time = request.phase != Request::Phase::called || !request.queue_entry;
  if (first_time) {
    if (queue_.size() >= config_.limits.queue) return refuse(id, request, Outcome::over_limit);
    ++counters_.queued;
    request.queued_since = now;
    request.queue_entry = queue_.push(id, request.priority, now);
    set_deadline(request, id, DeadlineKind::queue, now + config_.limits.queue_timeout);
  } else {
    // It had been called, but the place was gone when it came: its turn is still the next.
    request.queue_entry = queue_.put_back(id, request.priority, request.queued_since);
  }
  request.phase = Request::Phase::queued;
  return {.kind = Start::Kind::queued, .request = id};
}

// Calls the next of the queue, when there is room for it; and one after the other all of them, when
// there never will be.
void Balancer::call_next(Instant now) {
  if (queue_.empty() || called_ || room() == Room::later) return;
  called_ = *queue_.pop(now, config_.limits);
  requests_.at(called_).phase = Request::Phase::called;
  actions_.push({.kind = Action::Kind::attempt_due, .request = called_});
}

// ---------------------------------------------------------------------------------------------
// An attempt

void Balancer::handle_connected(Instant now, RequestId id) {
  told(now, input::Connected{id});
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::connecting);
  request.phase = Request::Phase::sending;
  set_deadline(request, id, DeadlineKind::idle, now + config_.timeouts.idle);
  if (request.pooled) return;
  // All that is known of a session that only carries bytes is how long it took to begin.
  record(now, backends_[request.backend], false, false);
  attempt_ended(now, request, CircuitBreaker::Result::success);
  deadlines_.cancel(request.overall);
  call_next(now);  // As after an answer.
}

void Balancer::handle_progress(Instant now, RequestId id) {
  told(now, input::Progress{id});
  Request& request = requests_.at(id);
  // While an answer is awaited its own deadline stands: early bytes of a body do not extend it.
  if (request.phase == Request::Phase::waiting) return;
  LB_ASSERT(request.phase == Request::Phase::sending || request.phase == Request::Phase::answering);
  set_deadline(request, id, DeadlineKind::idle, now + config_.timeouts.idle);
}

void Balancer::handle_sent(Instant now, RequestId id) {
  told(now, input::Sent{id});
  Request& request = requests_.at(id);
  if (request.phase == Request::Phase::answering) return;  // The answer came early.
  LB_ASSERT(request.phase == Request::Phase::sending);
  request.phase = Request::Phase::waiting;
  set_deadline(request, id, DeadlineKind::response, now + config_.timeouts.response);
}

NextStep Balancer::handle_answer(Instant now, RequestId id, int status, const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::sending || request.phase == Request::Phase::waiting);
  // A failure it is already; a success not before its end, because it may still break off.
  const bool failed = status >= 500;
  if (failed) {
    record(now, backends_[request.backend], true, is_gateway_failure(status));
    attempt_ended(now, request, CircuitBreaker::Result::failure);
  } else {
    note_good_answer(now, request);
  }
  const bool free = !facts.request_sent;
  if (worth_repeating(config_.retries.on, status) && may_retry(request, facts, free)) {
    record_success(now, request);
    ++backends_[request.backend].failures;
    pool_.close(request.connection);
    retry(now, id, request, free);
    const NextStep again{NextStep::Kind::retry, Outcome::backend_error};
    told(now, input::Answered{id, status, facts}, again);
    return again;
  }
  request.phase = Request::Phase::answering;
  set_deadline(request, id, DeadlineKind::idle, now + config_.timeouts.idle);
  deadlines_.cancel(request.overall);
  call_next(now);  // A trial is over: its breaker has room for another, or nobody has any more.
  const NextStep deliver{NextStep::Kind::deliver, Outcome::success};
  told(now, input::Answered{id, status, facts}, deliver);
  return deliver;
}

NextStep Balancer::handle_attempt_failed(Instant now, RequestId id, AttemptFailure failure,
                                         const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.has_attempt());
  if (failure == AttemptFailure::shortage) {
    attempt_ended(now, request, CircuitBreaker::Result::neither);
  } else {
    ++backends_[request.backend].failures;
    record(now, backends_[request.backend], true, true);
    attempt_ended(now, request, CircuitBreaker::Result::failure);
  }
  const Outcome last = facts.answer_begun ? Outcome::cut : outcome_of(failure);
  pool_.close(request.connection);
  const bool excused = failure == AttemptFailure::reset && broke(now, request);
  const bool free = excused || !facts.request_sent;
  const bool again =
      worth_repeating(config_.retries.on, failure) && may_retry(request, facts, free);
  again ? retry(now, id, request, free) : end_request(now, id, request, last);
  const NextStep step{again ? NextStep::Kind::retry : NextStep::Kind::give_up, last};
  told(now, input::AttemptFailed{id, failure, facts}, step);
  return step;
}

// What an attempt says of its backend to those who count.
void Balancer::record(Instant now, Backend& backend, bool failed, bool gateway) {
  backend.errors.record(now, failed);
  if (!config_.outlier_ejection) return;
  Tally& tally = tally_of(backend);
  ++(failed ? tally.failures : tally.successes);
  tally.failure_run.record(failed);
  tally.gateway_run.record(failed && gateway);
}

void Balancer::record_success(Instant now, Request& request) {
  if (!request.answered_well) return;
  Backend& backend = backends_[request.backend];
  backend.broken_since = Backend::kNever;
  record(now, backend, false, false);
  attempt_ended(now, request, CircuitBreaker::Result::success);
  request.answered_well = false;
}

// To the strategy: how long its answer, or its failure, took.
void Balancer::sample(Instant now, const Request& request, bool failed) {
  const Backend& backend = backends_[request.backend];
  if (!backend.place) return;
  eligible_.sample(backend.place, {now, now - request.attempt_started, failed});
}

void Balancer::note_good_answer(Instant now, Request& request) {
  request.answered_well = true;
  sample(now, request, false);
  if (!config_.circuit_breaker) return;
  Backend& backend = backends_[request.backend];
  backend.breaker.answered(request.epoch, *config_.circuit_breaker);
  update_open(backend);
}

// Once for each attempt.
void Balancer::attempt_ended(Instant now, Request& request, CircuitBreaker::Result result) {
  if (std::exchange(request.result_known, true)) return;
  const bool known = result != CircuitBreaker::Result::neither;
  if (known && !request.answered_well) {
    sample(now, request, result == CircuitBreaker::Result::failure);
  }
  if (!config_.circuit_breaker) return;
  Backend& backend = backends_[request.backend];
  if (backend.breaker.ended(request.epoch, result, request.answered_well,
                            *config_.circuit_breaker)) {
    ++counters_.breakers_opened;
    backend.breaker_deadline =
        deadlines_.set(DeadlineKind::breaker, now + config_.circuit_breaker->open_time,
                       subject_of(SlotId<struct BackendSlotTag>{request.backend, 0}));
  }
  update_open(backend);
}

// ---------------------------------------------------------------------------------------------
// Another try

// The connection of its attempt broke. Says whether another try is free of charge, because no storm
// can come of that:
// - It had served before. Each of those breaks but once, and a request meets one at most: it may
//   have been dead when it was taken, and then so may be the others of the pool.
// - Its backend was not known to break when the attempt began. So it is when a backend crashes, and
//   there are no more of these than it had in flight.
bool Balancer::broke(Instant now, Request& request) {
  Backend& backend = backends_[request.backend];
  backend.broken_since = std::min(backend.broken_since, now);
  if (request.reused) request.needs_fresh = true;
  return request.reused || request.attempt_started <= backend.broken_since;
}

// What was never sent is free as well: it cost its backend nothing, and another try costs no more
// than the first.
bool Balancer::may_retry(const Request& request, const AttemptFacts& facts, bool free) {
  if (!may_repeat(facts) || request.attempts >= config_.retries.attempts) return false;
  if (request.out_of_time) return false;
  if (request.retrying || free) return true;
  if (within_budget(config_.retries, retrying_, requests_.size())) return true;
  ++counters_.retries_denied;
  return false;
}

void Balancer::retry(Instant now, RequestId id, Request& request, bool free) {
  leave_backend(now, request);
  ++counters_.retries;
  if (!free && !std::exchange(request.retrying, true)) ++retrying_;
  request.phase = Request::Phase::backing_off;
  request.queue_entry = {};
  const Duration wait = backoff(config_.retries.backoff, request.attempts + 1U, prng_);
  set_deadline(request, id, DeadlineKind::backoff, now + wait);
  call_next(now);
}

// ---------------------------------------------------------------------------------------------
// The end

void Balancer::handle_finished(Instant now, RequestId id, Outcome outcome, bool reusable) {
  told(now, input::Finished{id, outcome, reusable});
  Request& request = requests_.at(id);
  if (request.has_attempt()) {
    record_success(now, request);
    if (!request.result_known) attempt_ended(now, request, CircuitBreaker::Result::neither);
    if (reusable && request.pooled && keeps_connections(backends_[request.backend])) {
      const auto closed = pool_.check_in(now, request.connection, config_.connection_pool);
      if (closed) actions_.push({.kind = Action::Kind::close_connection, .connection = *closed});
    } else {
      // The world leaves a reusable connection to us: when we have no use for it, it must go.
      if (reusable) {
        actions_.push({.kind = Action::Kind::close_connection, .connection = request.connection});
      }
      pool_.close(request.connection);
    }
  }
  end_request(now, id, request, outcome);
}

void Balancer::leave_backend(Instant now, Request& request) {
  deadlines_.cancel(request.deadline);
  if (!request.has_attempt()) return;
  const BackendSlot slot = std::exchange(request.backend, kNoSlot);
  request.connection = {};
  change_load(now, slot, -1, true);
  if (backends_[slot].removed) drop_if_finished(slot);
}

void Balancer::end_request(Instant now, RequestId id, Request& request, Outcome outcome) {
  if (request.has_attempt()) ++backends_[request.backend].outcomes[outcome];
  leave_backend(now, request);
  deadlines_.cancel(request.overall);
  if (request.phase == Request::Phase::queued) queue_.remove(request.queue_entry);
  if (id == called_) called_ = {};
  if (request.retrying) --retrying_;
  requests_.erase(id);
  ++counters_.outcomes[outcome];
  call_next(now);
}

// ---------------------------------------------------------------------------------------------
// Time

void Balancer::set_deadline(Request& request, RequestId id, DeadlineKind kind, Instant at) {
  deadlines_.replace(request.deadline, kind, at, subject_of(id));
}

std::optional<Action> Balancer::next_action() {
  const std::optional<Action> action = actions_.pop();
  if (journal_ != nullptr) journal_->acted(*action);
  return action;
}

void Balancer::handle_timeout(Instant now) {
  told(now, input::TimePassed{});
  while (const auto expired = deadlines_.pop_expired(now)) expire(now, *expired);
}

void Balancer::expire(Instant now, const DeadlineTable::Expired& expired) {
  const auto slot = static_cast<BackendSlot>(expired.subject);
  switch (expired.kind) {
    case DeadlineKind::drain: return abort_in_flight(slot);
    case DeadlineKind::breaker:
      backends_[slot].breaker.half_open();
      update_open(backends_[slot]);
      return call_next(now);
    case DeadlineKind::ramp: rebuild_eligible(now); return call_next(now);
    case DeadlineKind::pooled: {
      const auto connection = subject_as<ConnectionId>(expired.subject);
      actions_.push({.kind = Action::Kind::close_connection, .connection = connection});
      return pool_.close(connection);
    }
    default: return expire_request(subject_as<RequestId>(expired.subject), expired.kind);
  }
}

void Balancer::expire_request(RequestId id, DeadlineKind kind) {
  Request& request = requests_.at(id);
  switch (kind) {
    case DeadlineKind::connect: return abort_attempt(id, AttemptFailure::connect_timeout);
    case DeadlineKind::response: return abort_attempt(id, AttemptFailure::response_timeout);
    case DeadlineKind::idle: return abort_attempt(id, AttemptFailure::idle_timeout);
    case DeadlineKind::request:
      if (request.has_attempt()) {
        request.out_of_time = true;
        // Its other deadline may have passed just now: one abort is enough.
        if (!deadlines_.contains(request.deadline)) return;
        deadlines_.cancel(request.deadline);
        return abort_attempt(id, AttemptFailure::request_timeout);
      }
      [[fallthrough]];
    case DeadlineKind::queue:
    case DeadlineKind::backoff:
      // It will end with the first of its deadlines, whatever else passes until it comes.
      if (kind == DeadlineKind::queue && !request.out_of_time) deadlines_.cancel(request.overall);
      request.out_of_time = request.out_of_time || kind != DeadlineKind::backoff;
      if (request.phase == Request::Phase::called) return;  // It has been told to come.
      queue_.remove(request.queue_entry);
      deadlines_.cancel(request.deadline);
      request.phase = Request::Phase::called;
      actions_.push({.kind = Action::Kind::attempt_due, .request = id});
      return;
    default: assert_failed("a kind of deadline this brain never sets", __FILE__, __LINE__);
  }
}

void Balancer::abort_attempt(RequestId id, AttemptFailure failure) {
  actions_.push({.kind = Action::Kind::abort_attempt, .request = id, .failure = failure});
}

}  // namespace lb
