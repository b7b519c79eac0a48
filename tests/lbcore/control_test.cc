// Goal: ids, health and ejections outlive reloads, probes come at their very instant, and what is
// late or gone does no harm.
// Method: a spoken fixture around one Control; actions are read as sentences.
#include "lbcore/control.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "lbcore/balancer.h"

namespace lb {
namespace {

using namespace std::chrono_literals;

class ControlTest : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  ControlTest() {
    web.name = "web";
    web.health_check =
        HealthCheckConfig{.interval = 5s, .timeout = 1s, .jitter_percent = 0, .thresholds = {2, 3}};
    web.backends = {{"b1", "10.0.0.1:80"}, {"b2", "10.0.0.2:80"}};
  }

  ClusterConfig web;

  void load() { control_.handle_config(now_, {web}); }
  void advance(Duration duration) {
    now_ += duration;
    control_.handle_timeout(now_);
  }
  void pass(const std::string& name) {
    control_.handle_probe_result(now_, probes_.at(name), ProbeResult::pass);
  }
  void fail(const std::string& name) {
    control_.handle_probe_result(now_, probes_.at(name), ProbeResult::fail);
  }
  // One worker saw so many failures of it in a row.
  void fail_in_row(const std::string& name, std::uint32_t count, std::uint32_t worker = 0) {
    Tally tally{.backend = id_of(name), .failures = count};
    for (std::uint32_t n = 0; n < count; ++n) tally.failure_run.record(true);
    control_.handle_tallies(now_, ClusterId{0}, worker, std::vector{tally});
  }
  void succeed(const std::string& name, std::uint32_t worker = 0) {
    const Tally tally{.backend = id_of(name), .successes = 1, .failure_run = {.broken = true}};
    control_.handle_tallies(now_, ClusterId{0}, worker, std::vector{tally});
  }
  // Everything it asks for since the last call: "probe b1", "abandon b1", "b1 unknown healthy",
  // "eject b1 30s", "uneject b1".
  Words actions() {
    Words all;
    while (const auto action = control_.poll_action()) {
      const std::string name =
          control_.exists(action->probe) ? control_.backend_config(action->probe).id : "gone";
      switch (action->kind) {
        case ControlAction::Kind::start_probe:
          probes_[name] = action->probe;
          all.push_back("probe " + name);
          break;
        case ControlAction::Kind::abandon_probe: all.push_back("abandon " + name); break;
        case ControlAction::Kind::health_changed:
          all.push_back(name + ' ' + std::string{to_string(action->from)} + ' ' +
                        std::string{to_string(action->to)} + (action->silent ? ", silent" : ""));
          break;
        case ControlAction::Kind::ejection_changed: {
          const auto seconds =
              std::chrono::duration_cast<std::chrono::seconds>(action->ejection.duration);
          EXPECT_EQ(action->ejection.backend, action->probe.backend);
          all.push_back(action->ejection.ejected
                            ? "eject " + name + ' ' + std::to_string(seconds.count()) + 's'
                            : "uneject " + name);
          break;
        }
      }
    }
    return all;
  }
  // Both passed their first probe.
  void start_healthy() {
    load();
    actions();
    pass("b1");
    pass("b2");
    EXPECT_EQ(actions(), (Words{"b1 unknown healthy", "b2 unknown healthy"}));
  }
  std::vector<BackendId> ids() { return control_.plans().at(0).backend_ids; }
  std::vector<HealthState> health() { return control_.plans().at(0).health; }
  std::vector<bool> ejected() { return control_.plans().at(0).ejected; }
  BackendId id_of(const std::string& name) {
    const auto plan = control_.plans().at(0);
    for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
      if (plan.config.backends[i].id == name) return plan.backend_ids[i];
    }
    return BackendId{999};
  }
  Exclusion exclusion(const std::string& name) {
    return control_.standing(ClusterId{0}, id_of(name)).exclusion;
  }
  std::optional<Duration> next_timeout() {
    const auto at = control_.poll_timeout();
    return at ? std::optional{*at - now_} : std::nullopt;
  }

  Control control_{1};
  Instant now_{1h};
  std::map<std::string, ProbeId> probes_;
};

constexpr HealthState kUnknown = HealthState::unknown;
constexpr HealthState kHealthy = HealthState::healthy;
constexpr HealthState kUnhealthy = HealthState::unhealthy;

TEST_F(ControlTest, ProbesEveryBackendAtOnce) {
  load();
  EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"}));
  EXPECT_EQ(health(), (std::vector{kUnknown, kUnknown}));
  EXPECT_EQ(control_.health_check(probes_.at("b1")), *web.health_check);
}

TEST_F(ControlTest, ProbesNobodyWithoutAHealthCheck) {
  web.health_check.reset();
  load();
  EXPECT_EQ(actions(), Words{});
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_TRUE(control_.knows_all());
}

TEST_F(ControlTest, TheFirstResultDecides) {
  load();
  actions();
  EXPECT_FALSE(control_.knows_all());
  pass("b1");
  EXPECT_FALSE(control_.knows_all());
  fail("b2");
  EXPECT_TRUE(control_.knows_all());
  EXPECT_EQ(actions(), (Words{"b1 unknown healthy", "b2 unknown unhealthy"}));
  EXPECT_EQ(health(), (std::vector{kHealthy, kUnhealthy}));
  EXPECT_EQ(control_.health(ClusterId{0}, ids()[1]).state(), kUnhealthy);
  EXPECT_EQ(control_.health(ClusterId{0}, BackendId{99}).state(), kUnknown);
}

TEST_F(ControlTest, ProbesAgainOneIntervalAfterTheEndOfTheLast) {
  web.backends.pop_back();
  load();
  actions();
  advance(300ms);
  pass("b1");
  actions();
  EXPECT_EQ(next_timeout(), 5s);
  advance(5s - 1ns);
  EXPECT_EQ(actions(), Words{});
  advance(1ns);
  EXPECT_EQ(actions(), Words{"probe b1"});
}

TEST_F(ControlTest, AProbeThatCouldNotBeAskedSaysNothing) {
  start_healthy();
  for (int round = 0; round < 5; ++round) {
    advance(5s);
    EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"}));
    control_.handle_probe_result(now_, probes_.at("b1"), std::nullopt);
    pass("b2");
    EXPECT_EQ(actions(), Words{});
  }
  EXPECT_EQ(health(), (std::vector{kHealthy, kHealthy}));
}

TEST_F(ControlTest, AProbeThatTakesTooLongHasFailed) {
  web.backends.pop_back();
  load();
  actions();
  EXPECT_EQ(next_timeout(), 1s);
  advance(1s - 1ns);
  EXPECT_EQ(actions(), Words{});
  advance(1ns);
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy, silent"}));
  EXPECT_EQ(next_timeout(), 5s) << "the interval starts at the timeout";
}

TEST_F(ControlTest, NeedsTheThresholdsToChangeHealth) {
  start_healthy();
  for (const char* expected : {"", "", "b1 healthy unhealthy", "", "b1 unhealthy healthy"}) {
    advance(5s);
    actions();
    pass("b2");
    const bool failing = health()[0] == kHealthy;
    failing ? fail("b1") : pass("b1");
    EXPECT_EQ(actions(), *expected == '\0' ? Words{} : Words{expected});
  }
}

TEST_F(ControlTest, IgnoresALateResult) {
  web.backends.pop_back();
  load();
  actions();
  const ProbeId late = probes_.at("b1");
  advance(1s);
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy, silent"}));
  control_.handle_probe_result(now_, late, ProbeResult::pass);
  EXPECT_EQ(actions(), Words{});
  EXPECT_EQ(next_timeout(), 5s);
  advance(5s);
  EXPECT_EQ(actions(), Words{"probe b1"});
  for (int n = 0; n < 5; ++n) control_.handle_probe_result(now_, late, ProbeResult::pass);
  EXPECT_EQ(health(), std::vector{kUnhealthy}) << "the number of another probe";
  EXPECT_EQ(control_.health(ClusterId{0}, ids()[0]).streak(), 0u);
  pass("b1");
  pass("b1");
  EXPECT_EQ(control_.health(ClusterId{0}, ids()[0]).streak(), 1u) << "one result for each probe";
}

TEST_F(ControlTest, IgnoresAResultAboutWhatIsGone) {
  load();
  actions();
  web.backends.pop_back();
  load();
  EXPECT_EQ(actions(), Words{"abandon gone"}) << "its socket must not wait for ever";
  fail("b2");
  EXPECT_EQ(actions(), Words{});
  EXPECT_FALSE(control_.exists(probes_.at("b2")));
  control_.handle_probe_result(now_, {ClusterId{7}, BackendId{0}, 1}, ProbeResult::fail);
  advance(1s);
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy, silent"}))
      << "and no deadline of b2";
}

// -- Reload

TEST_F(ControlTest, IdsStayOverAReload) {
  start_healthy();
  const auto before = ids();
  std::swap(web.backends[0], web.backends[1]);
  web.backends[0].weight = 9;
  load();
  EXPECT_EQ(ids(), (std::vector{before[1], before[0]}));
  EXPECT_EQ(health(), (std::vector{kHealthy, kHealthy}));
  EXPECT_EQ(actions(), Words{}) << "nobody is probed out of turn";
  EXPECT_EQ(next_timeout(), 5s);
}

// Results find their backend by its id, in whatever order backends stand.
TEST_F(ControlTest, AResultIsThatOfItsBackendInAnyOrder) {
  web.backends.push_back({"b3", "10.0.0.3:80"});
  load();
  actions();
  web.backends = {web.backends[0], web.backends[2], web.backends[1]};
  load();
  EXPECT_EQ(actions(), Words{});
  fail("b2");
  EXPECT_EQ(actions(), (Words{"b2 unknown unhealthy"}));
  web.backends = {web.backends[2], web.backends[1]};
  load();
  actions();
  pass("b3");
  EXPECT_EQ(actions(), (Words{"b3 unknown healthy"}));
  pass("b1");
  EXPECT_EQ(actions(), Words{}) << "it is gone";
}

TEST_F(ControlTest, AnotherAddressIsAnotherBackend) {
  start_healthy();
  const auto before = ids();
  web.backends[0].address = "10.0.0.9:80";
  load();
  EXPECT_EQ(ids()[1], before[1]);
  EXPECT_NE(ids()[0], before[0]);
  EXPECT_NE(ids()[0], before[1]);
  EXPECT_EQ(health(), (std::vector{kUnknown, kHealthy}));
  EXPECT_EQ(actions(), Words{"probe b1"});
}

TEST_F(ControlTest, IdsAreNeverGivenTwice) {
  load();
  const auto before = ids();
  const auto both = web.backends;
  web.backends.clear();
  load();
  web.backends = both;
  load();
  for (const BackendId id : ids()) EXPECT_EQ(std::count(before.begin(), before.end(), id), 0);
}

TEST_F(ControlTest, AReloadDoesNotRaiseHealth) {
  load();
  actions();
  fail("b1");
  actions();
  load();
  web.health_check->interval = 6s;
  load();
  EXPECT_EQ(health(), (std::vector{kUnhealthy, kUnknown}));
}

TEST_F(ControlTest, AChangedHealthCheckProbesAtOnce) {
  start_healthy();
  web.health_check->path = "/ready";
  load();
  EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"}));
  EXPECT_EQ(health(), (std::vector{kHealthy, kHealthy}));
}

TEST_F(ControlTest, AChangedHealthCheckOvertakesAProbeUnderWay) {
  web.backends.pop_back();
  load();
  actions();
  const ProbeId overtaken = probes_.at("b1");
  advance(600ms);
  web.health_check->path = "/ready";
  load();
  EXPECT_EQ(actions(), (Words{"abandon b1", "probe b1"}));
  EXPECT_EQ(next_timeout(), 1s);
  control_.handle_probe_result(now_, overtaken, ProbeResult::fail);
  EXPECT_EQ(health(), std::vector{kUnknown});
  pass("b1");
  EXPECT_EQ(health(), std::vector{kHealthy});
}

// The story of both brains: no request may be refused because a check was added.
TEST_F(ControlTest, AddingAHealthCheckToARunningClusterKeepsItServing) {
  const auto check = web.health_check;
  web.health_check.reset();
  load();
  Balancer balancer{now_, control_.plans()[0], 1};
  ASSERT_TRUE(balancer.handle_request(now_, {}));
  web.health_check = check;
  load();
  balancer.handle_config(now_, control_.plans()[0]);
  EXPECT_TRUE(balancer.handle_request(now_, {}));
  EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"}));
  pass("b1");
  EXPECT_EQ(actions(), Words{}) << "it counted as healthy all along, so nothing is reported";
  EXPECT_TRUE(balancer.handle_request(now_, {}));
  EXPECT_EQ(health(), (std::vector{kHealthy, kHealthy}));
}

TEST_F(ControlTest, ABackendThatWasDisabledIsNotAssumedHealthy) {
  const auto check = web.health_check;
  web.health_check.reset();
  web.backends[0].state = AdminState::disabled;
  load();
  web.health_check = check;
  web.backends[0].state = AdminState::enabled;
  load();
  EXPECT_EQ(health(), (std::vector{kUnknown, kHealthy})) << "it served nobody before";
}

TEST_F(ControlTest, DisabledIsNotProbed) {
  web.backends[0].state = AdminState::disabled;
  load();
  EXPECT_EQ(actions(), Words{"probe b2"});
  pass("b2");
  EXPECT_TRUE(control_.knows_all());
  web.backends[0].state = AdminState::enabled;
  load();
  EXPECT_EQ(actions(), (Words{"b2 unknown healthy", "probe b1"}));
}

TEST_F(ControlTest, DisablingStopsAProbeUnderWay) {
  load();
  actions();
  web.backends[0].state = AdminState::disabled;
  load();
  EXPECT_EQ(actions(), Words{"abandon b1"});
  fail("b1");
  EXPECT_EQ(health()[0], kUnknown);
  advance(1s);
  EXPECT_EQ(actions(), (Words{"abandon b2", "b2 unknown unhealthy, silent"}));
}

TEST_F(ControlTest, DrainingIsProbed) {
  web.backends[0].state = AdminState::draining;
  load();
  EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"}));
}

TEST_F(ControlTest, RemovingTheHealthCheckStopsProbing) {
  start_healthy();
  web.health_check.reset();
  load();
  EXPECT_EQ(next_timeout(), std::nullopt);
  advance(1h);
  EXPECT_EQ(actions(), Words{});
}

TEST_F(ControlTest, ClustersKeepTheirIdsAndOrder) {
  ClusterConfig api = web;
  api.name = "api";
  control_.handle_config(now_, {web, api});
  const auto before = control_.plans();
  EXPECT_NE(before[0].id, before[1].id);
  control_.handle_config(now_, {api, web});
  const auto after = control_.plans();
  EXPECT_EQ(after[0].id, before[1].id);
  EXPECT_EQ(after[0].config.name, "api");
  EXPECT_EQ(after[0].backend_ids, before[1].backend_ids);
  control_.handle_config(now_, {web});
  control_.handle_config(now_, {web, api});
  EXPECT_EQ(control_.plans()[1].id, before[1].id) << "a name keeps its id for good";
  EXPECT_NE(control_.plans()[1].backend_ids, before[1].backend_ids) << "its backends do not";
}

TEST_F(ControlTest, AProbeKeepsItsDeadlineOverAReload) {
  web.backends.pop_back();
  load();
  actions();
  advance(600ms);
  load();
  EXPECT_EQ(actions(), Words{});
  EXPECT_EQ(next_timeout(), 400ms);
  pass("b1");
  EXPECT_EQ(actions(), Words{"b1 unknown healthy"});
}

// -- Initial state, intervals, jitter, flap damping

TEST_F(ControlTest, AnInitiallyHealthyBackendServesAtOnce) {
  web.health_check->initial_state = InitialState::healthy;
  load();
  EXPECT_EQ(health(), (std::vector{kHealthy, kHealthy}));
  EXPECT_TRUE(control_.knows_all());
  EXPECT_EQ(actions(), (Words{"probe b1", "probe b2"})) << "probed all the same";
  pass("b1");
  fail("b2");
  EXPECT_EQ(actions(), Words{}) << "a healthy one falls at its threshold";
}

TEST_F(ControlTest, InitialStateIsForNewBackendsOnly) {
  load();
  web.health_check->initial_state = InitialState::healthy;
  web.backends.push_back({"b3", "10.0.0.3:80"});
  load();
  EXPECT_EQ(health(), (std::vector{kUnknown, kUnknown, kHealthy})) << "a reload raises nobody";
}

TEST_F(ControlTest, AnUnhealthyBackendIsProbedAtAnIntervalOfItsOwn) {
  web.health_check->unhealthy_interval = 500ms;
  web.backends.pop_back();
  load();
  actions();
  fail("b1");
  EXPECT_EQ(next_timeout(), 500ms);
  advance(500ms);
  actions();
  pass("b1");
  EXPECT_EQ(next_timeout(), 500ms) << "still unhealthy";
  advance(500ms);
  actions();
  pass("b1");
  EXPECT_EQ(next_timeout(), 5s);
}

TEST_F(ControlTest, JitterShortensEachWaitByUpToItsPercentage) {
  web.health_check->jitter_percent = 20;
  web.backends.pop_back();
  load();
  Duration least = 5s, most{}, sum{};
  for (int n = 0; n < 1000; ++n) {
    actions();
    pass("b1");
    const Duration wait = *next_timeout();
    least = std::min(least, wait);
    most = std::max(most, wait);
    sum += wait;
    advance(wait);
  }
  EXPECT_GE(least, 4s);
  EXPECT_LT(least, 4010ms);
  EXPECT_LE(most, 5s);
  EXPECT_GT(most, 4990ms);
  EXPECT_NEAR(static_cast<double>(sum.count()) / 1000, 4.5e9, 0.03e9) << "uniform";
}

TEST_F(ControlTest, TheSameSeedWaitsAlike) {
  web.health_check->jitter_percent = 10;
  web.backends.pop_back();
  const auto waits = [&](std::uint64_t seed) {
    control_ = Control(seed);
    load();
    std::vector<Duration> all;
    for (int n = 0; n < 5; ++n) {
      actions();
      pass("b1");
      all.push_back(*next_timeout());
      advance(all.back());
    }
    return all;
  };
  EXPECT_EQ(waits(1), waits(1));
  EXPECT_NE(waits(1), waits(2));
}

// Falls (three failures) and comes back; the number of passes it took.
class FlapTest : public ControlTest {
 protected:
  FlapTest() {
    web.backends.pop_back();
    web.health_check->flap_damping = FlapDampingConfig{.window = 5min, .max_factor = 4};
  }
  void fall() {
    while (health()[0] == kHealthy) {
      advance(5s);
      actions();
      fail("b1");
    }
  }
  int passes_to_return() {
    int passes = 0;
    while (health()[0] != kHealthy) {
      advance(5s);
      actions();
      pass("b1");
      ++passes;
    }
    return passes;
  }
  void start() {
    load();
    actions();
    pass("b1");
  }
};

TEST_F(FlapTest, EveryFallWithinTheWindowDoublesThePasses) {
  start();
  for (const int expected : {2, 4, 8, 8}) {
    fall();
    EXPECT_EQ(passes_to_return(), expected);
  }
  for (int n = 0; n < 70; ++n) {
    advance(5s);
    actions();
    pass("b1");
  }
  fall();
  EXPECT_EQ(passes_to_return(), 2) << "forgiven after a quiet while";
}

TEST_F(FlapTest, AReloadKeepsTheHistory) {
  start();
  fall();
  EXPECT_EQ(passes_to_return(), 2);
  web.health_check->path = "/ready";
  web.backends[0].weight = 7;
  load();
  fall();
  EXPECT_EQ(passes_to_return(), 4);
}

TEST_F(FlapTest, TheFirstProbeIsNoFall) {
  load();
  actions();
  fail("b1");
  EXPECT_EQ(passes_to_return(), 2);
  fall();
  EXPECT_EQ(passes_to_return(), 2) << "its first";
}

// -- Ejection

class EjectionTest : public ControlTest {
 protected:
  EjectionTest() {
    web.health_check.reset();
    web.outlier_ejection = OutlierEjectionConfig{.consecutive_failures = 5};
  }
};

TEST_F(EjectionTest, FailuresInARowEjectForAWhile) {
  load();
  EXPECT_EQ(ejected(), (std::vector{false, false}));
  fail_in_row("b1", 4);
  EXPECT_EQ(actions(), Words{});
  fail_in_row("b1", 1);
  EXPECT_EQ(actions(), Words{"eject b1 30s"});
  EXPECT_EQ(ejected(), (std::vector{true, false}));
  EXPECT_EQ(exclusion("b1"), Exclusion::ejected);
  EXPECT_EQ(exclusion("b2"), Exclusion::none);
  advance(30s - 1ns);
  EXPECT_EQ(actions(), Words{});
  advance(1ns);
  EXPECT_EQ(actions(), Words{"uneject b1"});
  EXPECT_EQ(ejected(), (std::vector{false, false}));
  ASSERT_NE(control_.ejection_counters(ClusterId{0}), nullptr);
  EXPECT_EQ(control_.ejection_counters(ClusterId{0})->enforced[0], 1u);
}

TEST_F(EjectionTest, ReportsOfWorkersJoinInTheOrderTheyCome) {
  load();
  fail_in_row("b1", 3, 0);
  fail_in_row("b1", 2, 1);
  EXPECT_EQ(actions(), Words{"eject b1 30s"});
  fail_in_row("b2", 4, 0);
  succeed("b2", 1);
  fail_in_row("b2", 4, 0);
  EXPECT_EQ(control_.ejection_counters(ClusterId{0})->detected[0], 1u)
      << "another worker's success breaks the row";
}

TEST_F(EjectionTest, LateReportsAboutWhatIsGoneAreIgnored) {
  load();
  const Tally tally{.backend = BackendId{77}, .failures = 9, .failure_run = {9, 9, 9, false}};
  control_.handle_tallies(now_, ClusterId{0}, 0, std::vector{tally});
  control_.handle_tallies(now_, ClusterId{5}, 0, std::vector{tally});
  web.outlier_ejection.reset();
  load();
  fail_in_row("b1", 9);
  EXPECT_EQ(actions(), Words{});
  EXPECT_EQ(control_.ejection_counters(ClusterId{0}), nullptr);
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_EQ(ejected(), std::vector<bool>{}) << "nobody is";
}

TEST_F(EjectionTest, AReloadDoesNotUneject) {
  load();
  fail_in_row("b1", 5);
  actions();
  advance(10s);
  std::swap(web.backends[0], web.backends[1]);
  web.outlier_ejection->base_ejection_time = 1s;
  load();
  EXPECT_EQ(ejected(), (std::vector{false, true}));
  advance(20s - 1ns);
  EXPECT_EQ(actions(), Words{});
  advance(1ns);
  EXPECT_EQ(actions(), Words{"uneject b1"});
}

TEST_F(EjectionTest, AnotherAddressIsAnotherBackend) {
  load();
  fail_in_row("b1", 5);
  actions();
  web.backends[0].address = "10.0.0.9:80";
  load();
  EXPECT_EQ(ejected(), (std::vector{false, false}));
  advance(1h);
  EXPECT_EQ(actions(), Words{});
}

TEST_F(EjectionTest, DoingWithoutEjectionEndsIt) {
  load();
  fail_in_row("b1", 5);
  actions();
  web.outlier_ejection.reset();
  load();
  EXPECT_EQ(actions(), Words{"uneject b1"});
  EXPECT_EQ(exclusion("b1"), Exclusion::none);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(EjectionTest, ARemovedClusterLeavesNoDeadline) {
  load();
  fail_in_row("b1", 5);
  actions();
  control_.handle_config(now_, {});
  EXPECT_EQ(next_timeout(), std::nullopt);
  advance(1h);
  EXPECT_EQ(actions(), Words{});
}

TEST_F(EjectionTest, TheOperatorSpeaksBeforeTheProbeBeforeTheTraffic) {
  web.health_check = HealthCheckConfig{.jitter_percent = 0, .thresholds = {1, 1}};
  web.backends.push_back({"b3", "10.0.0.3:80"});
  load();
  actions();
  for (const char* name : {"b1", "b2", "b3"}) pass(name);
  fail_in_row("b1", 5);
  actions();
  EXPECT_EQ(exclusion("b1"), Exclusion::ejected);
  advance(5s);
  actions();
  fail("b1");
  EXPECT_EQ(exclusion("b1"), Exclusion::unhealthy);
  web.backends[0].state = AdminState::draining;
  load();
  EXPECT_EQ(exclusion("b1"), Exclusion::draining);
  web.backends[0].state = AdminState::enabled;
  load();
  advance(5s);
  actions();
  pass("b1");
  EXPECT_EQ(health()[0], kHealthy);
  EXPECT_EQ(exclusion("b1"), Exclusion::ejected) << "a passing probe ends no ejection";
  EXPECT_EQ(control_.standing(ClusterId{0}, id_of("b1")).ejection->duration, 30s);
}

TEST_F(EjectionTest, NobodyIsEjectedWhenTheOthersAreUnhealthyOrOrderedOut) {
  web.health_check = HealthCheckConfig{.jitter_percent = 0, .thresholds = {1, 1}};
  web.backends.push_back({"b3", "10.0.0.3:80"});
  web.backends[2].state = AdminState::draining;
  load();
  actions();
  pass("b1");
  fail("b2");
  pass("b3");
  actions();
  fail_in_row("b1", 5);
  EXPECT_EQ(actions(), Words{}) << "it is the last";
  advance(5s);
  actions();
  pass("b1");
  pass("b2");
  fail_in_row("b1", 5);
  EXPECT_EQ(actions(), (Words{"b2 unhealthy healthy", "eject b1 30s"}));
}

}  // namespace
}  // namespace lb
