// Goal: YAML and JSON say the same, defaults are the documented ones, and what is written reads
// back as it was.
// Method: one full file in both formats against the structs, field by field.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFullYaml = R"(
# Everything there is, with no value at its default.
listeners:
  - name: web
    bind: 0.0.0.0:8080
    protocol: http
    cluster: api
    max_body: 10MiB
    timeouts: {head: 1s, idle: 2m, body: 3s}
  - {name: redis, bind: "[::1]:0", protocol: tcp, cluster: redis}
clusters:
  - name: api
    strategy: {name: least_request, choice_count: 3}
    backends:
      - {id: b1, address: 10.0.0.1:8000, weight: 3}
      - {id: b2, address: "unix:/run/b2.sock", state: draining}
    health_check: {type: http, path: /health, method: HEAD, interval: 2s, timeout: 500ms,
                   healthy_threshold: 4, unhealthy_threshold: 5}
    connection_pool: {max_idle_per_backend: 7, idle_timeout: 90s}
    retries: {attempts: 5, on: [timeout, "503", 429, 503], backoff: {base: 25ms, max: 1s}}
    timeouts: {connect: 2s, response: 10s, idle: 30s, drain: 1m}
  - {name: redis, strategy: round_robin, backends: []}
workers: 4
load_exchange: 2ms
shutdown_timeout: 0s
limits: {max_connections: 5000, max_connections_per_client: 50}
admin: {bind: 127.0.0.1:9900}
log: {level: debug, access: "off"}
)";

constexpr const char* kFullJson = R"({
 "listeners": [
  {"name": "web", "bind": "0.0.0.0:8080", "protocol": "http", "cluster": "api",
   "max_body": 10485760, "timeouts": {"head": "1s", "idle": "120s", "body": "3000ms"}},
  {"name": "redis", "bind": "[::1]:0", "protocol": "tcp", "cluster": "redis"}],
 "clusters": [
  {"name": "api", "strategy": {"name": "least_request", "choice_count": 3},
   "backends": [
    {"id": "b1", "address": "10.0.0.1:8000", "weight": 3, "state": "enabled"},
    {"id": "b2", "address": "unix:/run/b2.sock", "state": "draining"}],
   "health_check": {"path": "/health", "method": "HEAD", "interval": "2s", "timeout": "0.5s",
                    "healthy_threshold": 4, "unhealthy_threshold": 5},
   "connection_pool": {"max_idle_per_backend": 7, "idle_timeout": "90s"},
   "retries": {"attempts": 5, "on": ["429", "503", "timeout"],
               "backoff": {"base": "25ms", "max": "1s"}},
   "timeouts": {"connect": "2s", "response": "10s", "idle": "30s", "drain": "1m"}},
  {"name": "redis", "strategy": "round_robin", "backends": []}],
 "workers": 4, "load_exchange": "2ms", "shutdown_timeout": "0s",
 "limits": {"max_connections": 5000, "max_connections_per_client": 50},
 "admin": {"bind": "127.0.0.1:9900"}, "log": {"level": "debug", "access": "off"}})";

constexpr const char* kLeastYaml =
    "listeners: [{name: web, bind: '127.0.0.1:80', cluster: web}]\n"
    "clusters: [{name: web, backends: [{id: b1, address: 'h:80'}]}]\n";

DaemonConfig good(std::string_view text, std::string_view file) {
  const LoadedConfig loaded = load_config(text, file);
  EXPECT_EQ(format_problems(file, loaded.problems), "");
  return loaded.config;
}

TEST(Config, YamlAndJsonSayTheSame) {
  EXPECT_TRUE(good(kFullYaml, "lbd.yaml") == good(kFullJson, "lbd.json"));
}

// Found by tests/fuzz: yaml-cpp makes bytes of \N and \_ that are not UTF-8.
TEST(Config, ReadsTheCharactersThatYamlHasNamesFor) {
  const DaemonConfig config = good(
      R"(clusters: [{name: "a\N\_\N\L\P\x85b\N", backends: [{id: b, address: "127.0.0.1:1"}]}])"
      "\n"
      R"(listeners: [{name: w, bind: "127.0.0.1:80", cluster: "a\x85\xa0\u0085\L\P\x85b\x85"}])",
      "lbd.yaml");
  EXPECT_EQ(config.clusters.front().name,
            "a\xc2\x85\xc2\xa0\xc2\x85\xe2\x80\xa8\xe2\x80\xa9\xc2\x85"
            "b\xc2\x85");
  EXPECT_TRUE(good(to_json(config).dump(), "lbd.json") == config);
}

TEST(Config, ReadsEveryKey) {
  const DaemonConfig config = good(kFullYaml, "lbd.yaml");
  ASSERT_EQ(config.listeners.size(), 2u);
  const ListenerConfig& web = config.listeners[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.bind, "0.0.0.0:8080");
  EXPECT_EQ(web.protocol, Protocol::http);
  EXPECT_EQ(web.cluster, "api");
  EXPECT_EQ(web.max_body, 10u << 20U);
  EXPECT_TRUE((web.timeouts == ListenerTimeouts{.head = 1s, .idle = 2min, .body = 3s}));
  EXPECT_EQ(config.listeners[1].protocol, Protocol::tcp);

  ASSERT_EQ(config.clusters.size(), 2u);
  const ClusterConfig& api = config.clusters[0];
  EXPECT_EQ(std::get<LeastRequestConfig>(api.strategy).choice_count, 3u);
  EXPECT_TRUE((api.backends[0] == BackendConfig{"b1", "10.0.0.1:8000", 3}));
  EXPECT_EQ(api.backends[1].state, AdminState::draining);
  EXPECT_EQ(api.backends[1].weight, 1u);
  const HealthCheckConfig check{.path = "/health",
                                .method = ProbeMethod::head,
                                .interval = 2s,
                                .timeout = 500ms,
                                .thresholds = {4, 5}};
  EXPECT_TRUE(api.health_check == check);
  EXPECT_EQ(api.connection_pool.max_idle_per_backend, 7u);
  EXPECT_EQ(api.connection_pool.idle_timeout, 90s);
  EXPECT_EQ(api.retries.attempts, 5u);
  EXPECT_TRUE((api.retries.on == RetryConditions{false, false, true, {429, 503}}))
      << "sorted, each once, and nothing that was not named";
  EXPECT_TRUE((api.retries.backoff == BackoffConfig{25ms, 1s}));
  EXPECT_TRUE((api.timeouts == TimeoutsConfig{2s, 10s, 30s, 1min}));
  EXPECT_TRUE(std::holds_alternative<RoundRobinConfig>(config.clusters[1].strategy));

  EXPECT_EQ(config.workers.count, 4u);
  EXPECT_EQ(config.load_exchange, 2ms);
  EXPECT_EQ(config.shutdown_timeout, 0s);
  EXPECT_TRUE((config.limits == ConnectionLimitsConfig{5000, 50}));
  EXPECT_EQ(config.admin->bind, "127.0.0.1:9900");
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.access, "off");
}

TEST(Config, LeavesWhatIsNotSaidAtItsDefault) {
  DaemonConfig expected;
  expected.listeners.push_back({.name = "web", .bind = "127.0.0.1:80", .cluster = "web"});
  expected.clusters.push_back({.name = "web", .backends = {{"b1", "h:80"}}});
  EXPECT_TRUE(good(kLeastYaml, "lbd.yaml") == expected);
}

TEST(Config, TakesAStrategyByNameOrAsAnObject) {
  for (const StrategyConfig& strategy : all_strategies()) {
    const std::string name{strategy_name(strategy)};
    for (const std::string& text : {name, "{name: " + name + "}"}) {
      const DaemonConfig config = good(
          "listeners: [{name: web, bind: '127.0.0.1:80', cluster: web}]\n"
          "clusters: [{name: web, backends: [], strategy: " +
              text + "}]\n",
          "lbd.yaml");
      EXPECT_TRUE(config.clusters[0].strategy == strategy) << text;
    }
  }
}

TEST(Config, WorkersMayBeAuto) {
  EXPECT_EQ(good(std::string{kLeastYaml} + "workers: auto\n", "lbd.yaml").workers.count, 0u);
  EXPECT_EQ(good(std::string{kLeastYaml} + "workers: 1\n", "lbd.yaml").workers.count, 1u);
}

TEST(Config, AnyLoopbackAddressMayServeTheAdminApi) {
  for (const char* bind : {"127.0.0.1:0", "127.9.9.9:1", "'[::1]:1'", "localhost:1"}) {
    good(std::string{kLeastYaml} + "admin: {bind: " + bind + "}\n", "lbd.yaml");
  }
}

TEST(Config, ReadsBackWhatWasWritten) {
  for (const char* text : {kFullYaml, kLeastYaml}) {
    const DaemonConfig config = good(text, "lbd.yaml");
    EXPECT_TRUE(good(to_json(config).dump(2), "lbd.json") == config);
    EXPECT_TRUE(good(to_json(config).dump(), "lbd.yaml") == config) << "JSON is YAML, too";
  }
}

TEST(Config, WritesItsKeysInTheOrderOfTheDocumentation) {
  const Json json = to_json(good(kFullYaml, "lbd.yaml"));
  std::string keys;
  for (const auto& [key, _] : json.items()) keys += key + ' ';
  EXPECT_EQ(keys, "listeners clusters workers load_exchange shutdown_timeout limits admin log ");
  EXPECT_EQ(json["clusters"][0]["strategy"].dump(), R"({"name":"least_request","choice_count":3})");
  EXPECT_EQ(json["clusters"][1]["strategy"], "round_robin");
  EXPECT_EQ(json["clusters"][0]["retries"]["on"].dump(), R"(["timeout","429","503"])");
  EXPECT_EQ(json["clusters"][0]["timeouts"]["drain"], "1m");
}

TEST(Config, ChecksWhatWasPutTogetherInCode) {
  DaemonConfig config = good(kLeastYaml, "lbd.yaml");
  EXPECT_TRUE(check_config(config).empty());
  config.clusters[0].backends[0].weight = 0;
  config.listeners[0].cluster = "wep";
  const auto problems = check_config(config);
  ASSERT_EQ(problems.size(), 2u);
  std::set<std::string> paths{problems[0].path, problems[1].path};
  EXPECT_EQ(paths,
            (std::set<std::string>{"clusters[0].backends[0].weight", "listeners[0].cluster"}));
}

TEST(ConfigHash, ChangesWithTheMeaningAndNotWithTheForm) {
  const std::string hash = config_hash(good(kFullYaml, "lbd.yaml"));
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(hash, config_hash(good(kFullJson, "lbd.json")));
  DaemonConfig other = good(kFullYaml, "lbd.yaml");
  other.clusters[0].backends[0].weight = 4;
  EXPECT_NE(hash, config_hash(other));
}

TEST(ConfigHash, DoesNotMindBytesThatAreNotText) {
  DaemonConfig config = good(kLeastYaml, "lbd.yaml");
  config.log.access = "/var/log/caf\xe9.log";  // Latin-1, which nobody calls UTF-8.
  EXPECT_EQ(config_hash(config).size(), 16u);
  EXPECT_TRUE(check_config(config).empty());
}

}  // namespace
}  // namespace lb::config
