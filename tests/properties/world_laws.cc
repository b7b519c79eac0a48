// What has to be true of a Balancer between any two calls.
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "lbcore/journal/replay.h"
#include "lbcore/slow_start.h"
#include "tests/properties/balancer_world.h"

namespace lb::testing {

void BalancerWorld::check_laws() {
  model_.forget_finished();
  check_totals();
  check_backends();
  check_queue();
  check_deadlines();
}

void BalancerWorld::check_totals() {
  const BalancerCounters& told = balancer_->counters();
  law(balancer_->in_progress() == requests_.size(), "totals: in_progress is wrong");
  law(told.requests == told.outcomes.total() + requests_.size(),
      "totals: requests are not outcomes and what is in progress");
  law(told.attempts == told.connections_opened + told.connections_reused,
      "totals: attempts are not connections opened and reused");
  law(told.outcomes.counts == counters_.outcomes.counts, "totals: outcomes are wrong");
  const auto same = [&](std::uint64_t BalancerCounters::*count, const char* name) {
    law(told.*count == counters_.*count, std::string{"totals: "} + name + " is wrong");
  };
  same(&BalancerCounters::requests, "requests");
  same(&BalancerCounters::attempts, "attempts");
  same(&BalancerCounters::retries, "retries");
  same(&BalancerCounters::retries_denied, "retries_denied");
  same(&BalancerCounters::queued, "queued");
  same(&BalancerCounters::breakers_opened, "breakers_opened");
  same(&BalancerCounters::sessions_moved, "sessions_moved");
  same(&BalancerCounters::connections_opened, "connections_opened");
  same(&BalancerCounters::connections_reused, "connections_reused");
}

void BalancerWorld::check_backends() {
  const std::vector<BackendStatus> statuses = balancer_->backends();
  law(statuses.size() == model_.members.size(), "removal: a backend is missing or left over");
  const auto levels = model_.levels();
  const bool panicking = std::any_of(levels.begin(), levels.end(), [](const auto& entry) {
    return entry.second.panicking && entry.second.percent > 0;
  });
  law(balancer_->panicking() == panicking, "panic: it is said, or kept quiet, wrongly");
  for (const BackendStatus& status : statuses) {
    const std::string name = show(status.id);
    law(model_.members.contains(status.id), "removal: " + name + " is still there");
    ClusterModel::Member& member = model_.members.at(status.id);
    law(status.removed == !member.configured, "removal: of " + name + " is wrong");
    law(status.health == member.health, "health: of " + name + " is not what was told");
    law(status.ejected == member.ejected, "health: ejection of " + name + " is not what was told");
    const Exclusion expected = model_.exclusion(status.id);
    law(status.exclusion == expected, "eligibility: of " + name + " is " +
                                          std::string{to_string(status.exclusion)} + ", not " +
                                          std::string{to_string(expected)});
    law(status.eligible == (expected == Exclusion::none), "eligibility: of " + name + " is wrong");
    law(status.in_flight == member.in_flight, "in flight: of " + name + " is wrong");
    law(status.picked == member.picked, "totals: picked of " + name + " is wrong");
    law(status.failures == member.failures, "totals: failures of " + name + " are wrong");
    law(status.outcomes.counts == member.outcomes.counts,
        "totals: outcomes of " + name + " are wrong");
    if (model_.config.circuit_breaker) {
      law(status.breaker == member.breaker.state,
          "breaker: of " + name + " is " + std::string{to_string(status.breaker)} + ", not " +
              std::string{to_string(member.breaker.state)});
    }
    const auto idle = std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) {
      return c.second.state == Connection::State::idle && c.second.backend == status.id;
    });
    law(status.idle_connections == idle, "connections: idle ones of " + name + " are wrong");
    law(status.idle_connections <= model_.config.connection_pool.max_idle_per_backend,
        "connections: more idle ones than allowed");
    check_ramp(status, member);
  }
  ramp_changed_ = false;
}

// The share is that of a moment between the last step and now, and never falls.
void BalancerWorld::check_ramp(const BackendStatus& status, ClusterModel::Member& member) {
  const std::uint32_t percent = status.ramp_percent;
  if (!member.ramp_since) {
    law(percent == 100, "slow start: a backend that need not starts slowly");
    return;
  }
  const SlowStartConfig& config = *model_.config.slow_start;
  const auto share = [&](Duration age) {
    const double part = std::clamp(
        static_cast<double>(age.count()) / static_cast<double>(config.duration.count()), 0.0, 1.0);
    return config.min_percent + (100 - config.min_percent) * std::pow(part, 1 / config.aggression);
  };
  const Duration age = now_ - *member.ramp_since;
  const Duration step =
      std::max<Duration>(config.duration / kRampSteps, std::chrono::milliseconds{1});
  law(percent <= share(age) + 1e-6, "slow start: faster than configured");
  // A longer ramp takes what has been reached; a step may be that of the time before.
  if (!late_ && !ramp_changed_) {
    law(percent + 1.0 >= share(age - step), "slow start: slower than configured");
  }
  law(ramp_changed_ || percent >= member.ramp_percent, "slow start: the share falls with time");
  member.ramp_percent = percent;
  if (percent == 100) member.ramp_since.reset();
}

void BalancerWorld::check_queue() {
  law(balancer_->queue_length() == queue_.size(), "queue: its length is wrong");
  std::size_t waiting = 0;
  for (const auto& [_, request] : requests_) waiting += request.phase == Phase::queued ? 1 : 0;
  law(waiting == queue_.size(), "queue: an entry without a request, or a request without one");
  if (waiting == 0 || somebody_called() || !called_for_two_reasons_.empty()) return;
  law(model_.room() == ClusterModel::Room::later,
      "queue: somebody waits though there is a place, or never will be one");
}

void BalancerWorld::check_deadlines() {
  const auto next = balancer_->poll_timeout();
  const auto covers = [&](const std::optional<Instant>& at, const std::string& what) {
    if (at && !(next && *next <= *at)) law(false, "deadlines: no wake-up for " + what);
  };
  for (const auto& [_, request] : requests_) {
    if (request.aborted || request.out_of_time || request.out_of_all) continue;
    covers(request.deadline, "the phase of a request");
    covers(request.overall, "the whole of a request");
  }
  for (const auto& [_, connection] : connections_) {
    if (connection.state == Connection::State::idle) covers(connection.expires, "a connection");
  }
  for (const auto& [_, member] : model_.members) {
    covers(member.breaker.half_opens, "a breaker");
    if (member.drained && *member.drained > now_) covers(member.drained, "the grace of a backend");
  }
}

// What would be told of a list of results.
void BalancerWorld::check_tallies(const std::vector<Tally>& tallies) {
  const auto run_of = [](const std::vector<ClusterModel::Member::Result>& results, auto failed) {
    FailureRun run;
    std::uint32_t row = 0;
    for (const auto& result : results) {
      if (!failed(result)) {
        row = 0, run.broken = true;
        continue;
      }
      ++row;
      if (!run.broken) run.leading = row;
      run.longest = std::max(run.longest, row);
    }
    run.trailing = row;
    return run;
  };
  std::vector<Tally> expected;
  for (auto& [id, member] : model_.members) {
    if (member.results.empty()) continue;
    Tally tally{.backend = id};
    for (const auto& result : member.results) ++(result.failed ? tally.failures : tally.successes);
    tally.failure_run = run_of(member.results, [](const auto& result) { return result.failed; });
    tally.gateway_run = run_of(member.results, [](const auto& result) { return result.gateway; });
    expected.push_back(tally);
    member.results.clear();
  }
  law(tallies == expected, "tallies: not what happened since they were last taken");
}

void BalancerWorld::check_replay() const {
  journal::Reader reader(journal_);
  const journal::Replayed replayed = journal::replay(reader);
  law(replayed.problem.empty(), "journal: " + replayed.problem);
  if (!replayed.divergence) return;
  const journal::Divergence& found = *replayed.divergence;
  law(false, "journal: replay diverges at entry " + std::to_string(found.entry) + ", " +
                 found.said + "\n  was: " + found.expected + "\n  now: " + found.found);
}

}  // namespace lb::testing
