// Goal: the configuration that runs is the scenario's, at other addresses.
#include "harness/address_plan.h"

#include <gtest/gtest.h>

namespace lb::harness {
namespace {

constexpr const char* kScenario = R"({
  "why": "test",
  "config": {
    "listeners": [{"name": "web", "bind": "0.0.0.0:80", "cluster": "web"}],
    "clusters": [{"name": "web",
                  "backends": [{"id": "b1", "address": "10.0.0.1:8000", "weight": 3}],
                  "health_check": {"path": "/"}}]},
  "load": [{"arrivals": {"constant": {"rate": 1}}}],
  "events": [{"at": "1s", "add_backend": {"cluster": "web", "id": "b2",
                                          "address": "10.0.0.2:8000"}}]})";

class AddressPlanTest : public testing::Test {
 protected:
  AddressPlanTest() {
    const auto loaded = scenario::load_scenario(
        kScenario, "s.json", [](const std::string&) { return std::optional<std::string>{}; });
    EXPECT_EQ(loaded.problems, "");
    scenario_ = loaded.scenario;
  }
  scenario::Scenario scenario_;
};

TEST_F(AddressPlanTest, ReplacesEveryAddressAndNothingElse) {
  const AddressPlan plan(scenario_, "access.log");
  const config::DaemonConfig config = plan.localize(scenario_.config);
  EXPECT_EQ(config.listeners[0].bind, loopback_address(plan.listener_port("web")));
  EXPECT_EQ(config.clusters[0].backends[0].address, loopback_address(plan.backend_port("b1")));
  EXPECT_EQ(config.clusters[0].backends[0].weight, 3u);
  EXPECT_EQ(config.admin->bind, loopback_address(plan.admin_port()));
  EXPECT_EQ(config.log.access, "access.log");
  EXPECT_TRUE(config::check_config(config).empty());
}

TEST_F(AddressPlanTest, KnowsWhatABackendIsToExpect) {
  EXPECT_EQ(AddressPlan(scenario_, "off").proxy_protocol("web"), SentProxyHeader::none);
  scenario_.config.clusters[0].proxy_protocol = SentProxyHeader::v2;
  EXPECT_EQ(AddressPlan(scenario_, "off").proxy_protocol("web"), SentProxyHeader::v2);
}

TEST_F(AddressPlanTest, KnowsBackendsThatJoinLater) {
  const AddressPlan plan(scenario_, "off");
  EXPECT_NE(plan.backend_port("b2"), 0);
  EXPECT_NE(plan.backend_port("b2"), plan.backend_port("b1"));
}

TEST_F(AddressPlanTest, AHealthCheckOfTheLoadsOwnPathGetsAnother) {
  EXPECT_NE(AddressPlan(scenario_, "off").health_path("web"), "/");
  scenario_.load[0].request.path = "/work";
  EXPECT_EQ(AddressPlan(scenario_, "off").health_path("web"), "/");
}

TEST_F(AddressPlanTest, SoDoesAQuestionForTheLoadOfABackend) {
  EXPECT_EQ(AddressPlan(scenario_, "off").load_path("web"), "") << "nobody asks";
  StrategyConfig& strategy = scenario_.config.clusters[0].strategy;
  strategy = PrequalConfig{};
  EXPECT_EQ(AddressPlan(scenario_, "off").load_path("web"), "/load");
  scenario_.load[0].request.path = "/load";
  const AddressPlan plan(scenario_, "off");
  EXPECT_NE(plan.load_path("web"), "/load");
  const config::DaemonConfig config = plan.localize(scenario_.config);
  EXPECT_EQ(std::get<PrequalConfig>(config.clusters[0].strategy).path, plan.load_path("web"));
}

}  // namespace
}  // namespace lb::harness
