// Goal: laws that hold whatever happens in whatever order, with every feature on: no place is lost
// while somebody waits, no limit is exceeded by a new attempt, no connection leads elsewhere, and
// when all is over nothing is left.
// Method: long random walks of one worker and its world. The world is slow on purpose: it answers
// attempt_due and open_connection when it likes, and so do its clients. Reloads come in between.
// The spoken tests next to this one say what should happen; here it is enough that nothing breaks.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "lbcore/balancer.h"
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class World {
 public:
  explicit World(std::uint64_t seed) : chance_(seed) {
    config_.affinity.emplace();
    config_.outlier_ejection.emplace();
    config_.health_check.emplace();
    change_config();
    for (int n = 0; n < 3; ++n) add_backend();
    balancer_ = std::make_unique<Balancer>(now_, plan(), seed);
    carry_out();
  }

  void step() {
    now_ += Duration{1ms} * chance_.below(200);
    balancer_->handle_timeout(now_);
    carry_out();
    const std::uint64_t choice = chance_.below(32);
    if (choice < 7) return arrive();
    if (choice < 18) return move_on();
    if (choice < 24) return come_when_due();
    switch (choice) {
      case 24: return leave();
      case 25: return open_spare();
      case 26: return close_idle();
      case 27: return change_health();
      case 28: return hear_of_siblings();
      case 29: return reload();
      case 30: return take_tallies();
      default: return;
    }
  }

  // Everybody leaves, and then nothing is left; a limit of one shows that no load is.
  void settle() {
    while (!requests_.empty()) finish(requests_.begin()->first, Outcome::client_gone, false);
    while (!spares_.empty()) open_spare();
    for (std::uint32_t sibling = 0; sibling < 3; ++sibling) {
      balancer_->handle_sibling_load(now_, sibling, {});
    }
    carry_out();
    check();
    config_ = {};
    config_.limits.max_in_flight = 1;
    config_.connection_pool.max_idle_per_backend = 0;
    for (auto& [id, backend] : backends_) backend.config = {backend.config.id, "a:1"};
    while (!spares_.empty()) open_spare();
    add_backend();
    reload_as_it_is();
    EXPECT_EQ(balancer_->in_progress(), 0u);
    EXPECT_EQ(balancer_->queue_length(), 0u);
    EXPECT_EQ(balancer_->poll_timeout(), std::nullopt);
    const Start start = balancer_->handle_request(now_, {});
    ASSERT_TRUE(start);
    EXPECT_EQ(balancer_->handle_request(now_, {}).outcome, Outcome::over_limit);
    balancer_->handle_finished(now_, start->request, Outcome::client_gone, false);
    EXPECT_EQ(balancer_->poll_timeout(), std::nullopt);
    EXPECT_TRUE(balancer_->own_load().empty());
    for (const BackendStatus& status : balancer_->backends()) EXPECT_FALSE(status.removed);
  }

  void check() {
    const BalancerCounters& counters = balancer_->counters();
    ASSERT_EQ(counters.requests, counters.outcomes.total() + balancer_->in_progress());
    ASSERT_EQ(counters.attempts, counters.connections_opened + counters.connections_reused);
    ASSERT_EQ(balancer_->in_progress(), requests_.size());
    std::map<BackendId, std::uint32_t> in_flight;
    std::size_t queued = 0;
    for (const auto& [id, request] : requests_) {
      if (request.phase == Phase::queued) ++queued;
      if (request.phase >= Phase::connecting) ++in_flight[request.at.backend];
    }
    ASSERT_EQ(balancer_->queue_length(), queued);
    bool somebody_is_open = false;
    bool somebody_is_full = false;
    std::uint64_t load = 0;
    for (const BackendStatus& status : balancer_->backends()) {
      ASSERT_EQ(status.in_flight, in_flight[status.id]);
      somebody_is_open = somebody_is_open || status.eligible;
      somebody_is_full = somebody_is_full || full(status);
      load += status.in_flight + siblings_of(status.id);
    }
    // Whoever waits, waits for something: a called one, or a place that is taken.
    const bool cluster_is_full =
        config_.limits.max_in_flight > 0 && load >= config_.limits.max_in_flight;
    if (queued > 0 && due_.empty()) {
      ASSERT_TRUE(somebody_is_open ? cluster_is_full : somebody_is_full) << "a place was lost";
    }
  }

 private:
  enum class Phase { queued, due, backing_off, connecting, sending, waiting, answering };
  struct Request {
    Phase phase = Phase::queued;
    bool pooled = true;
    bool from_queue = false;
    std::optional<BackendId> session;
    Assignment at;
  };
  struct Backend {
    BackendConfig config;
    HealthState health = HealthState::unknown;
    bool ejected = false;
    bool configured = true;
  };

  template <class Map>
  auto any_of(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(chance_.below(map.size())));
  }

  // -- Requests

  void arrive() {
    RequestInput input{.key = chance_.next(), .pooled = chance_.below(5) != 0};
    input.priority = static_cast<std::uint32_t>(chance_.below(3));
    if (chance_.below(3) == 0)
      input.session = BackendId{static_cast<std::uint32_t>(chance_.below(last_id_ + 2))};
    started(balancer_->handle_request(now_, input),
            {.pooled = input.pooled, .session = input.session});
  }

  void started(const Start& start, Request request) {
    if (start.kind == Start::Kind::queued) {
      request.phase = Phase::queued;
      request.from_queue = true;
    }
    if (start) {
      const Backend& backend = backends_.at(start->backend);
      ASSERT_TRUE(backend.configured) << "sent to a removed backend";
      ASSERT_NE(backend.config.state, AdminState::disabled);
      ASSERT_TRUE(backend.config.state != AdminState::draining ||
                  start->reason == PickReason::sticky);
      ASSERT_LE(own_load_of(start->backend) + siblings_of(start->backend),
                limit_or_more(config_.limits.max_in_flight_per_backend));
      const auto known = connections_.find(start->connection);
      ASSERT_EQ(start->reused, known != connections_.end());
      ASSERT_TRUE(!start->reused || known->second == start->backend) << "another one's connection";
      ASSERT_TRUE(!start->reused || request.pooled);
      connections_.erase(start->connection);
      request.phase = start->reused ? Phase::sending : Phase::connecting;
      request.at = *start;
    }
    if (start.kind != Start::Kind::refused) requests_[start.request] = request;
    carry_out();
  }

  void come_when_due() {
    if (due_.empty()) return;
    const auto next = any_of(due_);
    const RequestId id = *next;
    due_.erase(next);
    const Request request = requests_.at(id);
    requests_.erase(id);
    started(balancer_->handle_attempt_due(now_, id), request);
  }

  void move_on() {
    if (requests_.empty()) return;
    const auto next = any_of(requests_);
    const RequestId id = next->first;
    Request& request = next->second;
    if (request.phase < Phase::connecting) return;
    if (chance_.below(6) == 0) return fail(id, AttemptFailure::reset);
    const AttemptFacts facts = kRepeatable;
    switch (request.phase) {
      case Phase::connecting:
        balancer_->handle_connected(now_, id);
        request.phase = Phase::sending;
        break;
      case Phase::sending:
        if (!request.pooled) return finish(id, Outcome::success, false);
        balancer_->handle_sent(now_, id);
        request.phase = Phase::waiting;
        break;
      case Phase::waiting: {
        const NextStep step =
            balancer_->handle_answer(now_, id, chance_.below(3) == 0 ? 503 : 200, facts);
        request.phase = step.kind == NextStep::Kind::retry ? Phase::backing_off : Phase::answering;
        break;
      }
      default: return finish(id, Outcome::success, true);
    }
    carry_out();
  }

  void fail(RequestId id, AttemptFailure failure) {
    Request& request = requests_.at(id);
    const AttemptFacts facts = request.phase == Phase::answering ? kAnswerBegun : kRepeatable;
    const NextStep step = balancer_->handle_attempt_failed(now_, id, failure, facts);
    if (step.kind == NextStep::Kind::retry) {
      request.phase = Phase::backing_off;
    } else {
      requests_.erase(id);
    }
    carry_out();
  }

  void finish(RequestId id, Outcome outcome, bool reusable) {
    const Request request = requests_.at(id);
    requests_.erase(id);
    due_.erase(id);
    if (reusable) connections_[request.at.connection] = request.at.backend;
    balancer_->handle_finished(now_, id, outcome, reusable);
    carry_out();
  }

  void leave() {
    if (!requests_.empty()) finish(any_of(requests_)->first, Outcome::client_gone, false);
  }

  // -- The world

  void open_spare() {
    if (spares_.empty()) return;
    const auto next = any_of(spares_);
    const auto [id, backend] = *next;
    spares_.erase(next);
    const bool open = chance_.below(3) != 0;
    if (open) connections_[id] = backend;
    balancer_->handle_spare_connection(now_, id, open);
    carry_out();
  }

  void close_idle() {
    if (connections_.empty()) return;
    const ConnectionId id = any_of(connections_)->first;
    connections_.erase(id);
    balancer_->handle_connection_closed(now_, id);
    carry_out();
  }

  void take_tallies() {
    for (const Tally& tally : balancer_->take_tallies(now_)) {
      ASSERT_TRUE(backends_.contains(tally.backend));
      ASSERT_GT(tally.successes + tally.failures, 0u);
    }
  }

  void carry_out() {
    while (const auto action = balancer_->poll_action()) {
      switch (action->kind) {
        case Action::Kind::abort_attempt:
          ASSERT_TRUE(requests_.contains(action->request)) << "aborts a request that is over";
          ASSERT_GE(requests_.at(action->request).phase, Phase::connecting);
          fail(action->request, action->failure);
          break;
        case Action::Kind::attempt_due:
          ASSERT_TRUE(requests_.contains(action->request)) << "calls a request that is over";
          ASSERT_LE(requests_.at(action->request).phase, Phase::backing_off);
          ASSERT_TRUE(due_.insert(action->request).second) << "calls it twice";
          requests_.at(action->request).phase = Phase::due;
          break;
        case Action::Kind::close_connection:
          ASSERT_EQ(connections_.erase(action->connection), 1u) << "closes what is not idle";
          break;
        case Action::Kind::open_connection:
          ASSERT_TRUE(backends_.at(action->backend).configured);
          spares_[action->connection] = action->backend;
          break;
        case Action::Kind::ask_load: break;
      }
    }
  }

  // -- The cluster

  void change_health() {
    const auto chosen = any_of(backends_);
    const BackendId id = chosen->first;
    if (chance_.below(3) == 0) {
      chosen->second.ejected = !chosen->second.ejected;
      balancer_->handle_ejection(now_, id, chosen->second.ejected);
    } else {
      chosen->second.health = static_cast<HealthState>(chance_.below(4) == 0 ? 2 : 1);
      const bool silent = chosen->second.health == HealthState::unhealthy && chance_.below(2) == 0;
      balancer_->handle_health(now_, id, chosen->second.health, silent);
    }
    carry_out();
  }

  void hear_of_siblings() {
    std::vector<BackendLoad> loads;
    for (std::uint32_t id = last_id_ < 6 ? 1 : last_id_ - 5; id <= last_id_ + 1; ++id) {
      const auto count = static_cast<std::uint32_t>(chance_.below(3));
      if (count > 0) loads.push_back({BackendId{id}, count});
    }
    const auto sibling = static_cast<std::uint32_t>(chance_.below(3));
    const auto known = [&](const BackendLoad& load) {
      const auto statuses = balancer_->backends();
      return std::any_of(statuses.begin(), statuses.end(),
                         [&](const BackendStatus& status) { return status.id == load.backend; });
    };
    siblings_[sibling].clear();
    for (const BackendLoad& load : loads) {
      if (known(load)) siblings_[sibling][load.backend] = load.in_flight;
    }
    balancer_->handle_sibling_load(now_, sibling, loads);
    carry_out();
  }

  void add_backend() {
    const BackendId id{++last_id_};
    const std::string name = "b" + std::to_string(last_id_);
    backends_[id] = {.config = {name, name + ":80"}, .health = HealthState::healthy};
    backends_[id].config.priority = static_cast<std::uint32_t>(chance_.below(4) == 0 ? 1 : 0);
    backends_[id].config.weight = static_cast<std::uint32_t>(1 + chance_.below(3));
  }

  void change_config() {
    const auto coin = [&] { return chance_.below(2) == 0; };
    config_.strategy = coin() ? StrategyConfig{WeightedRoundRobinConfig{}}
                              : StrategyConfig{LeastConnectionsConfig{}};
    if (coin()) config_.strategy = RoundRobinConfig{};
    config_.limits = {.max_in_flight_per_backend = static_cast<std::uint32_t>(chance_.below(4)),
                      .max_in_flight = static_cast<std::uint32_t>(coin() ? 0 : 6),
                      .queue = static_cast<std::uint32_t>(coin() ? 6 : 2),
                      .queue_timeout = coin() ? 1s : 2s,
                      .queue_order = coin() ? QueueOrder::fifo : QueueOrder::adaptive_lifo};
    // The same lengths on purpose: deadlines of different kinds then fall on one instant.
    config_.timeouts = {.connect = 2s, .response = 2s, .idle = 2s, .drain = 2s, .request = {}};
    if (coin()) config_.timeouts.request = 2s;
    config_.circuit_breaker.reset();
    if (coin()) config_.circuit_breaker = {.consecutive_failures = 2, .open_time = 1s};
    config_.slow_start.reset();
    if (coin()) config_.slow_start = {.duration = 3s};
    config_.panic_threshold = coin() ? 50 : 0;
    config_.retries.on = {true, true, true, {503}};
    config_.retries.backoff.base = coin() ? 0ms : 500ms;
    config_.retries.budget_floor = coin() ? 3 : 0;
    config_.connection_pool = {.max_idle_per_backend = 2, .idle_timeout = 2s};
    config_.connection_pool.warm_up = static_cast<std::uint32_t>(chance_.below(3));
    config_.connection_pool.max_requests = coin() ? 0 : 2;
    config_.connection_pool.max_age = coin() ? 0s : 3s;
  }

  void reload() {
    switch (chance_.below(4)) {
      case 0: add_backend(); break;
      case 1: {
        Backend& backend = any_of(backends_)->second;
        backend.config.state = static_cast<AdminState>(chance_.below(3));
        break;
      }
      case 2: any_of(backends_)->second.configured = backends_.size() < 2; break;
      default: change_config();
    }
    if (std::none_of(backends_.begin(), backends_.end(),
                     [](const auto& each) { return each.second.configured; })) {
      add_backend();
    }
    reload_as_it_is();
  }

  void reload_as_it_is() {
    balancer_->handle_config(now_, plan());
    carry_out();
    std::set<BackendId> known;
    for (const BackendStatus& status : balancer_->backends()) known.insert(status.id);
    std::erase_if(backends_, [&](const auto& each) {
      return !each.second.configured && !known.contains(each.first);
    });
  }

  ClusterPlan plan() const {
    ClusterPlan plan{ClusterId{0}, config_, {}, {}, {}};
    for (const auto& [id, backend] : backends_) {
      if (!backend.configured) continue;
      plan.config.backends.push_back(backend.config);
      plan.backend_ids.push_back(id);
      plan.health.push_back(backend.health);
      plan.ejected.push_back(backend.ejected);
    }
    return plan;
  }

  // -- What the laws need to know

  static std::uint32_t limit_or_more(std::uint32_t limit) { return limit == 0 ? 1'000'000 : limit; }
  std::uint32_t siblings_of(BackendId id) const {
    std::uint32_t load = 0;
    for (const auto& [_, loads] : siblings_) {
      const auto found = loads.find(id);
      load += found == loads.end() ? 0 : found->second;
    }
    return load;
  }
  std::uint32_t own_load_of(BackendId id) const {
    for (const BackendLoad& load : balancer_->own_load()) {
      if (load.backend == id) return load.in_flight;
    }
    return 0;
  }
  bool full(const BackendStatus& status) const {
    const std::uint32_t limit = config_.limits.max_in_flight_per_backend;
    return limit > 0 && status.in_flight + siblings_of(status.id) >= limit;
  }

  Instant now_{1h};
  Prng chance_;
  ClusterConfig config_;
  std::unique_ptr<Balancer> balancer_;
  std::uint32_t last_id_ = 0;
  std::map<BackendId, Backend> backends_;
  std::map<RequestId, Request> requests_;
  std::set<RequestId> due_;
  std::map<ConnectionId, BackendId> connections_;  // Idle ones.
  std::map<ConnectionId, BackendId> spares_;       // Opening.
  std::map<std::uint32_t, std::map<BackendId, std::uint32_t>> siblings_;
};

TEST(BalancerLaws, HoldInLongWalks) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    World world{seed};
    for (int step = 0; step < 400; ++step) {
      SCOPED_TRACE(step);
      world.step();
      world.check();
      if (::testing::Test::HasFatalFailure()) return;
    }
    world.settle();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lb
