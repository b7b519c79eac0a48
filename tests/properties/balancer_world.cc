// What happens to a Balancer: commands become calls, and the model is told the same.
#include "tests/properties/balancer_world.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>

namespace lb::testing {

using namespace std::chrono_literals;

void law(bool holds, const std::string& words) {
  if (!holds) RC_FAIL(words);
}

std::string show(BackendId id) { return 'b' + std::to_string(id.value); }
std::string show(RequestId id) {
  return 'r' + std::to_string(id.slot) + '.' + std::to_string(id.generation);
}
std::string show(ConnectionId id) {
  return 'c' + std::to_string(id.slot) + '.' + std::to_string(id.generation);
}

BalancerWorld::BalancerWorld(const Setup& setup, std::string& journal)
    : own_strategy_(setup.strategy),
      knobs_(setup.knobs),
      slow_(setup.slow_world),
      journal_(journal),
      writer_([this](std::string_view bytes) { journal_ += bytes; }) {
  knobs_.resize(kKnobCount);
  model_.config = config_of(knobs_, own_strategy_);
  for (const std::uint8_t backend : setup.backends) add_member(backend);
  model_.changed(now_);
  founded_ = true;
  constexpr std::uint64_t kSeed = 7;
  balancer_ = std::make_unique<Balancer>(now_, plan(), kSeed);
  balancer_->tell(writer_.begin(0, now_, plan(), kSeed));
  after_brain();
  check_laws();
}

void BalancerWorld::apply(const Command& command) {
  using Kind = Command::Kind;
  const unsigned how = command.how;
  const auto with = [&](const std::set<Phase>& phases, auto&& act) {
    if (const auto id = choose(command.which, phases)) act(*id);
  };
  const auto member = [&](auto&& change) {
    const auto id = choose_member(command.which);
    if (!id) return;
    change(model_.members.at(*id));
    reload();
  };
  const AttemptFacts facts{.request_sent = (how & 1U) == 0,
                           .idempotent = (how & 2U) == 0,
                           .body_replayable = (how & 12U) != 12};
  constexpr std::array kStatuses{200, 503, 200, 500, 404, 429};
  constexpr std::array kFailures{AttemptFailure::connect_failure, AttemptFailure::connect_timeout,
                                 AttemptFailure::reset,           AttemptFailure::response_timeout,
                                 AttemptFailure::idle_timeout,    AttemptFailure::invalid_answer,
                                 AttemptFailure::shortage};
  switch (command.kind) {
    case Kind::request: start_request(command.which, how); break;
    case Kind::serve: serve(command.which, how); break;
    case Kind::connected: with({Phase::connecting}, [&](RequestId id) { connect(id); }); break;
    case Kind::progress:
      with({Phase::sending, Phase::waiting, Phase::answering}, [&](RequestId id) { progress(id); });
      break;
    case Kind::sent:
      with({Phase::sending, Phase::answering}, [&](RequestId id) {
        if (requests_.at(id).pooled) send(id);
      });
      break;
    case Kind::answer:
      with({Phase::sending, Phase::waiting}, [&](RequestId id) {
        if (!requests_.at(id).pooled) return;
        answer(id, kStatuses.at(how / 16 % kStatuses.size()), facts);
      });
      break;
    case Kind::fail:
      with({Phase::connecting, Phase::sending, Phase::waiting, Phase::answering},
           [&](RequestId id) {
             AttemptFacts known = facts;
             known.answer_begun = requests_.at(id).phase == Phase::answering && how % 32 < 16;
             fail_attempt(id, kFailures.at(how / 16 % kFailures.size()), known);
           });
      break;
    case Kind::finish:
      with({Phase::answering}, [&](RequestId id) { finish(id, Outcome::success, how % 4 != 0); });
      break;
    case Kind::leave: {
      std::vector<RequestId> all;
      for (const auto& [id, _] : requests_) all.push_back(id);
      if (!all.empty()) finish(all[command.which % all.size()], Outcome::client_gone, false);
      break;
    }
    case Kind::act: carry_out_first(); break;
    case Kind::closes: backend_closes(command.which); break;
    case Kind::spare: spare_arrives(command.which, how % 3 != 0); break;
    case Kind::report: report_load(command.which, how); break;
    case Kind::health: change_health(command.which, how); break;
    case Kind::eject: change_ejection(command.which, how % 2 == 0); break;
    case Kind::sibling: report_siblings(command.which, how); break;
    case Kind::tallies: check_tallies(balancer_->take_tallies(now_)); break;
    case Kind::join:
      if (model_.members.size() < 8) add_member(how % 18), reload();
      break;
    case Kind::remove:
      member([&](ClusterModel::Member& chosen) {
        chosen.configured = false;
        chosen.drained = now_ + model_.config.timeouts.drain;
      });
      break;
    case Kind::order:
      member([&](ClusterModel::Member& chosen) {
        chosen.config.state = static_cast<AdminState>(how % 3);
      });
      break;
    case Kind::weigh:
      member([&](ClusterModel::Member& chosen) { chosen.config.weight = 1 + how % 6; });
      break;
    case Kind::promote:
      member([&](ClusterModel::Member& chosen) { chosen.config.priority = how % 3; });
      break;
    case Kind::turn:
      knobs_[command.which % kKnobCount] = how;
      model_.config = config_of(knobs_, own_strategy_);
      ramp_changed_ = true;
      reload();
      break;
    case Kind::wait: wait(how, false); break;
    case Kind::slip: wait(how, true); break;
    case Kind::kCount: break;
  }
  after_brain();
  check_laws();
}

// -- A request's life

std::optional<RequestId> BalancerWorld::start_request(unsigned which, unsigned how) {
  Request request;
  request.client = which % 6;
  request.pooled = how % 8 != 7;
  request.priority = how / 8 % 3;
  request.key = mix(which);
  request.repeatable = request.pooled && how / 2 % 2 == 0;
  RequestInput input{.key = request.key,
                     .pooled = request.pooled,
                     .repeatable = request.repeatable,
                     .priority = request.priority};
  const auto cookie = cookies_.find(request.client);
  if (cookie != cookies_.end()) input.session = cookie->second;
  if (how >= 240) input.session = BackendId{how % 16};  // Of a cookie from another time.
  if (model_.config.affinity) request.session = input.session;
  if (model_.config.timeouts.request > Duration::zero()) {
    request.overall = now_ + model_.config.timeouts.request;
  }
  const Expected expected = expect(request, true);
  const Explanation explanation = balancer_->explain(now_, input);
  check_candidates(explanation);
  ++counters_.requests;
  const Start start = balancer_->handle_request(now_, input);
  check_explanation(explanation, start);
  started(start, request, expected);
  after_brain();
  if (start.kind == Start::Kind::refused) return std::nullopt;
  return start.request;
}

// Between the steps a world may be told to stop, or to come later.
void BalancerWorld::serve(unsigned which, unsigned how) {
  const auto id = start_request(which, how & ~7U);
  const auto is = [&](Phase phase) {
    const auto found = requests_.find(*id);
    return found != requests_.end() && found->second.phase == phase && !found->second.aborted;
  };
  if (!id) return;
  if (is(Phase::connecting)) connect(*id);
  if (is(Phase::sending)) send(*id);
  if (is(Phase::waiting)) answer(*id, 200, {.request_sent = true});
  if (is(Phase::answering)) finish(*id, Outcome::success, true);
}

void BalancerWorld::connect(RequestId id) {
  balancer_->handle_connected(now_, id);
  Request& request = requests_.at(id);
  request.phase = Phase::sending;
  request.deadline = now_ + model_.config.timeouts.idle;
  if (!request.pooled) {
    record(request, false, false);
    attempt_ended(request, CircuitBreaker::Result::success);
    request.overall.reset();
  }
  after_brain();
}

void BalancerWorld::progress(RequestId id) {
  balancer_->handle_progress(now_, id);
  Request& request = requests_.at(id);
  if (request.phase != Phase::waiting) request.deadline = now_ + model_.config.timeouts.idle;
  after_brain();
}

void BalancerWorld::send(RequestId id) {
  balancer_->handle_sent(now_, id);
  Request& request = requests_.at(id);
  if (request.phase == Phase::sending) {
    request.phase = Phase::waiting;
    request.deadline = now_ + model_.config.timeouts.response;
  }
  after_brain();
}

void BalancerWorld::answer(RequestId id, int status, const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  const bool failed = status >= 500;
  if (failed) record(request, true, status == 502 || status == 503 || status == 504);
  if (failed) {
    attempt_ended(request, CircuitBreaker::Result::failure);
  } else {
    note_good_answer(request);
  }
  const auto& statuses = model_.config.retries.on.statuses;
  const bool worth = std::count(statuses.begin(), statuses.end(), status) > 0;
  const NextStep::Kind expected = expect_next(request, worth, !facts.request_sent, facts);
  const NextStep step = balancer_->handle_answer(now_, id, status, facts);
  if (expected == NextStep::Kind::retry) {
    law(step.kind == NextStep::Kind::retry && step.outcome == Outcome::backend_error,
        "retries: an answer worth another attempt that may be made was not retried");
    ++model_.members.at(request.backend).failures;
    if (!failed) record_success(request);
    attempt_over(id, step);
  } else {
    law(step.kind == NextStep::Kind::deliver,
        "retries: an answer was kept back that must not or need not be retried");
    request.phase = Phase::answering;
    request.deadline = now_ + model_.config.timeouts.idle;
    request.overall.reset();
  }
  after_brain();
}

void BalancerWorld::fail_attempt(RequestId id, AttemptFailure failure, const AttemptFacts& facts) {
  Request& request = requests_.at(id);
  request.aborted = false;
  const bool ours = failure == AttemptFailure::shortage;  // And no word about the backend.
  if (!ours) record(request, true, true);
  attempt_ended(request, ours ? CircuitBreaker::Result::neither : CircuitBreaker::Result::failure);
  if (!ours) ++model_.members.at(request.backend).failures;
  const bool broke_for_free = failure == AttemptFailure::reset && breaks_for_free(request);
  const RetryConditions& on = model_.config.retries.on;
  const bool worth =
      ours || failure == AttemptFailure::connect_failure ||
              failure == AttemptFailure::connect_timeout
          ? on.connect_failure
      : failure == AttemptFailure::reset || failure == AttemptFailure::silence ? on.reset
      : failure == AttemptFailure::response_timeout || failure == AttemptFailure::idle_timeout
          ? on.timeout
          : false;
  const NextStep::Kind expected =
      expect_next(request, worth, !facts.request_sent || broke_for_free, facts);
  const NextStep step = balancer_->handle_attempt_failed(now_, id, failure, facts);
  law(step.kind == (expected == NextStep::Kind::retry ? expected : NextStep::Kind::give_up),
      expected == NextStep::Kind::retry
          ? "retries: gave up though another attempt may be made"
          : "retries: another attempt that may not be made, or beyond the budget");
  law(step.outcome == (facts.answer_begun ? Outcome::cut : outcome_of(failure)),
      "outcomes: a failed attempt has another outcome than its failure");
  attempt_over(id, step);
  after_brain();
}

void BalancerWorld::finish(RequestId id, Outcome outcome, bool reusable) {
  Request request = requests_.at(id);
  if (request.has_attempt()) {
    ClusterModel::Member& member = model_.members.at(request.backend);
    if (request.answered_well) record_success(request);
    if (!request.result_known) attempt_ended(request, CircuitBreaker::Result::neither);
    --member.in_flight;
    ++member.outcomes[outcome];
    Connection& connection = connections_.at(request.connection);
    if (reusable) {
      const ConnectionPoolConfig& pool = model_.config.connection_pool;
      connection.state = Connection::State::idle;  // Until we are told to close it.
      connection.handed_back = ++handed_back_;
      connection.requests_max = pool.max_requests;
      connection.expires = now_ + pool.idle_timeout;
      if (pool.max_age > 0s) {
        connection.expires = std::min(connection.expires, connection.opened + pool.max_age);
      }
    } else {
      connections_.erase(request.connection);
    }
    model_.forget_finished();
  }
  queue_.remove(id);
  std::erase(pending_, id);
  called_for_two_reasons_.erase(id);
  requests_.erase(id);
  ++counters_.outcomes[outcome];
  balancer_->handle_finished(now_, id, outcome, reusable);
  after_brain();
}

// The answer to attempt_due.
void BalancerWorld::come(RequestId id) {
  const Request request = requests_.at(id);
  Expected expected = expect(request, false);
  if (request.out_of_time) {
    expected = {.kind = Start::Kind::refused, .outcome = request.too_late};
  }
  called_for_two_reasons_.erase(id);
  requests_.erase(id);
  const Start start = balancer_->handle_attempt_due(now_, id);
  law(start.kind == Start::Kind::refused || start.request == id,
      "starts: the answer to attempt_due is about another request");
  started(start, request, expected);
  after_brain();
}

// -- Facts from outside

bool BalancerWorld::spare_arrives(unsigned which, bool open) {
  std::vector<ConnectionId> opening;
  for (const auto& [id, connection] : connections_) {
    if (connection.state == Connection::State::opening) opening.push_back(id);
  }
  if (opening.empty()) return false;
  const ConnectionId id = opening[which % opening.size()];
  Connection& connection = connections_.at(id);
  --model_.members.at(connection.backend).spares_opening;
  model_.forget_finished();
  if (open) {
    const ConnectionPoolConfig& pool = model_.config.connection_pool;
    connection.state = Connection::State::idle;
    connection.handed_back = ++handed_back_;
    connection.requests_max = pool.max_requests;
    connection.expires = now_ + pool.idle_timeout;
    if (pool.max_age > 0s) {
      connection.expires = std::min(connection.expires, connection.opened + pool.max_age);
    }
  } else {
    connections_.erase(id);
  }
  balancer_->handle_spare_connection(now_, id, open);
  after_brain();
  return true;
}

void BalancerWorld::backend_closes(unsigned which) {
  std::vector<ConnectionId> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection.state == Connection::State::idle) idle.push_back(id);
  }
  if (idle.empty()) return;
  const ConnectionId closed = idle[which % idle.size()];
  connections_.erase(closed);
  balancer_->handle_connection_closed(now_, closed);
  balancer_->handle_connection_closed(now_, closed);  // Ignored when it is not idle any more.
}

void BalancerWorld::change_health(unsigned which, unsigned how) {
  const auto id = choose_member(which);
  if (!id) return;
  ClusterModel::Member& member = model_.members.at(*id);
  const HealthState before = std::exchange(member.health, static_cast<HealthState>(how % 3));
  if (how % 4 == 3) return reload();  // Two ways for it to come: alone, or in a plan.
  model_.changed(now_);
  const bool silent = member.health == HealthState::unhealthy && how / 3 % 2 == 0;
  if (silent && member.health != before) abandoned_ = expect_abandoned(*id);
  balancer_->handle_health(now_, *id, member.health, silent);
  while (const auto action = balancer_->poll_action()) note(*action);
  law(abandoned_.empty(), "silence: a request was left waiting though it could go elsewhere");
}

void BalancerWorld::change_ejection(unsigned which, bool ejected) {
  const auto id = choose_member(which);
  if (!id) return;
  model_.members.at(*id).ejected = ejected;
  model_.changed(now_);
  balancer_->handle_ejection(now_, *id, ejected);
}

void BalancerWorld::report_siblings(unsigned which, unsigned how) {
  const std::uint32_t sibling = which % 3;
  std::vector<BackendLoad> loads;  // Also of backends that left, or have not come yet.
  for (std::uint32_t id = 1; id <= last_id_ + 1; ++id) {
    if (how >> (id % 8) & 1U) loads.push_back({BackendId{id}, how % 3 + 1});
  }
  auto& known = model_.siblings[sibling];
  known.clear();
  for (const BackendLoad& load : loads) {
    if (model_.members.contains(load.backend)) known[load.backend] = load.in_flight;
  }
  balancer_->handle_sibling_load(now_, sibling, std::move(loads));
}

void BalancerWorld::report_load(unsigned which, unsigned how) {
  const BackendId id{which % (last_id_ + 2)};  // Also of backends that left, or never were.
  balancer_->handle_load_report(now_, id, {how % 8, std::chrono::milliseconds{how}});
}

void BalancerWorld::add_member(unsigned weight_and_priority) {
  const BackendId id{++last_id_};
  ClusterModel::Member& member = model_.members[id];
  member.config = {.id = show(id),
                   .address = "127.0.0.1:80",
                   .weight = 1 + weight_and_priority % 6,
                   .priority = weight_and_priority / 6 % 3};
  member.founder = !founded_;
  if (id.value % 3 != 0) member.health = HealthState::healthy;
}

ClusterPlan BalancerWorld::plan() const {
  ClusterPlan plan{ClusterId{0}, model_.config, {}, {}, {}};
  for (const auto& [id, member] : model_.members) {
    if (!member.configured) continue;
    plan.config.backends.push_back(member.config);
    plan.backend_ids.push_back(id);
    plan.health.push_back(member.health);
    plan.ejected.push_back(member.ejected);
  }
  return plan;
}

void BalancerWorld::reload() {
  model_.reloaded(now_);
  const ClusterPlan next = plan();
  model_.forget_finished();
  balancer_->handle_config(now_, next);
}

// -- Time

void BalancerWorld::wait(unsigned how, bool late) {
  constexpr std::array<int, 6> kMilliseconds{0, 1, 10, 1000, 2000, 30'000};
  const auto next = balancer_->poll_timeout();
  if (how % 2 == 0 && next) {
    now_ = std::max(now_, *next);
  } else {
    now_ += std::chrono::milliseconds{kMilliseconds.at(how / 2 % kMilliseconds.size())};
  }
  late_ = true;
  if (!late) pass_time();
}

void BalancerWorld::pass_time() {
  // What the model knows to be over.
  for (auto& [id, request] : requests_) {
    const bool phase_over = request.deadline && *request.deadline <= now_;
    const bool all_over = request.overall && *request.overall <= now_;
    request.out_of_all = request.out_of_all || all_over;
    const bool in_line =
        request.phase == Phase::queued || (request.phase == Phase::called && request.from_queue);
    const bool queue_over = in_line && phase_over;
    if (request.has_attempt() || request.out_of_time || (!queue_over && !all_over)) continue;
    request.out_of_time = true;
    const bool queue_first = queue_over && (!all_over || *request.deadline < *request.overall);
    request.too_late = queue_first ? Outcome::queue_timeout : Outcome::timeout;
  }
  place_in_time_ = false;
  for (auto& [_, member] : model_.members) {
    std::optional<Instant>& half_opens = member.breaker.half_opens;
    if (member.ramp_since) place_in_time_ = true;
    if (!half_opens || *half_opens > now_) continue;
    place_in_time_ = true;
    member.breaker.enter(BreakerState::half_open);
    half_opens.reset();
  }
  late_ = false;
  last_fired_ = Instant::min();
  balancer_->handle_timeout(now_);
  after_brain();
}

void BalancerWorld::settle() {
  if (late_) pass_time();
  while (!pending_.empty()) carry_out_first();
  while (!requests_.empty()) {
    const RequestId id = requests_.begin()->first;
    const bool answering =
        requests_.begin()->second.phase == Phase::answering && !requests_.begin()->second.aborted;
    finish(id, answering ? Outcome::success : Outcome::client_gone, answering);
    while (!pending_.empty()) carry_out_first();
    check_laws();
  }
  while (model_.siblings.size() > 0) {
    const std::uint32_t sibling = model_.siblings.begin()->first;
    model_.siblings.erase(sibling);
    balancer_->handle_sibling_load(now_, sibling, {});
  }
  for (unsigned n = 0; spare_arrives(n, n % 2 == 0); ++n) {
  }
  check_laws();
  law(balancer_->in_progress() == 0, "totals: a request is left in progress");
  law(balancer_->queue_length() == 0, "queue: somebody waits who is gone");
  law(balancer_->own_load().empty(), "in flight: something is, without a request");
  for (const auto& candidate : balancer_->explain(now_, {}).candidates) {
    law(candidate.in_flight == 0,
        "in flight: " + show(candidate.backend) + " does not return to zero");
  }
  int waits = 0;
  while (const auto at = balancer_->poll_timeout()) {
    law(++waits < 5000, "deadlines: time never comes to an end");
    law(*at > now_, "deadlines: one that has passed is left behind");
    now_ = *at;
    pass_time();
    spare_arrives(0, true);
  }
  check_laws();
  for (const BackendStatus& status : balancer_->backends()) {
    law(!status.removed, "removal: a removed backend stays though it has finished");
    law(status.ramp_percent == 100, "slow start: the ramp never ends");
    law(status.breaker != BreakerState::open, "breaker: it stays open for ever");
  }
  model_.members.clear();
  reload();
  after_brain();
  law(connections_.empty(), "connections: one stays open that nobody will ever close");
  check_laws();
  check_replay();
}

std::optional<RequestId> BalancerWorld::choose(unsigned which,
                                               const std::set<Phase>& phases) const {
  std::vector<RequestId> candidates;
  for (const auto& [id, request] : requests_) {
    if (phases.contains(request.phase) && !request.aborted) candidates.push_back(id);
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[which % candidates.size()];
}

std::optional<BackendId> BalancerWorld::choose_member(unsigned which) const {
  std::vector<BackendId> candidates;
  for (const auto& [id, member] : model_.members) {
    if (member.configured) candidates.push_back(id);
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[which % candidates.size()];
}

}  // namespace lb::testing
