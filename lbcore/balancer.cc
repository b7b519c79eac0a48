#include "lbcore/balancer.h"

#include <algorithm>
#include <array>

#include "lbcore/assert.h"
#include "lbcore/subject.h"

namespace lb {
namespace {

constexpr std::uint32_t kNotEligible = 0xffffffffU;
constexpr BackendSlot kNoSlot = 0xffffffffU;

}  // namespace

struct Balancer::Backend {
  BackendId id;
  BackendConfig config;
  HealthState health = HealthState::unknown;
  bool live = false;     // The slot is in use.
  bool removed = false;  // Left the configuration, finishing what it has.
  std::uint32_t own_in_flight = 0;
  std::uint32_t sibling_in_flight = 0;
  std::uint32_t eligible_index = kNotEligible;
  DeadlineId drain;
  std::uint64_t picked = 0;
  std::uint64_t failures = 0;
  OutcomeCounts outcomes;
};

struct Balancer::Request {
  enum class Phase : std::uint8_t { connecting, sending, waiting, answering, backing_off };
  Phase phase = Phase::connecting;
  bool pooled = true;
  std::uint8_t attempts = 0;
  BackendSlot backend = kNoSlot;  // Of the attempt under way; kNoSlot while backing off.
  ConnectionId connection;
  DeadlineId deadline;
  HashKey key = 0;
  std::array<BackendId, RetryConfig::kAttemptsMax> tried{};

  [[nodiscard]] bool has_tried(BackendId id) const {
    return std::find(tried.begin(), tried.begin() + attempts, id) != tried.begin() + attempts;
  }
};

Balancer::Balancer(Instant now, const ClusterPlan& plan, std::uint64_t seed)
    : prng_(seed), pool_(deadlines_) {
  config_.strategy = plan.config.strategy;
  strategy_ = make_strategy(plan.config.strategy);
  handle_config(now, plan);
}

Balancer::~Balancer() = default;

// ---------------------------------------------------------------------------------------------
// A request's life

Start Balancer::handle_request(Instant now, const RequestInput& input) {
  ++counters_.requests;
  if (eligible_.empty()) {
    ++counters_.outcomes[Outcome::no_backend];
    return std::nullopt;
  }
  Request request;
  request.key = input.key;
  request.pooled = input.pooled;
  return assign(now, requests_.insert(request), pick(input.key));
}

Pick Balancer::pick(HashKey key) {
  if (eligible_.size() == 1) return {0, PickReason::only_one};
  return strategy_->pick(eligible_, key, prng_);
}

// The strategy may choose again a few times, so that its wisdom still counts; after that the next
// untried one in order is taken. A request has tried at most kAttemptsMax backends, so the walk is
// short however many there are.
Pick Balancer::pick_untried(HashKey key, const Request& request) {
  constexpr int kRepicksMax = 3;
  Pick choice = pick(key);
  for (int n = 0; n < kRepicksMax && request.has_tried(eligible_[choice.index].id); ++n) {
    choice = pick(key);
  }
  for (std::size_t steps = 0; steps < eligible_.size(); ++steps) {
    if (!request.has_tried(eligible_[choice.index].id)) return choice;
    choice = {(choice.index + 1) % eligible_.size(), PickReason::untried};
  }
  return pick(key);  // All of them have been tried: then the strategy's choice is as good as any.
}

Start Balancer::assign(Instant now, RequestId id, const Pick& choice) {
  Request& request = requests_.at(id);
  const BackendSlot slot = eligible_slots_[choice.index];
  const auto eligible_count = static_cast<std::uint32_t>(eligible_.size());
  Backend& backend = backends_[slot];
  request.backend = slot;
  request.tried[request.attempts++] = backend.id;
  ++backend.picked;
  ++counters_.attempts;
  change_load(slot, +1, true);

  const std::optional<ConnectionId> idle =
      request.pooled ? pool_.check_out(slot) : std::optional<ConnectionId>{};
  if (idle) {
    ++counters_.connections_reused;
    request.connection = *idle;
    request.phase = Request::Phase::sending;
    request.deadline =
        deadlines_.set(DeadlineKind::idle, now + config_.timeouts.idle, subject_of(id));
  } else {
    ++counters_.connections_opened;
    request.connection = pool_.open(slot);
    request.phase = Request::Phase::connecting;
    request.deadline =
        deadlines_.set(DeadlineKind::connect, now + config_.timeouts.connect, subject_of(id));
  }
  return Assignment{.request = id,
                    .backend = backend.id,
                    .connection = request.connection,
                    .reused = idle.has_value(),
                    .reason = choice.reason,
                    .attempt = request.attempts,
                    .eligible_count = eligible_count};
}

void Balancer::handle_connected(Instant now, RequestId id) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::connecting);
  request.phase = Request::Phase::sending;
  deadlines_.cancel(request.deadline);
  request.deadline =
      deadlines_.set(DeadlineKind::idle, now + config_.timeouts.idle, subject_of(id));
}

void Balancer::handle_progress(Instant now, RequestId id) {
  Request& request = requests_.at(id);
  // While an answer is awaited its own deadline stands: early bytes of a body do not extend it.
  if (request.phase == Request::Phase::waiting) return;
  LB_ASSERT(request.phase == Request::Phase::sending || request.phase == Request::Phase::answering);
  deadlines_.cancel(request.deadline);
  request.deadline =
      deadlines_.set(DeadlineKind::idle, now + config_.timeouts.idle, subject_of(id));
}

void Balancer::handle_sent(Instant now, RequestId id) {
  Request& request = requests_.at(id);
  if (request.phase == Request::Phase::answering) return;  // The answer came early.
  LB_ASSERT(request.phase == Request::Phase::sending);
  request.phase = Request::Phase::waiting;
  deadlines_.cancel(request.deadline);
  request.deadline =
      deadlines_.set(DeadlineKind::response, now + config_.timeouts.response, subject_of(id));
}

NextStep Balancer::handle_answer(Instant now, RequestId id, int status, const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::sending || request.phase == Request::Phase::waiting);
  const bool again = worth_repeating(config_.retries.on, status) && may_repeat(facts) &&
                     request.attempts < config_.retries.attempts;
  if (again) {
    ++backends_[request.backend].failures;
    return retry_or_give_up(now, id, true, Outcome::backend_error, facts);
  }
  request.phase = Request::Phase::answering;
  deadlines_.cancel(request.deadline);
  request.deadline =
      deadlines_.set(DeadlineKind::idle, now + config_.timeouts.idle, subject_of(id));
  return {NextStep::Kind::deliver, Outcome::success};
}

NextStep Balancer::handle_attempt_failed(Instant now, RequestId id, AttemptFailure failure,
                                         const AttemptFacts& facts) {
  LB_ASSERT(requests_.at(id).phase != Request::Phase::backing_off);
  ++backends_[requests_.at(id).backend].failures;
  const Outcome last = facts.answer_begun ? Outcome::cut : outcome_of(failure);
  return retry_or_give_up(now, id, worth_repeating(config_.retries.on, failure), last, facts);
}

NextStep Balancer::retry_or_give_up(Instant now, RequestId id, bool worth_it, Outcome last,
                                    const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  const bool again = worth_it && may_repeat(facts) && request.attempts < config_.retries.attempts;
  pool_.close(request.connection);
  if (!again) {
    end_request(id, last);
    return {NextStep::Kind::give_up, last};
  }
  end_attempt(request);
  ++counters_.retries;
  request.phase = Request::Phase::backing_off;
  const Duration wait = backoff(config_.retries.backoff, request.attempts + 1U, prng_);
  request.deadline = deadlines_.set(DeadlineKind::backoff, now + wait, subject_of(id));
  return {NextStep::Kind::retry, last};
}

Start Balancer::handle_retry(Instant now, RequestId id) {
  Request& request = requests_.at(id);
  LB_ASSERT(request.phase == Request::Phase::backing_off);
  if (eligible_.empty()) {
    end_request(id, Outcome::no_backend);
    return std::nullopt;
  }
  return assign(now, id, pick_untried(request.key, request));
}

void Balancer::handle_finished(Instant now, RequestId id, Outcome outcome, bool reusable) {
  Request& request = requests_.at(id);
  if (request.backend != kNoSlot) {
    const Backend& backend = backends_[request.backend];
    if (reusable && request.pooled && is_eligible(backend)) {
      const auto evicted =
          pool_.check_in(request.connection, now + config_.connection_pool.idle_timeout,
                         config_.connection_pool.max_idle_per_backend);
      if (evicted) actions_.push({Action::Kind::close_connection, {}, *evicted});
    } else {
      // The world leaves a reusable connection to us: when we have no use for it, it must go.
      if (reusable) actions_.push({Action::Kind::close_connection, {}, request.connection});
      pool_.close(request.connection);
    }
  }
  end_request(id, outcome);
}

void Balancer::end_attempt(Request& request) {
  deadlines_.cancel(request.deadline);
  if (request.backend == kNoSlot) return;
  const BackendSlot slot = request.backend;
  request.backend = kNoSlot;
  request.connection = {};
  change_load(slot, -1, true);
  drop_if_finished(slot);
}

void Balancer::end_request(RequestId id, Outcome outcome) {
  Request& request = requests_.at(id);
  if (request.backend != kNoSlot) ++backends_[request.backend].outcomes[outcome];
  end_attempt(request);
  requests_.erase(id);
  ++counters_.outcomes[outcome];
}

// ---------------------------------------------------------------------------------------------
// Facts from outside

void Balancer::handle_connection_closed(ConnectionId connection) {
  if (pool_.is_idle(connection)) pool_.close(connection);
}

void Balancer::handle_health(BackendId id, HealthState state) {
  Backend* backend = find_backend(id);
  if (backend == nullptr || backend->health == state) return;
  backend->health = state;
  // Connections kept to a backend that stopped answering are as suspect as the backend.
  if (state == HealthState::unhealthy) {
    close_idle_connections(static_cast<BackendSlot>(backend - backends_.data()));
  }
  rebuild_eligible();
}

void Balancer::handle_config(Instant now, const ClusterPlan& plan) {
  LB_ASSERT(plan.backend_ids.size() == plan.config.backends.size());
  LB_ASSERT(plan.health.size() == plan.config.backends.size());
  const bool new_strategy = config_.strategy != plan.config.strategy;
  config_ = plan.config;
  if (new_strategy) strategy_ = make_strategy(config_.strategy);

  std::vector<BackendId> staying = plan.backend_ids;
  std::sort(staying.begin(), staying.end());
  for (Backend& backend : backends_) {
    const bool stays = std::binary_search(staying.begin(), staying.end(), backend.id);
    if (backend.live && !backend.removed && !stays) start_removal(now, backend);
  }
  for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
    if (Backend* known = find_backend(plan.backend_ids[i])) {
      known->config = plan.config.backends[i];
      known->health = plan.health[i];
    } else {
      add_backend(plan.backend_ids[i], plan.config.backends[i], plan.health[i]);
    }
  }
  for (BackendSlot slot = 0; slot < backends_.size(); ++slot) {
    drop_if_finished(slot);
    // Connections that could not have become idle under this configuration.
    const std::uint32_t idle_max = config_.connection_pool.max_idle_per_backend;
    close_idle_connections(slot, is_eligible(backends_[slot]) ? idle_max : 0);
  }
  rebuild_eligible();
}

void Balancer::add_backend(BackendId id, const BackendConfig& config, HealthState health) {
  BackendSlot slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<BackendSlot>(backends_.size());
    backends_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  backends_[slot] = Backend{};
  backends_[slot].id = id;
  backends_[slot].config = config;
  backends_[slot].health = health;
  backends_[slot].live = true;
  const auto place =
      std::lower_bound(slots_by_id_.begin(), slots_by_id_.end(), id,
                       [&](BackendSlot a, BackendId wanted) { return backends_[a].id < wanted; });
  slots_by_id_.insert(place, slot);
}

void Balancer::start_removal(Instant now, Backend& backend) {
  backend.removed = true;
  const auto slot = static_cast<BackendSlot>(&backend - backends_.data());
  close_idle_connections(slot);
  backend.drain = deadlines_.set(DeadlineKind::drain, now + config_.timeouts.drain,
                                 subject_of(SlotId<struct DrainTag>{slot, 0}));
}

void Balancer::drop_if_finished(BackendSlot slot) {
  Backend& backend = backends_[slot];
  if (!backend.live || !backend.removed || backend.own_in_flight > 0) return;
  deadlines_.cancel(backend.drain);
  std::erase(slots_by_id_, slot);
  backend.live = false;
  free_slots_.push_back(slot);
}

void Balancer::close_idle_connections(BackendSlot slot, std::uint32_t keep) {
  while (pool_.idle_count(slot) > keep) {
    actions_.push({Action::Kind::close_connection, {}, *pool_.close_oldest_idle(slot)});
  }
}

void Balancer::handle_sibling_load(std::uint32_t sibling, std::vector<BackendLoad> loads) {
  if (sibling >= sibling_loads_.size()) sibling_loads_.resize(sibling + 1);
  // What is not known here (any more, or yet) is not counted, and so is not taken back later.
  std::erase_if(loads, [&](const BackendLoad& load) { return !find_backend(load.backend); });
  std::vector<BackendLoad>& last = sibling_loads_[sibling];
  if (last == loads) return;
  const auto apply = [&](const std::vector<BackendLoad>& report, int sign) {
    for (const BackendLoad& load : report) {
      if (const Backend* backend = find_backend(load.backend)) {
        change_load(static_cast<BackendSlot>(backend - backends_.data()),
                    sign * static_cast<int>(load.in_flight), false);
      }
    }
  };
  apply(last, -1);
  apply(loads, +1);
  last = std::move(loads);
}

// ---------------------------------------------------------------------------------------------
// Time

void Balancer::handle_timeout(Instant now) {
  while (const auto expired = deadlines_.pop_expired(now)) expire(*expired);
}

void Balancer::expire(const DeadlineTable::Expired& expired) {
  if (expired.kind == DeadlineKind::drain) {
    abort_in_flight(static_cast<BackendSlot>(expired.subject));
    return;
  }
  const auto connection = subject_as<ConnectionId>(expired.subject);
  const auto request = subject_as<RequestId>(expired.subject);
  switch (expired.kind) {
    case DeadlineKind::connect:
      actions_.push({Action::Kind::abort_attempt, request, {}, AttemptFailure::connect_timeout});
      break;
    case DeadlineKind::response:
      actions_.push({Action::Kind::abort_attempt, request, {}, AttemptFailure::response_timeout});
      break;
    case DeadlineKind::backoff: actions_.push({Action::Kind::retry_due, request, {}}); break;
    case DeadlineKind::idle:
      actions_.push({Action::Kind::abort_attempt, request, {}, AttemptFailure::idle_timeout});
      break;
    case DeadlineKind::pooled:
      actions_.push({Action::Kind::close_connection, {}, connection});
      pool_.close(connection);
      break;
    default: assert_failed("a kind of deadline this brain never sets", __FILE__, __LINE__);
  }
}

// ---------------------------------------------------------------------------------------------
// Eligibility and load

bool Balancer::is_eligible(const Backend& backend) const {
  if (!backend.live || backend.removed) return false;
  if (backend.config.state != AdminState::enabled) return false;
  if (!config_.health_check) return true;
  // With a health check nobody gets traffic before its first good probe.
  return backend.health == HealthState::healthy;
}

void Balancer::rebuild_eligible() {
  eligible_.clear();
  eligible_slots_.clear();
  for (const BackendSlot slot : slots_by_id_) {
    Backend& backend = backends_[slot];
    backend.eligible_index = kNotEligible;
    if (!is_eligible(backend)) continue;
    backend.eligible_index = static_cast<std::uint32_t>(eligible_.size());
    eligible_.push_back(
        {backend.id, backend.config.weight, backend.own_in_flight + backend.sibling_in_flight});
    eligible_slots_.push_back(slot);
  }
  strategy_->rebuild(eligible_);
}

void Balancer::change_load(BackendSlot slot, int change, bool own) {
  Backend& backend = backends_[slot];
  std::uint32_t& count = own ? backend.own_in_flight : backend.sibling_in_flight;
  LB_ASSERT(change >= 0 || count >= static_cast<std::uint32_t>(-change));
  count += static_cast<std::uint32_t>(change);
  if (backend.eligible_index == kNotEligible) return;
  eligible_[backend.eligible_index].in_flight = backend.own_in_flight + backend.sibling_in_flight;
  strategy_->load_changed(eligible_, backend.eligible_index);
}

void Balancer::abort_in_flight(BackendSlot slot) {
  requests_.for_each([&](RequestId id, Request& request) {
    // A request whose own deadline came at the same time is being aborted already; and one that is
    // aborted here must not be aborted a second time by its own deadline.
    if (request.backend != slot || !deadlines_.contains(request.deadline)) return;
    deadlines_.cancel(request.deadline);
    actions_.push({Action::Kind::abort_attempt, id, {}, AttemptFailure::drain_timeout});
  });
}

Balancer::Backend* Balancer::find_backend(BackendId id) {
  const auto place = std::lower_bound(
      slots_by_id_.begin(), slots_by_id_.end(), id,
      [&](BackendSlot slot, BackendId wanted) { return backends_[slot].id < wanted; });
  if (place == slots_by_id_.end() || backends_[*place].id != id) return nullptr;
  return &backends_[*place];
}

// ---------------------------------------------------------------------------------------------
// Views

std::size_t Balancer::in_progress() const { return requests_.size(); }

std::vector<BackendStatus> Balancer::backends() const {
  std::vector<BackendStatus> all;
  all.reserve(slots_by_id_.size());
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    all.push_back({.id = backend.id,
                   .config = &backend.config,
                   .health = backend.health,
                   .removed = backend.removed,
                   .eligible = backend.eligible_index != kNotEligible,
                   .in_flight = backend.own_in_flight,
                   .idle_connections = pool_.idle_count(slot),
                   .picked = backend.picked,
                   .failures = backend.failures,
                   .outcomes = backend.outcomes});
  }
  return all;
}

std::vector<BackendLoad> Balancer::own_load() const {
  std::vector<BackendLoad> loads;
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    if (backend.own_in_flight > 0) loads.push_back({backend.id, backend.own_in_flight});
  }
  return loads;
}

}  // namespace lb
