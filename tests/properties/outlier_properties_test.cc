// Goal: laws of outlier ejection that hold in any sequence of reports, reloads and changes of
// health: who is out, how many and how long.
// Method: generated commands against a detector beside a naive model that keeps every result it
// was told. Rates are off where rows are looked at, and the other way round.
#include <rapidcheck.h>

#include <map>
#include <numeric>
#include <vector>

#include "lbcore/outlier.h"
#include "tests/testing/property.h"

namespace lb::testing {
namespace {

using namespace std::chrono_literals;
using Results = std::vector<bool>;  // true: failed.

FailureRun run_of(const Results& results) {
  FailureRun run;
  for (const bool failed : results) run.record(failed);
  return run;
}

Tally tally_of(BackendId backend, const Results& results) {
  Tally tally{.backend = backend, .failure_run = run_of(results), .gateway_run = run_of(results)};
  for (const bool failed : results) ++(failed ? tally.failures : tally.successes);
  return tally;
}

TEST(FailureRunLaw, AnyCutGivesTheRunOfTheWhole) {
  expect_property([] {
    const auto parts = *rc::gen::container<std::vector<Results>>(rc::gen::arbitrary<Results>());
    Results whole;
    FailureRun joined;
    for (const Results& part : parts) {
      joined.append(run_of(part));
      whole.insert(whole.end(), part.begin(), part.end());
    }
    RC_ASSERT(joined == run_of(whole));
  });
}

TEST(FailureRunLaw, AppendingIsAssociative) {
  expect_property([] {
    const auto [a, b, c] =
        *rc::gen::tuple(rc::gen::arbitrary<Results>(), rc::gen::arbitrary<Results>(),
                        rc::gen::arbitrary<Results>());
    FailureRun left = run_of(a);
    left.append(run_of(b));
    left.append(run_of(c));
    FailureRun right = run_of(b);
    right.append(run_of(c));
    FailureRun all = run_of(a);
    all.append(right);
    RC_ASSERT(left == all);
  });
}

// -- The detector in any sequence

struct Command {
  enum class Kind : std::uint8_t { report, wait, service, members, configure };
  Kind kind = Kind::report;
  std::uint32_t which = 0;
  std::uint32_t how = 0;
  Results results;
};

std::ostream& operator<<(std::ostream& out, const Command& command) {
  out << static_cast<int>(command.kind) << '/' << command.which << '/' << command.how << ' ';
  for (const bool failed : command.results) out << (failed ? 'x' : '.');
  return out;
}

rc::Gen<Results> any_results() {
  return rc::gen::resize(
      8, rc::gen::container<Results>(rc::gen::weightedElement<bool>({{4, true}, {1, false}})));
}

rc::Gen<Command> any_command() {
  using Kind = Command::Kind;
  return rc::gen::build<Command>(
      rc::gen::set(&Command::kind, rc::gen::weightedElement<Kind>({{20, Kind::report},
                                                                   {6, Kind::wait},
                                                                   {3, Kind::service},
                                                                   {1, Kind::members},
                                                                   {1, Kind::configure}})),
      rc::gen::set(&Command::which, rc::gen::inRange(0U, 8U)),
      rc::gen::set(&Command::how, rc::gen::inRange(0U, 64U)),
      rc::gen::set(&Command::results, any_results()));
}

// The detector and, beside it, what anybody can see from outside.
class World {
 public:
  explicit World(const OutlierEjectionConfig& config)
      : config_(config), detector_(Instant{}, config) {
    have(5);
  }

  void apply(const Command& command) {
    switch (command.kind) {
      case Command::Kind::report:
        detector_.handle_tallies(now_,
                                 std::vector{tally_of(BackendId{command.which}, command.results)});
        break;
      case Command::Kind::wait: wait(command.how * 1s); break;
      case Command::Kind::service: change_service(command); break;
      case Command::Kind::members: have(command.which); break;
      case Command::Kind::configure:
        config_.consecutive_failures = command.how % 4;
        config_.max_ejected_percent = command.how * 100 / 63;
        detector_.handle_config(now_, config_);
        break;
    }
    settle();
  }

  [[nodiscard]] const std::vector<EjectionChange>& history() const { return history_; }
  [[nodiscard]] const OutlierDetector& detector() const { return detector_; }
  [[nodiscard]] std::size_t ejected() const { return out_.size(); }

 private:
  void have(std::uint32_t count) {
    std::vector<OutlierDetector::Member> list;
    std::map<BackendId, bool> next;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto known = members_.find(BackendId{i});
      next[BackendId{i}] = known == members_.end() || known->second;
      list.push_back({BackendId{i}, next[BackendId{i}]});
    }
    members_ = next;
    std::erase_if(out_, [&](const auto& entry) { return !members_.contains(entry.first); });
    detector_.handle_members(list);
  }
  void change_service(const Command& command) {
    const auto member = members_.find(BackendId{command.which});
    if (member != members_.end()) member->second = command.how % 2 == 0;
    detector_.handle_in_service(BackendId{command.which}, command.how % 2 == 0);
  }
  void wait(Duration duration) {
    const Instant until = now_ + duration;
    while (detector_.poll_timeout() <= until) {
      now_ = detector_.poll_timeout();
      detector_.handle_timeout(now_);
      settle();
    }
    now_ = until;
  }
  // Every change is checked at the instant it is made.
  void settle() {
    while (const auto change = detector_.poll_change()) {
      history_.push_back(*change);
      change->ejected ? check_ejection(*change) : check_return(*change);
    }
    for (const auto& [id, _] : members_) {
      RC_ASSERT(detector_.ejection(id).has_value() == out_.contains(id));
    }
  }
  void check_ejection(const EjectionChange& change) {
    RC_ASSERT(!config_.detect_only);
    RC_ASSERT(members_.at(change.backend));
    RC_ASSERT(!out_.contains(change.backend));
    RC_ASSERT(change.until == now_ + change.duration);
    RC_ASSERT(change.duration <= config_.max_ejection_time);
    RC_ASSERT(change.duration >= std::min(config_.base_ejection_time, config_.max_ejection_time));
    RC_ASSERT(change.duration == config_.max_ejection_time ||
              change.duration % config_.base_ejection_time == 0s);
    out_[change.backend] = change;
    RC_ASSERT(config_.max_ejected_percent > 0);
    RC_ASSERT(out_.size() == 1 ||
              out_.size() * 100 <= config_.max_ejected_percent * members_.size());
    const auto serves = [&](const auto& member) {
      return member.second && !out_.contains(member.first);
    };
    RC_ASSERT(std::any_of(members_.begin(), members_.end(), serves));
  }
  void check_return(const EjectionChange& change) {
    RC_ASSERT(out_.contains(change.backend));
    RC_ASSERT(change.until == now_);
    RC_ASSERT(out_.at(change.backend).until == now_);
    out_.erase(change.backend);
  }

  OutlierEjectionConfig config_;
  OutlierDetector detector_;
  Instant now_;
  std::map<BackendId, bool> members_;  // In service?
  std::map<BackendId, EjectionChange> out_;
  std::vector<EjectionChange> history_;
};

OutlierEjectionConfig any_config() {
  OutlierEjectionConfig config;
  config.consecutive_failures = *rc::gen::inRange(1U, 6U);
  config.consecutive_gateway_failures = *rc::gen::inRange(0U, 4U);
  config.success_rate_stdev = *rc::gen::element(0.0, 0.5, 1.0);
  config.failure_percent = *rc::gen::element(0U, 30U);
  config.min_requests = *rc::gen::inRange(1U, 5U);
  config.min_backends = *rc::gen::inRange(1U, 4U);
  config.base_ejection_time = *rc::gen::inRange(1, 20) * 1s;
  config.max_ejection_time = *rc::gen::inRange(1, 60) * 1s;
  config.max_ejected_percent = *rc::gen::inRange(0U, 101U);
  return config;
}

TEST(OutlierLaw, NeverTooManyNeverTheLastNeverTooLong) {
  expect_property([] {
    World world(any_config());
    for (const auto& command : *rc::gen::container<std::vector<Command>>(any_command())) {
      world.apply(command);
    }
    const auto& counters = world.detector().counters();
    const auto sum = [](const EjectionCounters::ByRule& counts) {
      return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    };
    RC_ASSERT(sum(counters.detected) == sum(counters.enforced) + counters.refused);
    // In the end everybody comes back.
    world.apply({.kind = Command::Kind::wait, .how = 63});
    RC_ASSERT(world.ejected() == 0U);
  });
}

TEST(OutlierLaw, DetectOnlyEjectsNobody) {
  expect_property([] {
    OutlierEjectionConfig config = any_config();
    config.detect_only = true;
    World world(config);
    for (const auto& command : *rc::gen::container<std::vector<Command>>(any_command())) {
      world.apply(command);
    }
    RC_ASSERT(world.history().empty());
    RC_ASSERT(world.detector().counters().enforced == EjectionCounters::ByRule{});
    RC_ASSERT(world.detector().counters().refused == 0U);
  });
}

TEST(OutlierLaw, TheSameInputGivesTheSameChanges) {
  expect_property([] {
    const auto config = any_config();
    const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
    const auto run = [&] {
      World world(config);
      for (const Command& command : commands) world.apply(command);
      return std::pair(world.history(), world.detector().counters());
    };
    RC_ASSERT(run() == run());
  });
}

// However the results are cut into reports, and whichever worker each comes from, a backend is
// found when and only when that many failures came one after the other.
TEST(OutlierLaw, InARowMeansInARow) {
  expect_property([] {
    OutlierEjectionConfig config;
    config.consecutive_failures = *rc::gen::inRange(1U, 6U);
    config.max_ejected_percent = 100;
    OutlierDetector detector(Instant{}, config);
    detector.handle_members(std::vector<OutlierDetector::Member>{{BackendId{0}}, {BackendId{1}}});
    std::uint32_t in_row = 0;
    bool found = false;
    for (const Results& report : *rc::gen::container<std::vector<Results>>(any_results())) {
      detector.handle_tallies(Instant{}, std::vector{tally_of(BackendId{0}, report)});
      for (const bool failed : report) {
        in_row = failed ? in_row + 1 : 0;
        found = found || in_row >= config.consecutive_failures;
      }
      RC_ASSERT(detector.ejection(BackendId{0}).has_value() == found);
    }
  });
}

// Base times the number of ejections, capped; and the number falls with every whole interval.
TEST(OutlierLaw, LengthIsBaseTimesCountCapped) {
  expect_property([] {
    OutlierEjectionConfig config;
    config.consecutive_failures = 1;
    config.interval = 10s;
    config.base_ejection_time = *rc::gen::inRange(1, 40) * 1s;
    config.max_ejection_time = *rc::gen::inRange(1, 200) * 1s;
    OutlierDetector detector(Instant{}, config);
    detector.handle_members(std::vector<OutlierDetector::Member>{{BackendId{0}}, {BackendId{1}}});
    const Results failure{true};
    Instant now;
    std::int64_t count = 0;
    // From which count on one more would change nothing.
    const std::int64_t enough =
        (config.max_ejection_time + config.base_ejection_time - 1s) / config.base_ejection_time;
    for (const int pause : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 60))) {
      detector.handle_tallies(now, std::vector{tally_of(BackendId{0}, failure)});
      const auto change = detector.poll_change();
      count = std::min(count + 1, enough);
      RC_ASSERT(change.has_value());
      RC_ASSERT(change->duration ==
                std::min(config.base_ejection_time * count, config.max_ejection_time));
      const Instant back = change->until;
      const Instant until = back + pause * 1s;
      for (; detector.poll_timeout() <= until; detector.handle_timeout(now)) {
        now = detector.poll_timeout();
      }
      now = until;
      RC_ASSERT(detector.poll_change().has_value());
      // Whole intervals of 10 s, on a grid from zero, between the two instants.
      const std::int64_t first = (back.time_since_epoch() + 10s - 1ns) / 10s;
      const std::int64_t whole = until.time_since_epoch() / 10s - first;
      count -= std::min(count, std::max<std::int64_t>(whole, 0));
    }
  });
}

}  // namespace
}  // namespace lb::testing
