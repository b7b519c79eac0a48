// Policies: the arithmetic of priorities, panic and slow start, as shares of traffic.
#include <cmath>

#include "tests/validation/law.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "Policies";

// So many of the backends PREFIX1, PREFIX2, … crash at the start.
std::string crash(const std::string& prefix, int count) {
  std::string events;
  for (int n = 1; n <= count; ++n) {
    if (n > 1) events += ", ";
    events += R"({"at": "0s", "fault": "crash", "backend": ")" + prefix;
    events += std::to_string(n) + "\"}";
  }
  return events;
}

// Ten backends, loaded so lightly that nobody waits. The crashed ones are found by probes within
// the warm-up. Shares are counts of a hundred thousand independent picks in all, so the standard
// error of a share s is below sqrt(s / 100,000): 0.4 % of a share of 0.7.
Setup ten_backends() {
  Setup setup{.backends = 10};
  setup.concurrency = 100;
  setup.cluster =
      R"(, "health_check": {"type": "tcp", "interval": "100ms", "unhealthy_threshold": 1})"
      R"(, "retries": {"attempts": 1})";
  setup.arrivals = poisson(1000);
  setup.seconds = 10;
  setup.warmup_seconds = 2;
  return setup;
}

double share_of(const Observed& observed, char prefix) {
  double sum = 0;
  for (const auto& [id, share] : observed.shares) {
    if (id.front() == prefix) sum += share;
  }
  return sum;
}

// Ten backends of priority 0 and ten spare ones of priority 1, s1 to s10, some of each crashed.
void add_priorities(std::vector<Law>& laws, int well, int spares_well, double theory) {
  Setup setup = ten_backends();
  for (int n = 1; n <= 10; ++n) {
    setup.more_backends += R"(, {"priority": 1, "id": "s)" + std::to_string(n);
    setup.more_backends += R"(", "address": "10.0.1.1:)" + std::to_string(8000 + n) + "\"}";
  }
  setup.events = crash("b", 10 - well);
  if (spares_well < 10) setup.events += ", " + crash("s", 10 - spares_well);
  laws.push_back({kSection,
                  "priorities: " + std::to_string(well) + " of 10 well, then " +
                      std::to_string(spares_well) + " of 10",
                  "share of priority 0", "min(100, 140 x well / all), scaled to 100; Envoy", theory,
                  0.02, 0,
                  measure(setup, [](const Observed& seen) { return share_of(seen, 'b'); })});
}

// With three of ten well a threshold of 50 % lets all ten have traffic, so seven tenths of it fail;
// with six well the other four get none.
void add_panic(std::vector<Law>& laws) {
  for (const auto& [well, failing] : {std::pair{3, 0.7}, std::pair{6, 0.0}}) {
    Setup setup = ten_backends();
    setup.cluster += R"(, "panic_threshold": 50)";
    setup.events = crash("b", 10 - well);
    laws.push_back({kSection, "panic threshold 50 %, " + std::to_string(well) + " of 10 well",
                    "error ratio", well < 5 ? "all get traffic; Envoy" : "only the well do; Envoy",
                    failing, failing == 0 ? 0 : 0.02, 0, measure(setup, &Observed::error_ratio)});
  }
}

// Six of ten answer every request with an error, and so are ejected, as far as that is allowed. The
// others share the traffic, and the bad ones among them fail it.
void add_ejection(std::vector<Law>& laws) {
  for (const int percent : {30, 50}) {
    Setup setup = ten_backends();
    setup.cluster = R"(, "outlier_ejection": {"consecutive_failures": 5, "base_ejection_time": )"
                    R"("60s", "max_ejected_percent": )" +
                    std::to_string(percent) + "}";
    for (int n = 1; n <= 6; ++n) {
      if (n > 1) setup.events += ", ";
      setup.events += R"({"at": "0s", "fault": "error_ratio", "ratio": 1, "backend": "b)";
      setup.events += std::to_string(n) + "\"}";
    }
    const int ejected = percent / 10;
    laws.push_back({kSection, "ejection of at most " + std::to_string(percent) + " %, 6 of 10 bad",
                    "error ratio", "(6 - ejected) / (10 - ejected); Envoy",
                    (6.0 - ejected) / (10.0 - ejected), 0.02, 0,
                    measure(setup, &Observed::error_ratio)});
  }
}

// A second backend joins and is watched while it ramps up. In step k of twenty its weight is
// floor(10 + 90 (k/20)^(1/aggression)) percent w, and its share w / (100 + w).
double ramped_share(double aggression) {
  double sum = 0;
  for (int k = 0; k < 20; ++k) {
    const double percent = std::floor(10 + 90 * std::pow(k / 20.0, 1 / aggression));
    sum += percent / (100 + percent) / 20;
  }
  return sum;
}

void add_slow_start(std::vector<Law>& laws, int aggression) {
  Setup setup;
  setup.concurrency = 100;
  setup.cluster =
      R"(, "slow_start": {"duration": "20s", "aggression": )" + std::to_string(aggression) + '}';
  setup.events = R"({"at": "1s", "add_backend": {"cluster": "web", "id": "b2", )"
                 R"("address": "10.0.0.2:80"}})";
  setup.arrivals = poisson(500);
  setup.warmup_seconds = 1;
  setup.seconds = 20;
  laws.push_back({kSection, "slow start, aggression " + std::to_string(aggression),
                  "share of the new one of two, while it ramps",
                  "w / (100 + w), w = 10 + 90 (t/T)^(1/a) in 20 steps; Envoy",
                  ramped_share(aggression), 0.02, 0,
                  measure(setup, [](const Observed& seen) { return seen.shares.at("b2"); })});
}

}  // namespace

std::vector<Law> policy_laws() {
  std::vector<Law> laws;
  add_priorities(laws, 7, 10, 0.98);
  add_priorities(laws, 5, 10, 0.7);
  add_priorities(laws, 3, 2, 0.6);
  add_panic(laws);
  add_ejection(laws);
  add_slow_start(laws, 1);
  add_slow_start(laws, 2);
  return laws;
}

}  // namespace lb::validation
