// Goal: ids and health outlive reloads, probes come at their very instant, and what is late or
// gone does no harm.
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
    web.health_check = HealthCheckConfig{.interval = 5s, .timeout = 1s, .thresholds = {2, 3}};
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
  // Everything it asks for since the last call: "probe b1", "abandon b1", "b1 unknown healthy".
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
                        std::string{to_string(action->to)});
          break;
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
  std::optional<Duration> next_timeout() {
    const auto at = control_.poll_timeout();
    return at ? std::optional{*at - now_} : std::nullopt;
  }

  Control control_;
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

TEST_F(ControlTest, AProbeThatTakesTooLongHasFailed) {
  web.backends.pop_back();
  load();
  actions();
  EXPECT_EQ(next_timeout(), 1s);
  advance(1s - 1ns);
  EXPECT_EQ(actions(), Words{});
  advance(1ns);
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy"}));
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
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy"}));
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
  EXPECT_EQ(actions(), (Words{"abandon b1", "b1 unknown unhealthy"})) << "and no deadline of b2";
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
  EXPECT_EQ(actions(), (Words{"abandon b2", "b2 unknown unhealthy"}));
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

}  // namespace
}  // namespace lb
