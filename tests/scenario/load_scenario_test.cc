// Goal: a scenario file means what docs/scenario-format.md says, with its configuration inline or
// in a file of its own.
// Method: one full example read field by field, then each way of changing it from outside.
#include <gtest/gtest.h>

#include <set>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

constexpr const char* kConfig = R"({
  "listeners": [{"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"},
                {"name": "raw", "bind": "127.0.0.1:8081", "cluster": "web", "protocol": "tcp"}],
  "clusters": [{"name": "web", "backends": [{"id": "b1", "address": "10.0.0.1:80", "weight": 3},
                                            {"id": "b2", "address": "10.0.0.2:80"}]}]})";

std::string full() {
  return R"({
  "why": "a full example",
  "seed": 42, "duration": "30s", "warmup": "2s",
  "config": )" +
         std::string{kConfig} + R"(,
  "backends": {"b2": {"service_time": {"exponential": {"mean": "20ms"}}},
               "*": {"service_time": {"lognormal": {"mean": "5ms", "sigma": 0.8}},
                     "concurrency": 4, "queue": 16}},
  "network": {"connect": "200us", "one_way": "100us"},
  "load": [{"name": "shoppers", "listener": "raw", "arrivals": {"poisson": {"rate": 2000}},
            "clients": 500, "timeout": "1s",
            "request": {"method": "HEAD", "path": "/x?y", "host": "a.org:81",
                        "headers": {"Cookie": "u={client}"}}},
           {"arrivals": {"constant": {"rate": 0.5}}},
           {"arrivals": {"closed": {"clients": 20, "think_time": {"constant": "10ms"}}}}],
  "events": [{"at": "20s", "backend": "b1", "fault": "recover"},
             {"at": "10s", "backend": "b1", "fault": "slow", "factor": 2.5},
             {"at": "10s", "backend": "b2", "fault": "error_ratio", "ratio": 0.25},
             {"at": "25s", "reload": "next.yaml"},
             {"at": "26s", "add_backend": {"cluster": "web", "id": "b4", "address": "10.0.0.4:80",
                                           "weight": 2}},
             {"at": "27s", "remove_backend": {"cluster": "web", "id": "b3"}}],
  "expect": [{"metric": "error_ratio", "max": 0.001},
             {"metric": "latency_p99", "min": "1ms", "max": "60ms", "from": "5s", "to": "9s"},
             {"metric": "share", "backend": "b2", "max": 0.2}]})";
}

std::optional<std::string> read_file(const std::string& path) {
  if (path == "lbd.json") return kConfig;
  if (path == "next.yaml") {
    return "listeners: [{name: web, bind: '127.0.0.1:8080', cluster: web}]\n"
           "clusters: [{name: web, backends: [{id: b3, address: '10.0.0.3:80'}]}]\n";
  }
  return std::nullopt;
}

Scenario good(const std::string& text, const std::vector<Override>& overrides = {}) {
  LoadedScenario loaded = load_scenario(text, "scenarios/example.json", read_file, overrides);
  EXPECT_EQ(loaded.problems, "");
  return std::move(loaded.scenario);
}

TEST(LoadScenario, ReadsTheHead) {
  const Scenario scenario = good(full());
  EXPECT_EQ(scenario.name, "example");
  EXPECT_EQ(scenario.why, "a full example");
  EXPECT_EQ(scenario.seed, 42u);
  EXPECT_EQ(scenario.duration, 30s);
  EXPECT_EQ(scenario.warmup, 2s);
  EXPECT_EQ(scenario.network.connect, 200us);
  EXPECT_EQ(scenario.network.one_way, 100us);
  EXPECT_EQ(scenario.config.listeners.size(), 2u);
  EXPECT_EQ(scenario.config.clusters[0].backends[0].weight, 3u);
}

TEST(LoadScenario, AppliesTheStarToWhatABackendDoesNotSay) {
  const Scenario scenario = good(full());
  const Behaviour& b1 = scenario.behaviour("b1");
  const Behaviour& b2 = scenario.behaviour("b2");
  EXPECT_TRUE((b1.service_time == Distribution{Lognormal{5ms, 0.8}}));
  EXPECT_EQ(b1.concurrency, 4u);
  EXPECT_TRUE((b2.service_time == Distribution{Exponential{20ms}}));
  EXPECT_EQ(b2.concurrency, 4u) << "from the star, though it stands after b2";
  EXPECT_EQ(b2.queue, 16u);
  EXPECT_EQ(scenario.behaviour("b4").queue, 16u);
}

TEST(LoadScenario, ReadsTheLoads) {
  const auto load = good(full()).load;
  ASSERT_EQ(load.size(), 3u);
  EXPECT_EQ(load[0].name, "shoppers");
  EXPECT_EQ(load[0].listener, "raw");
  EXPECT_EQ(std::get<Poisson>(load[0].arrivals).rate, 2000);
  EXPECT_EQ(load[0].clients, 500u);
  EXPECT_EQ(load[0].timeout, 1s);
  EXPECT_EQ(load[0].request.method, "HEAD");
  EXPECT_EQ(load[0].request.path, "/x?y");
  EXPECT_EQ(load[0].request.host, "a.org:81");
  EXPECT_TRUE((load[0].request.headers == NamedValues{{{"Cookie", "u={client}"}}}));
  EXPECT_EQ(load[1].name, "load");
  EXPECT_EQ(load[1].listener, "");
  EXPECT_EQ(std::get<ConstantRate>(load[1].arrivals).rate, 0.5);
  const auto& closed = std::get<ClosedLoop>(load[2].arrivals);
  EXPECT_EQ(closed.clients, 20u);
  EXPECT_TRUE((closed.think_time == Distribution{Constant{10ms}}));
}

TEST(LoadScenario, PutsTheEventsInOrderOfTime) {
  std::vector<std::string> words;
  const Scenario scenario = good(full());
  for (const Event& event : scenario.events) {
    words.push_back(std::to_string(event.at / 1s) + ' ' + describe_event(event));
  }
  EXPECT_EQ(words, (std::vector<std::string>{"10 slow b1", "10 error_ratio b2", "20 recover b1",
                                             "25 reload", "26 add b4", "27 remove b3"}));
  EXPECT_EQ(std::get<Fault>(scenario.events[0].what).factor, 2.5);
  EXPECT_EQ(std::get<Fault>(scenario.events[1].what).ratio, 0.25);
  const auto& reload = std::get<Reload>(scenario.events[3].what);
  EXPECT_EQ(reload.config.clusters[0].backends[0].id, "b3");
  const auto& add = std::get<AddBackend>(scenario.events[4].what);
  EXPECT_EQ(add.cluster, "web");
  EXPECT_TRUE((add.backend == BackendConfig{"b4", "10.0.0.4:80", 2}));
}

// A scenario with these events and zones; what will happen, in milliseconds.
std::vector<std::string> happenings(const std::string& events) {
  const Scenario scenario =
      good(R"({"why": "a test", "duration": "10s", "config": )" + std::string{kConfig} +
           R"(, "backends": {"b1": {"zone": "a"}, "b2": {"zone": "b"}},
      "load": [{"arrivals": {"poisson": {"rate": 1}}}], "events": [)" +
           events + "]}");
  std::vector<std::string> all;
  for (const Event& event : scenario.events) {
    all.push_back(std::to_string(event.at / 1ms) + ' ' + describe_event(event));
  }
  return all;
}

using Happenings = std::vector<std::string>;

TEST(LoadScenario, EndsAFaultAfterItsTime) {
  EXPECT_EQ(happenings(R"({"at": "1s", "backend": "b1", "fault": "crash", "for": "250ms"})"),
            (Happenings{"1000 crash b1", "1250 recover b1"}));
}

TEST(LoadScenario, StrikesSeveralAndWholeZones) {
  EXPECT_EQ(happenings(R"({"at": "1s", "backend": ["b2", "b1"], "fault": "hang"})"),
            (Happenings{"1000 hang b2", "1000 hang b1"}));
  EXPECT_EQ(happenings(R"({"at": "1s", "zone": "b", "fault": "hang"})"),
            (Happenings{"1000 hang b2"}));
}

// One that joins later has the zone of "*", if that has one.
TEST(LoadScenario, AZoneHasWhoJoinsLater) {
  const Scenario scenario = good(R"({"why": "a test", "config": )" + std::string{kConfig} +
                                 R"(, "backends": {"*": {"zone": "a"}, "b2": {"zone": "b"}},
      "load": [{"arrivals": {"poisson": {"rate": 1}}}],
      "events": [{"at": "2s", "zone": "a", "fault": "hang"},
                 {"at": "1s", "add_backend": {"cluster": "web", "id": "b9",
                                              "address": "10.0.0.9:80"}}]})");
  Happenings all;
  for (const Event& event : scenario.events) all.push_back(describe_event(event));
  EXPECT_EQ(all, (Happenings{"add b9", "hang b1", "hang b9"}));
}

TEST(LoadScenario, ReadsAFleetAndWhatStrikesItsDaemons) {
  const LoadedScenario loaded = load_scenario(R"({"why": "a test", "config": "lbd.json",
      "fleet": {"daemons": 3, "clients": "random", "shares": [3, 1, 1], "probes": "together"},
      "load": [{"arrivals": {"poisson": {"rate": 1}}}],
      "events": [{"at": "1s", "daemon": [0, 2], "fault": "crash", "for": "1s"},
                 {"at": "4s", "backend": "b1", "daemon": 1, "fault": "partition"},
                 {"at": "5s", "backend": "b1", "daemon": [0, 2], "fault": "loss", "ratio": 0.1},
                 {"at": "6s", "set_backends": {"cluster": "web", "backends": [
                    {"id": "b9", "address": "10.0.0.9:80"}], "after": {"constant": "1s"}}}]})",
                                              "s.json", read_file);
  EXPECT_EQ(loaded.problems, "");
  const Fleet& fleet = loaded.scenario.fleet;
  EXPECT_EQ(fleet.daemons, 3u);
  EXPECT_EQ(fleet.clients, ClientsBy::random);
  EXPECT_EQ(fleet.shares, (std::vector<std::uint32_t>{3, 1, 1}));
  EXPECT_EQ(fleet.probes, ProbePhase::together);
  Happenings all;
  for (const Event& event : loaded.scenario.events) all.push_back(describe_event(event));
  EXPECT_EQ(all, (Happenings{"crash daemon 0", "crash daemon 2", "recover daemon 0",
                             "recover daemon 2", "partition b1 from daemon 1",
                             "loss b1 from daemons 0, 2", "set backends of web"}));
  EXPECT_EQ(loaded.scenario.all_backends().back().backend.id, "b9");
  // The harness has one daemon, one network and no resolver.
  EXPECT_EQ(
      loaded.simulated_only,
      "s.json:2:28: fleet.daemons: only lbsim can play this; the harness has one daemon, which "
      "runs all the time\n"
      "s.json:4:58: events[0].fault: only lbsim can play this; the harness has one daemon, "
      "which runs all the time\n"
      "s.json:5:70: events[1].fault: only lbsim can play this; fake backends cannot do it\n"
      "s.json:6:75: events[2].fault: only lbsim can play this; fake backends cannot do it\n"
      "s.json:8:71: events[3].set_backends.after: only lbsim can play this; the harness has "
      "one daemon, which runs all the time\n");
}

// With the place in the file that has it; of a reload from a file, that of its name.
TEST(LoadScenario, NotesWhatTheHarnessDoesNotSpeak) {
  const std::string secure = R"(
listeners:
  - {name: web, bind: "127.0.0.1:8080", cluster: web}
  - {name: tls, bind: "127.0.0.1:8443", cluster: web,
     tls: {certificates: [{certificate: a, key: b}]}}
  - {name: proxied, bind: "127.0.0.1:8081", cluster: web,
     proxy_protocol: v1, trusted_proxies: [127.0.0.0/8]}
clusters:
  - {name: web, backends: [{id: b1, address: "10.0.0.1:80"}],
     tls: {verify: false}, proxy_protocol: v2}
)";
  const auto read = [&](const std::string& path) {
    return path == "secure.yaml" ? std::optional{secure} : read_file(path);
  };
  const std::string load = R"("load": [{"arrivals": {"poisson": {"rate": 1}}}])";
  const auto from_file =
      load_scenario(R"({"why": "a test", "config": "secure.yaml", )" + load + "}", "s.json", read);
  EXPECT_EQ(from_file.problems, "");
  EXPECT_EQ(from_file.simulated_only,
            "secure.yaml:5:11: listeners[1].tls: only lbsim can play this; clients of lbharness "
            "speak no TLS\n"
            "secure.yaml:7:22: listeners[2].proxy_protocol: only lbsim can play this; clients of "
            "lbharness send no PROXY header\n"
            "secure.yaml:10:11: clusters[0].tls: only lbsim can play this; fake backends cannot do "
            "it\n");
  const auto reloaded = load_scenario(R"({"why": "a test", "config": "lbd.json", )" + load +
                                          R"(,
  "events": [{"at": "1s", "reload": "secure.yaml"}, {"at": "2s", "reload": {
    "listeners": [{"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"}],
    "clusters": [{"name": "web", "proxy_protocol": "v1",
                  "backends": [{"id": "b1", "address": "10.0.0.1:80"}]},
                 {"name": "new", "proxy_protocol": "v1",
                  "backends": [{"id": "b9", "address": "10.0.0.9:80"}]}]}}]})",
                                      "s.json", read);
  EXPECT_EQ(reloaded.problems, "");
  EXPECT_EQ(
      reloaded.simulated_only,
      "s.json:2:37: events[0].reload.listeners[1].tls: only lbsim can play this; clients of "
      "lbharness speak no TLS\n"
      "s.json:2:37: events[0].reload.listeners[2].proxy_protocol: only lbsim can play this; "
      "clients of lbharness send no PROXY header\n"
      "s.json:2:37: events[0].reload.clusters[0].tls: only lbsim can play this; fake backends "
      "cannot do it\n"
      "s.json:2:37: events[0].reload.clusters[0].proxy_protocol: only lbsim can play this; a fake "
      "backend expects the same all the time\n"
      "s.json:4:52: events[1].reload.clusters[0].proxy_protocol: only lbsim can play this; a fake "
      "backend expects the same all the time\n");
}

TEST(LoadScenario, RepeatsEvents) {
  EXPECT_EQ(happenings(R"({"at": "1s", "backend": "b1", "fault": "refuse", "for": "100ms",
                           "every": "3s", "until": "7s"})"),
            (Happenings{"1000 refuse b1", "1100 recover b1", "4000 refuse b1", "4100 recover b1"}));
  EXPECT_EQ(happenings(R"({"at": "9s", "backend": "b1", "fault": "reset", "every": "400ms"})"),
            (Happenings{"9000 reset b1", "9400 reset b1", "9800 reset b1"}));
  EXPECT_EQ(happenings(R"({"at": "1s", "reload": "next.yaml", "every": "2s", "count": 2})"),
            (Happenings{"1000 reload", "3000 reload"}));
}

TEST(LoadScenario, ReadsTheExpectations) {
  const auto expect = good(full()).expect;
  ASSERT_EQ(expect.size(), 3u);
  EXPECT_EQ(expect[0].metric, Metric::error_ratio);
  EXPECT_EQ(expect[0].max, 0.001);
  EXPECT_EQ(expect[0].min, std::nullopt);
  EXPECT_EQ(expect[1].metric, Metric::latency_p99);
  EXPECT_EQ(expect[1].min, 0.001) << "in seconds";
  EXPECT_EQ(expect[1].max, 0.06);
  EXPECT_EQ(expect[1].from, 5s);
  EXPECT_EQ(expect[1].to, 9s);
  EXPECT_EQ(expect[2].backend, "b2");
}

TEST(LoadScenario, ListsEveryBackendThatPlaysAPart) {
  std::vector<std::string> names;
  for (const auto& member : good(full()).all_backends()) {
    names.push_back(member.cluster + '/' + member.backend.id);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"web/b1", "web/b2", "web/b3", "web/b4"}));
}

constexpr const char* kLeast = R"({"why": "the least", "config": "lbd.json",
  "load": [{"arrivals": {"poisson": {"rate": 1}}}]})";

TEST(LoadScenario, TakesTheConfigurationFromAFile) {
  const Scenario scenario = good(kLeast);
  EXPECT_TRUE(scenario.config == good(full()).config);
  EXPECT_EQ(scenario.seed, 1u);
  EXPECT_EQ(scenario.duration, 10s);
  EXPECT_EQ(scenario.warmup, 0s);
  EXPECT_EQ(scenario.behaviour("b1").concurrency, 8u);
}

TEST(LoadScenario, SetsWhatIsOverridden) {
  const Scenario scenario = good(kLeast, {{"seed", "7"},
                                          {"duration", "3s"},
                                          {"config.clusters[0].strategy", "random"},
                                          {"config.clusters[0].backends[1].weight", "9"},
                                          {"load[0].arrivals.poisson.rate", "50"},
                                          {"network.one_way", "1ms"},
                                          {"backends.b1", "{concurrency: 2}"}});
  EXPECT_EQ(scenario.seed, 7u);
  EXPECT_EQ(scenario.duration, 3s);
  EXPECT_TRUE(std::holds_alternative<RandomConfig>(scenario.config.clusters[0].strategy));
  EXPECT_EQ(scenario.config.clusters[0].backends[1].weight, 9u);
  EXPECT_EQ(std::get<Poisson>(scenario.load[0].arrivals).rate, 50);
  EXPECT_EQ(scenario.network.one_way, 1ms) << "an object that was not in the file";
  EXPECT_EQ(scenario.behaviour("b1").concurrency, 2u);
  EXPECT_EQ(scenario.behaviour("b2").concurrency, 8u);
}

TEST(LoadScenario, TheLastOverrideOfAPathWins) {
  EXPECT_EQ(good(kLeast, {{"seed", "7"}, {"seed", "8"}}).seed, 8u);
}

TEST(ForClient, PutsTheNumberInEveryPlace) {
  EXPECT_EQ(for_client("plain", 7), "plain");
  EXPECT_EQ(for_client("{client}", 7), "7");
  EXPECT_EQ(for_client("a{client}b{client}", 12), "a12b12");
  EXPECT_EQ(for_client("{client{client}}", 3), "{client3}");
  EXPECT_EQ(for_client("", 3), "");
}

TEST(ClientAddress, IsADifferentLoopbackAddressForEachClient) {
  EXPECT_EQ(client_address(0, 0), "127.1.0.1");
  EXPECT_EQ(client_address(2, 251), "127.3.1.2");
  std::set<std::string> seen;
  for (std::size_t load = 0; load < 3; ++load) {
    for (std::uint32_t client = 0; client < 62'500; ++client) {
      seen.insert(client_address(load, client));
    }
  }
  EXPECT_EQ(seen.size(), 3u * 62'500u);
}

TEST(Metric, NamesAreThoseOfTheFile) {
  EXPECT_EQ(metric_name(Metric::requests), "requests");
  EXPECT_EQ(metric_name(Metric::latency_max), "latency_max");
  EXPECT_FALSE(is_latency(Metric::retry_ratio));
  EXPECT_TRUE(is_latency(Metric::latency_mean));
}

}  // namespace
}  // namespace lb::scenario
