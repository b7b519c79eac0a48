// Two reports of one scenario, side by side.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "lbsim/scenario/report.h"
#include "lbsim/scenario/show.h"

namespace lb::scenario {

using config::Json;

std::string comparison_text(const Json& simulated, const Json& measured) {
  const double loopback =
      measured["loopback_latency_ms"].is_null() ? 0 : measured["loopback_latency_ms"].get<double>();
  std::string out =
      wrapped(measured["scenario"].get<std::string>() + ": " + measured["why"].get<std::string>(),
              kColumns) +
      "\n\n";
  out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n  {}\n", "", "simulated", "measured",
                     "difference", rule(70));
  const auto count_row = [&](const std::string& name, double a, double b, bool percent) {
    const auto show = [&](double v) {
      return percent ? show_percent(v) : grouped(static_cast<std::uint64_t>(v));
    };
    const std::string difference =
        percent ? fmt::format("{:+.2f} pts", (b - a) * 100)
                : (a == 0 ? (b == 0 ? std::string{"0"} : fmt::format("{:+.0f}", b))
                          : fmt::format("{:+.1f} %", (b - a) / a * 100));
    out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n", name, show(a), show(b), difference);
  };
  const auto latency_row = [&](const std::string& name, const std::string& key) {
    const double a = simulated["total"]["latency"][key].get<double>();
    const double b = std::max(0.0, measured["total"]["latency"][key].get<double>() - loopback);
    const std::string difference =
        a == 0 ? std::string{"-"} : fmt::format("{:+.1f} %", (b - a) / a * 100);
    out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n", name, show_ms(a), show_ms(b), difference);
  };
  const auto number = [](const Json& json) { return json.get<double>(); };
  count_row("requests", number(simulated["total"]["requests"]),
            number(measured["total"]["requests"]), false);
  count_row("errors", number(simulated["total"]["error_ratio"]),
            number(measured["total"]["error_ratio"]), true);
  count_row("retries", number(simulated["balancer"]["retries"]),
            number(measured["balancer"]["retries"]), false);
  latency_row("latency mean", "mean_ms");
  latency_row("latency p50", "p50_ms");
  latency_row("latency p90", "p90_ms");
  latency_row("latency p99", "p99_ms");
  // By name first: a JSON object of many backends is slow to find one in.
  std::map<std::string_view, double> shares;
  for (const auto& [id, backend] : measured["backends"].items()) {
    shares[id] = number(backend["share"]);
  }
  for (const auto& [id, backend] : simulated["backends"].items()) {
    const auto found = shares.find(id);
    if (found == shares.end()) continue;
    count_row("share of " + id, number(backend["share"]), found->second, true);
  }
  const auto verdict = [](const Json& report) {
    return report["passed"].get<bool>() ? "met" : "MISSED";
  };
  out += fmt::format("  {:<24} {:>14} {:>14}\n", "expectations", verdict(simulated),
                     verdict(measured));
  if (loopback > 0) {
    out += fmt::format(
        "\n  Measured latencies less {}: what the loopback, the client and lbd add to a request\n"
        "  beyond the scenario's network, measured in this run with a backend that answers at "
        "once.\n",
        show_ms(loopback));
  }
  return out;
}

}  // namespace lb::scenario
