// Goal: the options without a file stand for the configuration the documentation says, and what
// cannot be used is said in words.
// Method: options in, configuration or words out.
#include "lbd/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace lb::daemon {
namespace {

using Status = ReadConfig::Status;

TEST(Options, StandForOneListenerAndOneCluster) {
  const ReadConfig read = config_from_options({.listen = "127.0.0.1:8080",
                                               .backends = {"10.0.0.1:80", "[::1]:81"},
                                               .strategy = "round_robin",
                                               .admin = "127.0.0.1:9000",
                                               .access_log = "off"});
  ASSERT_EQ(read.status, Status::good) << read.problems;
  ASSERT_EQ(read.config.listeners.size(), 1u);
  EXPECT_EQ(read.config.listeners[0].bind, "127.0.0.1:8080");
  EXPECT_EQ(read.config.listeners[0].protocol, config::Protocol::http);
  ASSERT_EQ(read.config.clusters.size(), 1u);
  const ClusterConfig& cluster = read.config.clusters[0];
  EXPECT_EQ(cluster.name, read.config.listeners[0].cluster);
  EXPECT_TRUE(std::holds_alternative<RoundRobinConfig>(cluster.strategy));
  ASSERT_EQ(cluster.backends.size(), 2u);
  EXPECT_EQ(cluster.backends[0].id, "b1");
  EXPECT_EQ(cluster.backends[1].address, "[::1]:81");
  ASSERT_TRUE(cluster.health_check);
  EXPECT_EQ(cluster.health_check->type, ProbeType::tcp);
  EXPECT_EQ(read.config.admin->bind, "127.0.0.1:9000");
  EXPECT_EQ(read.config.log.access, "off");
}

TEST(Options, LeaveTheRestAtItsDefaults) {
  const ReadConfig read =
      config_from_options({.listen = "127.0.0.1:0", .backends = {"10.0.0.1:80"}, .tcp = true});
  ASSERT_EQ(read.status, Status::good) << read.problems;
  EXPECT_EQ(read.config.listeners[0].protocol, config::Protocol::tcp);
  EXPECT_TRUE(std::holds_alternative<LeastRequestConfig>(read.config.clusters[0].strategy));
  EXPECT_FALSE(read.config.admin);
  EXPECT_EQ(read.config.log.access, "-");
}

TEST(Options, AreCheckedLikeAFile) {
  const ReadConfig read = config_from_options(
      {.listen = "nowhere", .backends = {"10.0.0.1"}, .strategy = "round_robbin"});
  EXPECT_EQ(read.status, Status::invalid);
  EXPECT_NE(read.problems.find("lbd run: listeners[0].bind: "), std::string::npos) << read.problems;
  EXPECT_NE(read.problems.find("clusters[0].backends[0].address"), std::string::npos);
  EXPECT_NE(read.problems.find("round_robin"), std::string::npos) << "what was meant";
}

TEST(Options, MayBeUnwise) {
  const ReadConfig read = config_from_options(
      {.listen = "127.0.0.1:0", .backends = {"10.0.0.1:80"}, .strategy = "least_ewma_latency"});
  EXPECT_EQ(read.status, Status::good) << read.problems;
  EXPECT_TRUE(read.warnings.starts_with("lbd run: warning: clusters[0].strategy: herds"))
      << read.warnings;
}

TEST(ConfigFile, IsReadOrSaysWhyNot) {
  const std::string path = ::testing::TempDir() + "options_test." + std::to_string(::getpid());
  const auto write = [&](const std::string& text) { std::ofstream(path + ".json") << text; };
  EXPECT_EQ(read_config_file(path + ".json").status, Status::unreadable);
  write(R"({"listeners": [{"name": "a", "bind": "127.0.0.1:0", "cluster": "c"}],
            "clusters": [{"name": "c", "backends": []}]})");
  EXPECT_EQ(read_config_file(path + ".json").status, Status::good)
      << read_config_file(path + ".json").problems;
  EXPECT_EQ(read_config_file(path + ".json").warnings, "");
  write(R"({"listeners": [{"name": "a", "bind": "127.0.0.1:0", "cluster": "c"}],
 "clusters": [{"name": "c", "backends": [], "strategy": "least_ewma_latency"}]})");
  const ReadConfig unwise = read_config_file(path + ".json");
  EXPECT_EQ(unwise.status, Status::good) << unwise.problems;
  EXPECT_TRUE(
      unwise.warnings.starts_with(path + ".json:2:57: warning: clusters[0].strategy: herds"))
      << unwise.warnings;
  write("{");
  const ReadConfig broken = read_config_file(path + ".json");
  EXPECT_EQ(broken.status, Status::invalid);
  EXPECT_TRUE(broken.problems.starts_with(path + ".json:")) << broken.problems;
  std::remove((path + ".json").c_str());
}

}  // namespace
}  // namespace lb::daemon
