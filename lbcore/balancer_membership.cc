// Which backends there are, who of them is eligible, and what each has in flight.
#include <algorithm>
#include <utility>

#include "lbcore/assert.h"
#include "lbcore/balancer_state.h"
#include "lbcore/slow_start.h"
#include "lbcore/subject.h"

namespace lb {
namespace {

std::uint64_t subject_of_slot(BackendSlot slot) {
  return subject_of(SlotId<struct BackendSlotTag>{slot, 0});
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Facts from outside

void Balancer::handle_connection_closed(Instant now, ConnectionId connection) {
  told(now, input::ConnectionClosed{connection});
  if (pool_.is_idle(connection)) pool_.close(connection);
}

void Balancer::handle_spare_connection(Instant now, ConnectionId connection, bool open) {
  told(now, input::SpareConnection{connection, open});
  const auto slot = pool_.backend_of(connection);
  if (!slot) return;
  const bool wanted = open && keeps_connections(backends_[*slot]);
  const auto closed =
      wanted ? pool_.check_in(now, connection, config_.connection_pool) : std::optional{connection};
  if (!wanted) pool_.close(connection);
  if (closed && open) {
    actions_.push({.kind = Action::Kind::close_connection, .connection = *closed});
  }
  drop_if_finished(*slot);
  call_next(now);
}

void Balancer::handle_load_report(Instant now, BackendId id, const LoadReport& report) {
  told(now, input::LoadReported{id, report});
  const Backend* backend = find_backend(id);
  if (backend != nullptr && backend->place) eligible_.report(backend->place, report, now);
}

void Balancer::handle_health(Instant now, BackendId id, HealthState state, bool silent) {
  told(now, input::HealthChanged{id, state, silent});
  Backend* backend = find_backend(id);
  if (backend == nullptr || backend->health == state) return;
  backend->health = state;
  // Connections kept to a backend that stopped answering are as suspect as the backend.
  if (state == HealthState::unhealthy) close_idle_connections(slot_of(*backend));
  rebuild_eligible(now);
  if (silent) abandon(slot_of(*backend));
  call_next(now);
}

void Balancer::handle_ejection(Instant now, BackendId id, bool ejected) {
  told(now, input::EjectionChanged{id, ejected});
  Backend* backend = find_backend(id);
  if (backend == nullptr || backend->ejected == ejected) return;
  backend->ejected = ejected;
  rebuild_eligible(now);
  call_next(now);
}

void Balancer::handle_config(Instant now, const ClusterPlan& plan) {
  if (journal_ != nullptr) told(now, input::Configured{plan});
  LB_ASSERT(plan.backend_ids.size() == plan.config.backends.size());
  LB_ASSERT(plan.health.size() == plan.config.backends.size());
  const bool new_strategy = config_.strategy != plan.config.strategy;
  config_ = plan.config;
  // Each backend has its own part of it; a second copy would only cost memory.
  config_.backends.clear();
  config_.backends.shrink_to_fit();
  if (new_strategy) eligible_.use(config_.strategy);
  if (!config_.outlier_ejection) forget_tallies();

  std::vector<BackendId> staying = plan.backend_ids;
  std::sort(staying.begin(), staying.end());
  for (Backend& backend : backends_) {
    const bool stays = std::binary_search(staying.begin(), staying.end(), backend.id);
    if (backend.live && !backend.removed && !stays) start_removal(now, backend);
    if (!config_.circuit_breaker) {
      backend.breaker.reset();
      deadlines_.cancel(backend.breaker_deadline);
    }
  }
  // One block of the right size: a table that doubles as it grows is half empty on average.
  backends_.reserve(plan.backend_ids.size());
  slots_by_id_.reserve(plan.backend_ids.size());
  for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
    Backend* backend = find_backend(plan.backend_ids[i]);
    if (backend == nullptr) {
      add_backend(plan.backend_ids[i]);
      backend = find_backend(plan.backend_ids[i]);
    }
    backend->weight = plan.config.backends[i].weight;
    backend->priority = plan.config.backends[i].priority;
    backend->state = plan.config.backends[i].state;
    backend->health = plan.health[i];
    backend->ejected = i < plan.ejected.size() && plan.ejected[i];
  }
  // Connections that could not have become idle under this configuration.
  for (BackendSlot slot = 0; slot < backends_.size(); ++slot) {
    drop_if_finished(slot);
    const bool keeps = keeps_connections(backends_[slot]);
    close_idle_connections(slot, keeps ? config_.connection_pool.max_idle_per_backend : 0);
  }
  rebuild_eligible(now);
  call_next(now);
}

void Balancer::add_backend(BackendId id) {
  BackendSlot slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<BackendSlot>(backends_.size());
    backends_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Backend& backend = backends_[slot] = Backend{};
  backend.id = id;
  backend.live = true;
  backend.founder = !started_;
  // Ids are handed out in order, so that this is nearly always the end.
  const auto place = slots_by_id_.empty() || backends_[slots_by_id_.back()].id < id
                         ? slots_by_id_.end()
                         : std::lower_bound(slots_by_id_.begin(), slots_by_id_.end(), id,
                                            [&](BackendSlot a, BackendId wanted) {
                                              return backends_[a].id < wanted;
                                            });
  slots_by_id_.insert(place, slot);
}

void Balancer::start_removal(Instant now, Backend& backend) {
  backend.removed = true;
  const BackendSlot slot = slot_of(backend);
  close_idle_connections(slot);
  backend.drain =
      deadlines_.set(DeadlineKind::drain, now + config_.timeouts.drain, subject_of_slot(slot));
}

void Balancer::drop_if_finished(BackendSlot slot) {
  Backend& backend = backends_[slot];
  if (!backend.live || !backend.removed || backend.own_in_flight > 0) return;
  // Its slot is what tells whose the connections are that the world is opening.
  if (pool_.spares_opening(slot) > 0) return;
  deadlines_.cancel(backend.drain);
  deadlines_.cancel(backend.breaker_deadline);
  in_flight_ -= backend.sibling_in_flight;
  forget_tally(backend);
  std::erase(slots_by_id_, slot);
  backend.live = false;
  free_slots_.push_back(slot);
}

void Balancer::abort_in_flight(BackendSlot slot) {
  requests_.for_each([&](RequestId id, Request& request) {
    // A request whose own deadline came at the same time is being aborted already; and one that is
    // aborted here must not be aborted a second time by its own deadline.
    if (request.backend != slot || !deadlines_.contains(request.deadline)) return;
    deadlines_.cancel(request.deadline);
    abort_attempt(id, AttemptFailure::drain_timeout);
  });
}

// A backend stands still. What waits for it may wait for long, and has better prospects elsewhere.
// Nobody knows that its work is lost, though, so all of it is charged to the budget of retries.
void Balancer::abandon(BackendSlot slot) {
  const bool others = !backends_[slot].place && room() == Room::now;
  if (!others || !worth_repeating(config_.retries.on, AttemptFailure::silence)) return;
  requests_.for_each([&](RequestId id, Request& request) {
    if (request.backend != slot || !request.repeatable) return;
    if (request.phase == Request::Phase::answering) return;
    if (request.attempts >= config_.retries.attempts) return;
    if (!deadlines_.contains(request.deadline)) return;  // As above.
    const bool allowed = within_budget(config_.retries, retrying_, requests_.size());
    if (!request.retrying && !allowed) return;
    if (!std::exchange(request.retrying, true)) ++retrying_;
    deadlines_.cancel(request.deadline);
    abort_attempt(id, AttemptFailure::silence);
  });
}

void Balancer::close_idle_connections(BackendSlot slot, std::uint32_t keep) {
  while (pool_.idle_count(slot) > keep) {
    actions_.push(
        {.kind = Action::Kind::close_connection, .connection = *pool_.close_oldest_idle(slot)});
  }
}

// ---------------------------------------------------------------------------------------------
// Eligibility

Exclusion Balancer::standing(const Backend& backend) const {
  return exclusion_of({.removed = !backend.live || backend.removed,
                       .state = backend.state,
                       .probed = config_.health_check.has_value(),
                       .health = backend.health,
                       .ejected = backend.ejected});
}

// Is an idle connection to it of any use? One that began with a PROXY header is its client's alone.
bool Balancer::keeps_connections(const Backend& backend) const {
  if (config_.proxy_protocol != SentProxyHeader::none) return false;
  const Exclusion why = standing(backend);
  return why == Exclusion::none || (why == Exclusion::draining && config_.affinity);
}

bool Balancer::below_limit(const Backend& backend) const {
  const std::uint32_t limit = config_.limits.max_in_flight_per_backend;
  return limit == 0 || backend.in_flight() < limit;
}

bool Balancer::breaker_admits(const Backend& backend) const {
  return !config_.circuit_breaker || backend.breaker.admits(*config_.circuit_breaker);
}

bool Balancer::is_open(const Backend& backend) const {
  return below_limit(backend) && breaker_admits(backend);
}

void Balancer::update_open(const Backend& backend) {
  if (backend.place) eligible_.set_open(backend.place, is_open(backend));
}

void Balancer::rebuild_eligible(Instant now) {
  start_ramps(now);
  std::vector<EligibleSet::Member> members;
  members.reserve(slots_by_id_.size());
  for (const BackendSlot slot : slots_by_id_) {
    Backend& backend = backends_[slot];
    backend.place = {};
    const Exclusion why = standing(backend);
    if (why == Exclusion::removed || why == Exclusion::disabled || why == Exclusion::draining) {
      continue;
    }
    members.push_back({.slot = slot,
                       .id = backend.id,
                       .weight = backend.weight,
                       .ramp_percent = backend.ramp_percent,
                       .in_flight = backend.in_flight(),
                       .priority = backend.priority,
                       .well = why == Exclusion::none,
                       .may_panic = why != Exclusion::unknown,
                       .open = is_open(backend)});
  }
  const std::vector<EligibleSet::Place> places =
      eligible_.rebuild(members, config_.panic_threshold, now);
  for (std::size_t n = 0; n < members.size(); ++n) {
    Backend& backend = backends_[members[n].slot];
    backend.place = places[n];
    backend.was_well = members[n].well;
    const bool ready = members[n].well && backend.place;
    if (!std::exchange(backend.was_ready, ready) && ready) warm_up(now, members[n].slot);
  }
}

// Who has just become well starts slowly; and the next step of those who do is timed.
void Balancer::start_ramps(Instant now) {
  bool ramping = false;
  for (const BackendSlot slot : slots_by_id_) {
    Backend& backend = backends_[slot];
    const Exclusion why = standing(backend);
    const bool well = why == Exclusion::none;
    if (!well) backend.was_well = backend.was_ready = false;
    if (well && !backend.was_well && !backend.founder) backend.ramp_since = now;
    // It has been there from the start if its first probe says so; after that it comes back.
    if (why != Exclusion::unknown) backend.founder = false;
    if (!well || !config_.slow_start) backend.ramp_since.reset();
    backend.ramp_percent =
        backend.ramp_since ? ramp_percent(*config_.slow_start, now - *backend.ramp_since) : 100;
    if (backend.ramp_percent == 100) backend.ramp_since.reset();
    ramping = ramping || backend.ramp_since;
  }
  deadlines_.cancel(next_ramp_step_);
  if (!ramping) return;
  const Duration step =
      std::max(config_.slow_start->duration / kRampSteps, Duration{std::chrono::milliseconds{1}});
  next_ramp_step_ = deadlines_.set(DeadlineKind::ramp, now + step, 0);
}

void Balancer::warm_up(Instant now, BackendSlot slot) {
  const std::uint32_t wanted =
      std::min(config_.connection_pool.warm_up, config_.connection_pool.max_idle_per_backend);
  while (pool_.idle_count(slot) + pool_.spares_opening(slot) < wanted) {
    actions_.push({.kind = Action::Kind::open_connection,
                   .connection = pool_.open_spare(now, slot),
                   .backend = backends_[slot].id});
  }
}

// ---------------------------------------------------------------------------------------------
// Load

void Balancer::change_load(Instant now, BackendSlot slot, int change, bool own) {
  Backend& backend = backends_[slot];
  std::uint32_t& count = own ? backend.own_in_flight : backend.sibling_in_flight;
  LB_ASSERT(change >= 0 || count >= static_cast<std::uint32_t>(-change));
  count += static_cast<std::uint32_t>(change);
  in_flight_ += static_cast<std::uint64_t>(change);
  if (!backend.place) return;
  eligible_.set_in_flight(backend.place, backend.in_flight(), now);
  if (config_.limits.max_in_flight_per_backend > 0 || config_.circuit_breaker) update_open(backend);
}

void Balancer::handle_sibling_load(Instant now, std::uint32_t sibling,
                                   std::vector<BackendLoad> loads) {
  if (journal_ != nullptr) told(now, input::SiblingLoad{sibling, loads});
  if (sibling >= sibling_loads_.size()) sibling_loads_.resize(sibling + 1);
  // What is not known here (any more, or yet) is not counted, and so is not taken back later.
  std::erase_if(loads, [&](const BackendLoad& load) { return !find_backend(load.backend); });
  std::vector<BackendLoad>& last = sibling_loads_[sibling];
  if (last == loads) return;
  const auto apply = [&](const std::vector<BackendLoad>& report, int sign) {
    for (const BackendLoad& load : report) {
      if (const Backend* backend = find_backend(load.backend)) {
        change_load(now, slot_of(*backend), sign * static_cast<int>(load.in_flight), false);
      }
    }
  };
  apply(last, -1);
  apply(loads, +1);
  last = std::move(loads);
  call_next(now);
}

BackendSlot Balancer::slot_of(const Backend& backend) const {
  return static_cast<BackendSlot>(&backend - backends_.data());
}

const Balancer::Backend* Balancer::find_backend(BackendId id) const {
  const auto place = std::lower_bound(
      slots_by_id_.begin(), slots_by_id_.end(), id,
      [&](BackendSlot slot, BackendId wanted) { return backends_[slot].id < wanted; });
  if (place == slots_by_id_.end() || backends_[*place].id != id) return nullptr;
  return &backends_[*place];
}

Balancer::Backend* Balancer::find_backend(BackendId id) {
  return const_cast<Backend*>(std::as_const(*this).find_backend(id));
}

}  // namespace lb
