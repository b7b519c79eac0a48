// What feeds on itself: stale views, latency without a count of what is under way, retries.
#include "tests/validation/law.h"

namespace lb::validation {
namespace {

// -- Who is better, when workers know of each other only now and then

constexpr const char* kStale = "Stale information";

Setup ten_backends(const std::string& strategy, double rho) {
  Setup setup{.backends = 10, .strategy = strategy, .arrivals = poisson(10 * rate_of(rho))};
  setup.seconds = 12;
  setup.warmup_seconds = 3;
  return setup;
}

// Ten workers, each with a tenth of the clients.
Setup ten_workers(const std::string& strategy, const std::string& exchange) {
  Setup setup = ten_backends(strategy, 0.9);
  setup.load = R"(, "clients": 1000)";
  setup.config = R"(, "workers": 10, "load_exchange": ")" + exchange + '"';
  return setup;
}

Measure all_against_two(const std::string& exchange) {
  return ratio(measure(ten_workers("least_connections", exchange), &Observed::mean_ms),
               measure(ten_workers("least_request", exchange), &Observed::mean_ms));
}

Measure inverse(const Measure& of) {
  return [=](std::uint64_t seed) { return 1 / of(seed); };
}

// -- Latency alone

constexpr const char* kLatency = "Latency alone";

Measure latency_alone(double rho) {
  return ratio(measure(ten_backends("least_ewma_latency", rho), &Observed::mean_ms),
               measure(ten_backends("least_dynamic_score", rho), &Observed::mean_ms));
}

// -- Past the allocation

constexpr const char* kAllocation = "Past the allocation";

// Twenty backends were promised one core each. Ten machines have a second one to spare, and the
// others, whose neighbours are busy, have not. `load` is in cores, of the twenty.
Setup uneven_machines(const std::string& strategy, double load) {
  Setup setup{.backends = 20, .strategy = strategy};
  setup.concurrency = 1000;
  setup.more_behaviour = R"(, "discipline": "processor_sharing", "cores": 1)";
  for (int n = 1; n <= 10; ++n) {
    setup.behaviours += R"(, "b)" + std::to_string(n) + R"(": {"cores": 2})";
  }
  setup.arrivals = poisson(20 * rate_of(load));
  setup.seconds = 10;
  setup.warmup_seconds = 5;
  return setup;
}

Measure evenly_against_prequal(double load) {
  return ratio(measure(uneven_machines("weighted_round_robin", load), &Observed::p99_ms),
               measure(uneven_machines("prequal", load), &Observed::p99_ms));
}

// -- Retry storms

constexpr const char* kStorm = "Retry storm";

// Two backends that can serve 400 requests a second get 250. For two seconds they are ten times
// slower; ten seconds later we look. A request that is given up is worked on all the same.
Setup storm(bool trigger, int budget_percent) {
  Setup setup{.backends = 2, .strategy = "round_robin", .service = exponential(20)};
  setup.concurrency = 4;
  setup.queue = 128;
  setup.arrivals = poisson(250);
  setup.cluster = R"(, "timeouts": {"response": "200ms"}, "retries": {"attempts": 4, "on": )"
                  R"(["timeout"], "budget_percent": )" +
                  std::to_string(budget_percent) + R"(, "budget_floor": )" +
                  std::to_string(budget_percent == 100 ? 100'000 : 5) + '}';
  if (trigger) {
    for (const char* id : {"b1", "b2"}) {
      if (!setup.events.empty()) setup.events += ", ";
      setup.events += R"({"at": "1s", "fault": "slow", "factor": 10, "backend": ")";
      setup.events += std::string{id} + R"("}, {"at": "3s", "fault": "recover", "backend": ")";
      setup.events += std::string{id} + "\"}";
    }
  }
  setup.warmup_seconds = 13;
  setup.seconds = 20;
  return setup;
}

}  // namespace

std::vector<Claim> stability_claims() {
  const auto good = [](const Observed& observed) { return 1 - observed.error_ratio; };
  const char* prequal = "the ramp of Wydrowski et al., NSDI 2024, 5.1";
  const char* source = "metastable failure; Bronson et al., HotOS 2021";
  return {
      {kStale, "10 workers, told every 0.1 service times: least_connections ahead",
       "Mitzenmacher, TPDS 11(1), 2000", "least_request / least_connections, means", 1.2,
       inverse(all_against_two("1ms"))},
      {kStale, "told every 10 service times: least_request ahead", "Mitzenmacher 2000",
       "least_connections / least_request, means", 1.2, all_against_two("100ms")},
      {kStale, "told every 100 service times: further ahead", "Mitzenmacher 2000",
       "least_connections / least_request, means", 2.5, all_against_two("1s")},
      {kLatency, "load of half a backend, 10 of them: nearly as good", "nobody to herd on",
       "least_dynamic_score / least_ewma_latency, means", 0.5, inverse(latency_alone(0.05))},
      {kLatency, "load of 9 backends, 10 of them: collapses", "one gets all until its answers tell",
       "least_ewma_latency / least_dynamic_score, means", 10, latency_alone(0.9)},
      {kAllocation, "three quarters of what was promised: weighted_round_robin will do", prequal,
       "prequal / weighted_round_robin, p99", 0.4, inverse(evenly_against_prequal(0.75))},
      {kAllocation, "a fifth more than was promised: weighted_round_robin collapses", prequal,
       "weighted_round_robin / prequal, p99", 10, evenly_against_prequal(1.2)},
      {kAllocation, "a fifth more: prequal uses what others have to spare", prequal,
       "p99 of weighted_round_robin at 0.75 / of prequal at 1.2", 0.5,
       ratio(measure(uneven_machines("weighted_round_robin", 0.75), &Observed::p99_ms),
             measure(uneven_machines("prequal", 1.2), &Observed::p99_ms))},
      {kStorm, "no trigger, no budget: well", source, "share of good answers", 0.999,
       measure(storm(false, 100), good)},
      {kStorm, "trigger, no budget: down ten seconds after it ended", source, "share of errors",
       0.9, measure(storm(true, 100), &Observed::error_ratio)},
      {kStorm, "trigger, budget of 20 %: well", source, "share of good answers", 0.999,
       measure(storm(true, 20), good)},
  };
}

}  // namespace lb::validation
