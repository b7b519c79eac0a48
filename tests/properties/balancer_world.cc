#include "tests/properties/balancer_world.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace lb::testing {
namespace {

constexpr std::array<const char*, static_cast<std::size_t>(Command::Kind::kCount)> kWords{
    "request", "connected", "progress",   "sent",         "answer",  "fail",
    "finish",  "leave",     "closes",     "health",       "sibling", "join",
    "remove",  "order",     "set_weight", "set_max_idle", "wait"};

void require(bool law, const std::string& words) {
  if (!law) RC_FAIL(words);
}

std::string show(BackendId id) { return 'b' + std::to_string(id.value); }

}  // namespace

void showValue(const Command& command, std::ostream& os) {
  os << kWords.at(static_cast<std::size_t>(command.kind)) << '(' << command.which << ", "
     << command.how << ')';
}

void showValue(const Setup& setup, std::ostream& os) {
  os << strategy_name(setup.strategy) << ", weights";
  for (const std::uint32_t weight : setup.weights) os << ' ' << weight;
  os << (setup.health_check ? ", health check" : "") << ", attempts " << setup.attempts
     << ", max_idle " << setup.max_idle;
}

BalancerWorld::BalancerWorld(const Setup& setup) {
  config_.name = "web";
  config_.strategy = setup.strategy;
  if (setup.health_check) config_.health_check.emplace();
  config_.retries.attempts = setup.attempts;
  config_.retries.on = {true, true, true, {503}};
  config_.connection_pool.max_idle_per_backend = setup.max_idle;
  // The same length on purpose: deadlines of different kinds then fall on one instant.
  config_.timeouts = {.connect = std::chrono::seconds{2},
                      .response = std::chrono::seconds{2},
                      .idle = std::chrono::seconds{2},
                      .drain = std::chrono::seconds{2}};
  for (const std::uint32_t weight : setup.weights) add_member(weight);
  balancer_ = std::make_unique<Balancer>(now_, plan(), 7);
  check_laws();
}

void BalancerWorld::apply(const Command& command) {
  using Kind = Command::Kind;
  const unsigned how = command.how;
  const auto with = [&](const std::set<Phase>& phases, auto&& act) {
    if (const auto id = choose(command.which, phases)) act(*id, requests_.at(*id));
  };
  const auto member = [&](auto&& change) {
    Member* chosen = choose_member(command.which);
    if (chosen == nullptr) return;
    change(*chosen);
    reload();
  };
  switch (command.kind) {
    case Kind::request: start_request(how); break;
    case Kind::connected:
      with({Phase::connecting}, [&](RequestId id, Request& request) {
        balancer_->handle_connected(now_, id);
        request.phase = Phase::sending;
      });
      break;
    case Kind::progress:
      with({Phase::sending, Phase::waiting, Phase::answering},
           [&](RequestId id, Request&) { balancer_->handle_progress(now_, id); });
      break;
    case Kind::sent:
      with({Phase::sending}, [&](RequestId id, Request& request) {
        balancer_->handle_sent(now_, id);
        request.phase = Phase::waiting;
      });
      break;
    case Kind::answer:
      with({Phase::sending, Phase::waiting}, [&](RequestId id, Request& request) {
        const AttemptFacts facts{
            .request_sent = true, .idempotent = how % 4 < 2, .body_replayable = how % 8 < 6};
        const NextStep step = balancer_->handle_answer(now_, id, how % 2 == 0 ? 200 : 503, facts);
        request.phase = Phase::answering;
        if (step.kind != NextStep::Kind::deliver) attempt_over(id, step);
      });
      break;
    case Kind::fail:
      with({Phase::connecting, Phase::sending, Phase::waiting, Phase::answering},
           [&](RequestId id, Request&) {
             fail_attempt(id, static_cast<AttemptFailure>(how % 7), how / 7);
           });
      break;
    case Kind::finish:
      with({Phase::answering},
           [&](RequestId id, Request&) { finish(id, Outcome::success, how % 4 != 0); });
      break;
    case Kind::leave:
      with(
          {Phase::connecting, Phase::sending, Phase::waiting, Phase::answering, Phase::backing_off},
          [&](RequestId id, Request&) { finish(id, Outcome::client_gone, false); });
      break;
    case Kind::backend_closes: {
      std::vector<ConnectionId> idle;
      for (const auto& [id, connection] : connections_) {
        if (connection.idle) idle.push_back(id);
      }
      if (idle.empty()) break;
      const ConnectionId closed = idle[command.which % idle.size()];
      balancer_->handle_connection_closed(closed);
      connections_.erase(closed);
      break;
    }
    case Kind::health: {
      if (members_.empty()) break;
      auto chosen = std::next(members_.begin(), static_cast<int>(command.which % members_.size()));
      chosen->second.health = static_cast<HealthState>(how % 3);
      // Two ways for it to come: as a fact of its own, or in a plan.
      how % 4 == 3 ? reload() : balancer_->handle_health(chosen->first, chosen->second.health);
      break;
    }
    case Kind::sibling: {
      std::vector<BackendLoad> loads;  // Also of backends that left, or have not come yet.
      for (std::uint32_t id = 1; id <= last_id_ + 1; ++id) {
        if (how >> (id % 8) & 1U) loads.push_back({BackendId{id}, how % 5 + id});
      }
      balancer_->handle_sibling_load(command.which % 3, std::move(loads));
      break;
    }
    case Kind::join:
      if (members_.size() < 8) add_member(1 + how % 5), reload();
      break;
    case Kind::remove: member([](Member& chosen) { chosen.configured = false; }); break;
    case Kind::order:
      member([&](Member& chosen) { chosen.config.state = static_cast<AdminState>(how % 3); });
      break;
    case Kind::set_weight:
      member([&](Member& chosen) { chosen.config.weight = 1 + how % 5; });
      break;
    case Kind::set_max_idle:
      config_.connection_pool.max_idle_per_backend = how % 4;
      reload();
      break;
    case Kind::wait: wait(how); break;
    case Kind::kCount: break;
  }
  carry_out_actions();
  check_laws();
}

void BalancerWorld::settle() {
  while (!requests_.empty()) {
    const bool answering = requests_.begin()->second.phase == Phase::answering;
    finish(requests_.begin()->first, answering ? Outcome::success : Outcome::client_gone,
           answering);
    carry_out_actions();
    check_laws();
  }
  require(balancer_->in_progress() == 0, "a request is left");
  require(balancer_->own_load().empty(), "something is in flight without a request");
  for (const BackendStatus& status : balancer_->backends()) {
    require(!status.removed, "a removed backend stays though it has finished");
  }
  while (const auto at = balancer_->poll_timeout()) {
    require(*at > now_, "an expired deadline is left behind");
    now_ = *at;
    balancer_->handle_timeout(now_);
    carry_out_actions();
  }
  require(connections_.empty(), "a connection stays open for ever");
}

void BalancerWorld::start_request(unsigned how) {
  Request request;
  request.pooled = how % 8 != 0;
  started(balancer_->handle_request(now_, {.key = mix(how), .pooled = request.pooled}),
          std::move(request));
}

void BalancerWorld::started(const Start& start, Request request) {
  const std::set<BackendId> candidates = eligible();
  require(start.has_value() == !candidates.empty(), "picked exactly when somebody is eligible");
  if (!start) return note("nobody");
  note("r" + std::to_string(start->request.slot) + " to " + show(start->backend) + " by " +
       std::string{to_string(start->reason)} + " over c" + std::to_string(start->connection.slot));
  require(candidates.contains(start->backend), "picked " + show(start->backend) + ", not eligible");
  require(start->eligible_count == candidates.size(), "eligible_count is wrong");
  require((start->reason == PickReason::only_one) == (candidates.size() == 1), "only_one is wrong");
  const bool all_tried = std::includes(request.tried.begin(), request.tried.end(),
                                       candidates.begin(), candidates.end());
  require(all_tried || !request.tried.contains(start->backend),
          "picked a tried backend while an untried one was eligible");

  const auto known = connections_.find(start->connection);
  require(start->reused == (known != connections_.end()), "a connection that is not there");
  if (start->reused) {
    require(request.pooled, "a TCP session over a shared connection");
    require(known->second.idle, "one connection for two requests");
    require(known->second.backend == start->backend, "a connection to another backend");
  }
  connections_[start->connection] = {start->backend, false};
  request.phase = start->reused ? Phase::sending : Phase::connecting;
  request.backend = start->backend;
  request.connection = start->connection;
  request.tried.insert(start->backend);
  ++members_.at(start->backend).in_flight;
  requests_[start->request] = std::move(request);
}

void BalancerWorld::fail_attempt(RequestId id, AttemptFailure failure, unsigned facts) {
  const AttemptFacts known{.request_sent = (facts & 1U) != 0,
                           .idempotent = (facts & 2U) != 0,
                           .body_replayable = (facts & 4U) == 0,
                           .answer_begun = (facts & 8U) != 0};
  const NextStep step = balancer_->handle_attempt_failed(now_, id, failure, known);
  require(step.kind != NextStep::Kind::deliver, "there is nothing to deliver");
  require(step.kind != NextStep::Kind::retry || may_repeat(known), "repeated what may not be");
  attempt_over(id, step);
}

void BalancerWorld::attempt_over(RequestId id, const NextStep& step) {
  Request& request = requests_.at(id);
  connections_.erase(request.connection);
  --members_.at(request.backend).in_flight;
  note(step.kind == NextStep::Kind::retry ? "retry later"
                                          : "give up: " + std::string{to_string(step.outcome)});
  if (step.kind == NextStep::Kind::retry) {
    request.phase = Phase::backing_off;
  } else {
    requests_.erase(id);
  }
}

void BalancerWorld::finish(RequestId id, Outcome outcome, bool reusable) {
  const Request request = requests_.at(id);
  requests_.erase(id);
  if (request.phase != Phase::backing_off) {
    --members_.at(request.backend).in_flight;
    if (reusable) {
      connections_.at(request.connection).idle = true;  // Until we are told to close it.
    } else {
      connections_.erase(request.connection);
    }
  }
  balancer_->handle_finished(now_, id, outcome, reusable);
}

void BalancerWorld::wait(unsigned how) {
  constexpr std::array<int, 6> kMilliseconds{0, 1, 10, 1000, 2000, 30'000};
  const auto next = balancer_->poll_timeout();
  if (how % 2 == 0 && next) {
    now_ = std::max(now_, *next);
  } else {
    now_ += std::chrono::milliseconds{kMilliseconds.at(how / 2 % kMilliseconds.size())};
  }
  balancer_->handle_timeout(now_);
  const auto left = balancer_->poll_timeout();
  require(!left || *left > now_, "an expired deadline is left behind");
}

void BalancerWorld::carry_out_actions() {
  while (const auto action = balancer_->poll_action()) {
    if (action->kind == Action::Kind::close_connection) {
      note("close c" + std::to_string(action->connection.slot));
      const auto closed = connections_.find(action->connection);
      require(closed != connections_.end(), "asked to close a connection that is not open");
      require(closed->second.idle, "asked to close a connection in use");
      connections_.erase(closed);
      continue;
    }
    require(requests_.contains(action->request), "an action about a request that is over");
    const Request request = requests_.at(action->request);
    const bool backing_off = request.phase == Phase::backing_off;
    if (action->kind == Action::Kind::abort_attempt) {
      require(!backing_off, "asked to abort where no attempt is under way");
      note("abort " + std::string{to_string(action->failure)});
      fail_attempt(action->request, action->failure, request.phase == Phase::answering ? 9 : 3);
    } else {
      require(backing_off, "a retry is due where none was planned");
      const Start start = balancer_->handle_retry(now_, action->request);
      requests_.erase(action->request);
      started(start, request);
    }
  }
}

void BalancerWorld::check_laws() {
  const BalancerCounters& counters = balancer_->counters();
  require(counters.requests == counters.outcomes.total() + balancer_->in_progress(),
          "requests do not add up to outcomes and what is in progress");
  require(balancer_->in_progress() == requests_.size(), "in_progress is wrong");
  require(counters.attempts == counters.connections_opened + counters.connections_reused,
          "every attempt has a connection");
  std::erase_if(members_, [](const auto& entry) {
    return !entry.second.configured && entry.second.in_flight == 0;
  });
  const auto statuses = balancer_->backends();
  require(statuses.size() == members_.size(), "a backend is missing or left over");
  for (const BackendStatus& status : statuses) {
    const Member& member = members_.at(status.id);
    require(status.removed == !member.configured, "removed is wrong");
    require(status.eligible == is_eligible(member), "eligible is wrong for " + show(status.id));
    require(status.in_flight == member.in_flight, "in_flight is wrong for " + show(status.id));
    const auto idle = std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) {
      return c.second.idle && c.second.backend == status.id;
    });
    require(status.idle_connections == idle, "idle connections are wrong for " + show(status.id));
    require(status.idle_connections <= config_.connection_pool.max_idle_per_backend,
            "more idle connections than allowed");
  }
}

void BalancerWorld::add_member(std::uint32_t weight) {
  const BackendId id{++last_id_};
  Member& member = members_[id];
  member.config = {show(id), "127.0.0.1:80", weight};
  if (id.value % 3 != 0) member.health = HealthState::healthy;
}

ClusterPlan BalancerWorld::plan() const {
  ClusterPlan plan{ClusterId{0}, config_, {}, {}};
  for (const auto& [id, member] : members_) {
    if (!member.configured) continue;
    plan.config.backends.push_back(member.config);
    plan.backend_ids.push_back(id);
    plan.health.push_back(member.health);
  }
  return plan;
}

void BalancerWorld::reload() { balancer_->handle_config(now_, plan()); }

bool BalancerWorld::is_eligible(const Member& member) const {
  return member.configured && member.config.state == AdminState::enabled &&
         (!config_.health_check || member.health == HealthState::healthy);
}

std::set<BackendId> BalancerWorld::eligible() const {
  std::set<BackendId> ids;
  for (const auto& [id, member] : members_) {
    if (is_eligible(member)) ids.insert(id);
  }
  return ids;
}

std::optional<RequestId> BalancerWorld::choose(unsigned which,
                                               const std::set<Phase>& phases) const {
  std::vector<RequestId> candidates;
  for (const auto& [id, request] : requests_) {
    if (phases.contains(request.phase)) candidates.push_back(id);
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[which % candidates.size()];
}

BalancerWorld::Member* BalancerWorld::choose_member(unsigned which) {
  std::vector<Member*> candidates;
  for (auto& [_, member] : members_) {
    if (member.configured) candidates.push_back(&member);
  }
  return candidates.empty() ? nullptr : candidates[which % candidates.size()];
}

}  // namespace lb::testing
