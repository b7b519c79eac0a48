// BalancerFixture: one Balancer and a world around it that can be spoken to.
//
// Requests are called r1, r2, … and connections c1, c2, … in the order they came, so that what the
// Balancer asks for reads as a sentence: "abort r1 connect_timeout", "close c2", "due r1".
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "lbcore/balancer.h"

namespace lb::testing {

using namespace std::chrono_literals;

// A request that was sent in full and may be sent again.
inline constexpr AttemptFacts kRepeatable{
    .request_sent = true, .idempotent = true, .body_replayable = true};
// A POST of which a byte may have arrived.
inline constexpr AttemptFacts kPostSent{
    .request_sent = true, .idempotent = false, .body_replayable = true};
inline constexpr AttemptFacts kAnswerBegun{
    .request_sent = true, .idempotent = true, .body_replayable = true, .answer_begun = true};

class BalancerFixture : public ::testing::Test {
 protected:
  using Names = std::vector<std::string>;

  BalancerFixture() {
    config.name = "web";
    config.strategy = RoundRobinConfig{};
    config.retries.backoff.base = 0ms;  // A retry is due at once, and draws nothing.
    have_backends({"b1", "b2", "b3"});
  }

  // -- Before the first request, or before reload().
  ClusterConfig config;

  void have_backends(const Names& names) {
    config.backends.clear();
    for (const std::string& name : names) config.backends.push_back({name, name + ":80"});
  }
  BackendConfig& backend(const std::string& name) {
    return *std::find_if(config.backends.begin(), config.backends.end(),
                         [&](const BackendConfig& b) { return b.id == name; });
  }
  void have_health_check() { config.health_check.emplace(); }

  // Another one, with the configuration as it is: nothing has happened yet.
  void start_again() {
    balancer_.reset();
    now_ = Instant{1h};
    last_id_ = 0;
    ids_.clear(), names_.clear(), health_.clear(), ejected_.clear();
    requests_.clear(), connections_.clear(), spares_.clear();
  }

  // -- What happens to the cluster.
  void reload() { balancer().handle_config(now_, plan()); }
  void make(const std::string& name, HealthState state) {
    health_[id_of(name)] = state;
    balancer().handle_health(now_, id_of(name), state);
  }
  void fall_silent(const std::string& name) {
    health_[id_of(name)] = HealthState::unhealthy;
    balancer().handle_health(now_, id_of(name), HealthState::unhealthy, true);
  }
  void make_healthy(const std::string& name) { make(name, HealthState::healthy); }
  void make_unhealthy(const std::string& name) { make(name, HealthState::unhealthy); }
  void eject(const std::string& name, bool ejected = true) {
    ejected_[id_of(name)] = ejected;
    balancer().handle_ejection(now_, id_of(name), ejected);
  }
  void report_load(std::uint32_t sibling, const std::map<std::string, std::uint32_t>& in_flight) {
    std::vector<BackendLoad> loads;
    for (const auto& [name, count] : in_flight) loads.push_back({id_of(name), count});
    std::sort(loads.begin(), loads.end(),
              [](const auto& a, const auto& b) { return a.backend < b.backend; });
    balancer().handle_sibling_load(now_, sibling, std::move(loads));
  }
  // The spare connection it asked for longest ago is open, or came to nothing.
  ConnectionId open_spare(bool open = true) {
    const ConnectionId spare = spares_.front();
    spares_.erase(spares_.begin());
    balancer().handle_spare_connection(now_, spare, open);
    return spare;
  }
  void advance(Duration duration) {
    now_ += duration;
    balancer().handle_timeout(now_);
  }

  // -- A request's life.
  Start try_request(const RequestInput& input = {}) {
    return seen(balancer().handle_request(now_, input));
  }
  Assignment request(const RequestInput& input = {}) { return assigned(try_request(input)); }
  void connect(const Assignment& a) { balancer().handle_connected(now_, a.request); }
  void send(const Assignment& a) {
    if (!a.reused) connect(a);
    sent(a);
  }
  void sent(const Assignment& a) { balancer().handle_sent(now_, a.request); }
  void progress(const Assignment& a) { balancer().handle_progress(now_, a.request); }
  NextStep answer(const Assignment& a, int status = 200, const AttemptFacts& facts = kRepeatable) {
    return balancer().handle_answer(now_, a.request, status, facts);
  }
  NextStep fail(const Assignment& a, AttemptFailure failure,
                const AttemptFacts& facts = kRepeatable) {
    return balancer().handle_attempt_failed(now_, a.request, failure, facts);
  }
  Start try_due(RequestId request) { return seen(balancer().handle_attempt_due(now_, request)); }
  Assignment retry(const Assignment& a) {
    advance(0ms);  // The wait is over, when it is none.
    return start_due(a.request);
  }
  void finish(const Assignment& a, Outcome outcome = Outcome::success) {
    balancer().handle_finished(now_, a.request, outcome, true);
  }
  void leave(RequestId request) {  // The client went away.
    balancer().handle_finished(now_, request, Outcome::client_gone, false);
  }
  void leave(const Assignment& a) { leave(a.request); }
  // One that finds no place at once.
  RequestId queue(const RequestInput& input = {}) {
    const Start start = try_request(input);
    if (start.kind != Start::Kind::queued) throw std::logic_error{"assigned or refused"};
    return start.request;
  }
  // One that is over before it began.
  Outcome refused(const RequestInput& input = {}) { return outcome_of(try_request(input)); }
  Outcome refused_when_due(RequestId request) { return outcome_of(try_due(request)); }
  Assignment start_due(RequestId request) { return assigned(try_due(request)); }
  // The next request that this backend gets; those of others leave at once.
  Assignment request_to(const std::string& name) {
    for (int n = 0; n < 1000; ++n) {
      const Assignment a = request();
      if (who(a) == name) return a;
      leave(a);
    }
    throw std::logic_error{"nobody goes to " + name};
  }
  // A request from its start to its end, without a hitch.
  Assignment serve() {
    const Assignment a = request();
    send(a);
    EXPECT_EQ(answer(a).kind, NextStep::Kind::deliver);
    finish(a);
    return a;
  }

  // -- What the Balancer says.
  // Everything it asks for since the last call.
  Names actions() {
    Names all;
    while (const auto action = balancer().poll_action()) {
      switch (action->kind) {
        case Action::Kind::abort_attempt:
          all.push_back("abort " + name_of(action->request) + ' ' +
                        std::string{to_string(action->failure)});
          break;
        case Action::Kind::attempt_due: all.push_back("due " + name_of(action->request)); break;
        case Action::Kind::open_connection:
          connections_.try_emplace(action->connection, connections_.size() + 1);
          spares_.push_back(action->connection);
          all.push_back("open " + name_of(action->connection) + " to " +
                        names_.at(action->backend));
          break;
        case Action::Kind::ask_load: all.push_back("ask " + names_.at(action->backend)); break;
        case Action::Kind::close_connection:
          all.push_back("close " + name_of(action->connection));
          break;
      }
    }
    return all;
  }
  std::string who(const Assignment& a) const { return names_.at(a.backend); }
  std::string who(BackendId backend) const { return names_.at(backend); }
  Explanation explain(const RequestInput& input = {}) { return balancer().explain(now_, input); }
  // Who gets the next `count` requests; they stay in flight.
  Names next_picks(int count) {
    Names names;
    for (int n = 0; n < count; ++n) names.push_back(who(request()));
    return names;
  }
  BackendStatus status(const std::string& name) { return *find_status(id_of(name)); }
  bool known(BackendId id) { return find_status(id).has_value(); }
  std::uint64_t ended(Outcome outcome) { return balancer().counters().outcomes[outcome]; }
  std::optional<Duration> next_timeout() {  // From now.
    const auto at = balancer().poll_timeout();
    return at ? std::optional{*at - now_} : std::nullopt;
  }
  Names eligible() {
    Names names;
    for (const BackendStatus& status : balancer().backends()) {
      if (status.eligible) names.push_back(names_.at(status.id));
    }
    return names;
  }
  void expect_books_balance() {
    const BalancerCounters& counters = balancer().counters();
    EXPECT_EQ(counters.requests, counters.outcomes.total() + balancer().in_progress());
    EXPECT_EQ(counters.attempts, counters.connections_opened + counters.connections_reused);
  }
  // Nothing is under way, nothing waits, nothing is held: as if nobody had ever come.
  void expect_at_rest() {
    EXPECT_EQ(balancer().in_progress(), 0u);
    EXPECT_EQ(balancer().queue_length(), 0u);
    EXPECT_EQ(balancer().own_load(), std::vector<BackendLoad>{});
    EXPECT_EQ(actions(), Names{});
    expect_books_balance();
  }

  BackendId id_of(const std::string& name) {
    balancer();
    return ids_.at(name);
  }
  Balancer& balancer() {
    if (!balancer_) balancer_ = std::make_unique<Balancer>(now_, plan(), 1);
    return *balancer_;
  }

 private:
  // As Control does it: an id belongs to a name until the name leaves.
  ClusterPlan plan() {
    ClusterPlan plan{ClusterId{0}, config, {}, {}, {}};
    std::map<std::string, BackendId> staying;
    for (const BackendConfig& backend : config.backends) {
      const auto known = ids_.find(backend.id);
      const BackendId id = known == ids_.end() ? BackendId{++last_id_} : known->second;
      staying[backend.id] = id;
      names_[id] = backend.id;
      plan.backend_ids.push_back(id);
      plan.health.push_back(health_[id]);
      plan.ejected.push_back(ejected_[id]);
    }
    ids_ = std::move(staying);
    return plan;
  }
  Start seen(const Start& start) {
    if (start.kind != Start::Kind::refused) {
      requests_.try_emplace(start.request, requests_.size() + 1);
    }
    if (start) connections_.try_emplace(start->connection, connections_.size() + 1);
    return start;
  }
  // A test that goes on without its request would only trip over it later.
  static Assignment assigned(const Start& start) {
    if (!start) throw std::logic_error{"refused or queued"};
    return *start;
  }
  static Outcome outcome_of(const Start& start) {
    EXPECT_EQ(start.kind, Start::Kind::refused);
    return start.outcome;
  }
  std::string name_of(RequestId id) { return 'r' + std::to_string(requests_.at(id)); }
  std::string name_of(ConnectionId id) { return 'c' + std::to_string(connections_.at(id)); }
  std::optional<BackendStatus> find_status(BackendId id) {
    for (const BackendStatus& status : balancer().backends()) {
      if (status.id == id) return status;
    }
    return std::nullopt;
  }

  Instant now_{1h};
  std::unique_ptr<Balancer> balancer_;
  std::uint32_t last_id_ = 0;
  std::map<std::string, BackendId> ids_;
  std::map<BackendId, std::string> names_;
  std::map<BackendId, HealthState> health_;
  std::map<BackendId, bool> ejected_;
  std::map<RequestId, std::size_t> requests_;
  std::map<ConnectionId, std::size_t> connections_;
  std::vector<ConnectionId> spares_;
};

}  // namespace lb::testing
