// Goal: whatever configuration there is, what is written reads back as the same, from JSON and
// from YAML; and the hash tells two of them apart.
// Method: generated configurations over all keys, with awkward names and numbers among them.
#include <rapidcheck.h>
#include <nlohmann/json.hpp>

#include "lbcore/config/daemon_config.h"
#include "tests/testing/property.h"

namespace lb::config {
namespace {

template <class T>
T any(T min, T max) {
  return *rc::gen::inRange<T>(min, max);
}
template <class Enum>
Enum any_of(int count) {
  return static_cast<Enum>(any(0, count));
}
bool coin() { return any(0, 2) == 1; }

// Whole seconds and odd nanoseconds, short and very long.
Duration any_duration() {
  const auto small = any<std::int64_t>(1, 100'000);
  const auto large = any<std::int64_t>(1, 8'000'000'000'000'000'000);
  return coin() ? Duration{small * 1'000'000} : Duration{large};
}

// Words that YAML would like to read as something else, if it were let.
std::string any_name(int number) {
  const std::string word = *rc::gen::element<std::string>(
      "web", "true", "null", "~", "1e3", "0x10", "a: b", "- c", "#d", "'e'", "\"f\"", "[g]", "ü €",
      "h\ti", "back\\slash", "*", "&x", "%", "@");
  return word + std::to_string(number);
}

ClusterConfig any_cluster(int number) {
  ClusterConfig cluster;
  cluster.name = any_name(number);
  cluster.strategy = *rc::gen::elementOf(all_strategies());
  if (auto* least = std::get_if<LeastRequestConfig>(&cluster.strategy)) {
    least->choice_count = any(1U, 17U);
  }
  for (int i = 0, count = any(0, 4); i < count; ++i) {
    cluster.backends.push_back({any_name(i), "10.0.0.1:" + std::to_string(any(1, 65536)),
                                any(1U, 65536U), any_of<AdminState>(3)});
  }
  if (coin()) {
    cluster.health_check = HealthCheckConfig{
        .type = any_of<ProbeType>(2),
        .path = coin() ? "/" : "/health?full=1#x",
        .method = any_of<ProbeMethod>(2),
        .interval = any_duration(),
        .unhealthy_interval = coin() ? std::optional{any_duration()} : std::nullopt,
        .timeout = any_duration(),
        .thresholds = {any(1U, 1001U), any(1U, 1001U)}};
  }
  cluster.connection_pool = {any(0U, 100'001U), any_duration()};
  cluster.retries.attempts = any(1U, 11U);
  cluster.retries.on = {coin(), coin(), coin(), {}};
  for (std::uint16_t status = 400; status < 600; ++status) {
    if (any(0, 40) == 0) cluster.retries.on.statuses.push_back(status);
  }
  cluster.retries.backoff = {any_duration(), coin() ? any_duration() : Duration{0}};
  cluster.timeouts = {any_duration(), any_duration(), any_duration(), any_duration()};
  return cluster;
}

NamedValues any_values() {
  NamedValues values;
  for (int i = 0, count = any(0, 3); i < count; ++i) {
    values.items.push_back({"x-" + std::to_string(i), coin() ? "*" : "a b: #c"});
  }
  return values;
}

void give_an_action(RouteConfig& route, const std::string& cluster) {
  switch (any(0, 4)) {
    case 0: route.cluster = cluster; break;
    case 1:
      route.split = {{cluster, any(1U, 1'000'001U)}};
      if (coin()) {
        route.split_key = KeyExpression{};
      } else {
        route.split_key = KeyExpression{KeyExpression::Source::cookie, any_name(0)};
      }
      break;
    case 2:
      route.redirect = RedirectConfig{
          .status = 308, .scheme = coin() ? "https" : "", .host = "a.org:1", .path = "/b?c=d"};
      break;
    default:
      route.respond = RespondConfig{.status = any<std::uint16_t>(200, 204), .body = any_name(1)};
  }
}

RouteConfig any_route(int number, const std::string& cluster) {
  RouteConfig route;
  if (coin()) route.name = any_name(number);
  for (int i = 0, count = any(0, 3); i < count; ++i) {
    route.match.host.patterns.push_back((coin() ? "*." : "") + std::to_string(i) + ".Example.org");
  }
  const int path = any(0, 4);
  if (path == 1) route.match.path = "/caf%C3%A9";
  if (path == 2) route.match.path_prefix = "/api";
  if (path == 3) route.match.path_regex = R"(/[^/]+/\d{2,3}(\.html)?)";
  if (coin()) route.match.methods = {"GET", "X-ODD"};
  route.match.headers = any_values();
  route.match.cookies = any_values();
  if (coin()) route.match.query.items.push_back({"q", ""});
  give_an_action(route, cluster);
  if (coin())
    route.response_headers = HeaderRulesConfig{{}, any_values(), {"Server"}, any_values()};
  if (coin()) route.cors = CorsConfig{.origins = {"https://*.a.org"}, .credentials = coin()};
  route.security_headers = coin();
  if (route.redirect || route.respond) return route;
  route.priority = any(0U, 8U);
  if (coin()) route.request_headers = HeaderRulesConfig{{{{"x-env", any_name(2)}}}, {}, {}};
  if (coin()) route.rewrite = RewriteConfig{.regex = RegexReplacement{"(a)", R"(\1\0)"}};
  return route;
}

DaemonConfig any_config() {
  DaemonConfig config;
  for (int i = 0, count = any(1, 4); i < count; ++i) config.clusters.push_back(any_cluster(i));
  for (int i = 0, count = any(1, 4); i < count; ++i) {
    const auto& cluster = config.clusters[any<std::size_t>(0, config.clusters.size())];
    config.listeners.push_back({any_name(i),
                                "[::1]:" + std::to_string(20'000 + i),
                                any_of<Protocol>(2),
                                cluster.name,
                                any<std::uint64_t>(0, 9'000'000'000'000'000'000),
                                any<std::uint64_t>(0, 9'000'000'000'000'000'000),
                                {any_duration(), any_duration(), any_duration()}});
    ListenerConfig& listener = config.listeners.back();
    if (coin()) listener.via = "edge";
    if (listener.protocol != Protocol::http || coin()) continue;
    listener.cluster.clear();
    listener.ambiguous_paths = any_of<AmbiguousPaths>(2);
    for (int route = 0, routes = any(1, 4); route < routes; ++route) {
      listener.routes.push_back(any_route(route, cluster.name));
    }
  }
  config.workers.count = any(0U, 1025U);
  config.load_exchange = any_duration();
  config.shutdown_timeout = any_duration();
  if (coin()) config.admin = AdminConfig{"127.0.0.1:" + std::to_string(any(0, 65536))};
  config.log = {any_of<LogLevel>(4), any_name(9)};
  return config;
}

TEST(ConfigProperty, ReadsBackWhatWasWritten) {
  testing::expect_property(
      [] {
        const DaemonConfig config = any_config();
        const std::string text = to_json(config).dump(coin() ? 2 : -1);
        for (const char* file : {"lbd.json", "lbd.yaml"}) {
          const LoadedConfig loaded = load_config(text, file);
          const std::string problems = format_problems(file, loaded.problems);
          if (!problems.empty()) RC_FAIL(problems + text);
          if (!(loaded.config == config)) RC_FAIL(to_json(loaded.config).dump() + " from " + text);
        }
        RC_ASSERT(check_config(config).empty());
      },
      100);
}

TEST(ConfigProperty, HashTellsTwoConfigurationsApart) {
  testing::expect_property(
      [] {
        const DaemonConfig one = any_config();
        const DaemonConfig other = any_config();
        RC_ASSERT((one == other) == (config_hash(one) == config_hash(other)));
      },
      50);
}

}  // namespace
}  // namespace lb::config
