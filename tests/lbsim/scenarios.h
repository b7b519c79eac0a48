// Scenarios for tests of the simulator: a short text with the parts that matter, the rest filled
// in. Times on the wire are round numbers, so that latencies can be worked out by hand.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "lbsim/simulator.h"

namespace lb::sim::testing {

using namespace std::chrono_literals;

// What a request costs besides its service: there and back between client and daemon, there and
// back between daemon and backend, and a connection when none is idle.
inline constexpr Duration kOneWay = 1ms;
inline constexpr Duration kConnect = 2ms;
inline constexpr Duration kOverOpenConnection = 4 * kOneWay;
inline constexpr Duration kOverNewConnection = kOverOpenConnection + kConnect;

struct Parts {
  int backends = 1;
  std::string strategy = R"("round_robin")";
  std::string cluster;  // More of the cluster, with a comma in front.
  std::string config;   // More of the configuration, likewise.
  std::string behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 1})";
  std::string arrivals = R"({"constant": {"rate": 50}})";
  std::string load;  // More of the load, likewise.
  std::string duration = "10s";
  std::string events;       // Of the timeline.
  std::string fleet;        // None when it is empty.
  std::string autoscalers;  // Likewise.
  std::uint64_t seed = 1;
};

inline std::string backend_list(int count) {
  std::string list;
  for (int n = 1; n <= count; ++n) {
    list += std::string{n > 1 ? "," : ""} + R"({"id": "b)" + std::to_string(n) +
            R"(", "address": "10.0.0.1:)" + std::to_string(8000 + n) + R"("})";
  }
  return list;
}

inline std::string cluster_json(const Parts& parts, int backends) {
  return R"({"name": "web", "strategy": )" + parts.strategy + R"(, "backends": [)" +
         backend_list(backends) + "]" + parts.cluster + "}";
}

inline std::string config_json(const Parts& parts, int backends) {
  return R"({"listeners": [{"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"}],)"
         R"("clusters": [)" +
         cluster_json(parts, backends) + "]" + parts.config + "}";
}

inline scenario::Scenario scenario_of(const Parts& parts) {
  const std::string fleet = parts.fleet.empty() ? "" : R"("fleet": )" + parts.fleet + ", ";
  const std::string scalers =
      parts.autoscalers.empty() ? "" : R"("autoscalers": )" + parts.autoscalers + ", ";
  const std::string text =
      "{" + fleet + scalers + R"("why": "a test", "seed": )" + std::to_string(parts.seed) +
      R"(, "duration": ")" + parts.duration + R"(", "config": )" +
      config_json(parts, parts.backends) + R"(, "backends": {"*": )" + parts.behaviour +
      R"(}, "network": {"connect": "2ms", "one_way": "1ms"}, "load": [{"arrivals": )" +
      parts.arrivals + parts.load + R"(}], "events": [)" + parts.events + "]}";
  scenario::LoadedScenario loaded =
      scenario::load_scenario(text, "test.json", [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(loaded.problems, "") << text;
  return std::move(loaded.scenario);
}

inline scenario::Report run(const Parts& parts) { return simulate(scenario_of(parts)); }

inline std::uint64_t count(const scenario::Report& report, scenario::ClientResult result) {
  return report.total.count(result);
}
inline std::uint64_t ok(const scenario::Report& report) {
  return count(report, scenario::ClientResult::ok);
}
inline double share(const scenario::Report& report, const std::string& backend) {
  return static_cast<double>(report.backends.at(backend).count()) /
         static_cast<double>(report.total.count());
}

}  // namespace lb::sim::testing
