// Setup: a scenario in a few numbers, and what a run of it shows. There is no delay between hosts,
// and nobody gives up before a minute, so all time is waiting and service.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace lb::validation {

// The mean of every service time, unless a setup says otherwise. Long for a machine: rounding times
// to nanoseconds, or the gap between two requests, then changes nothing above 1e-6.
inline constexpr double kServiceMs = 10;

// For rates: requests per second to one server that is busy a share `rho` of the time.
[[nodiscard]] inline double rate_of(double rho) { return rho * 1000 / kServiceMs; }

[[nodiscard]] std::string poisson(double rate);
[[nodiscard]] std::string exponential(double mean_ms);

struct Setup {
  int backends = 1;
  std::string strategy = "random";  // As in a configuration: a name, or an object.
  std::string service = exponential(kServiceMs);
  int concurrency = 1;
  int queue = 1'000'000;
  std::string arrivals;
  double seconds = 0;  // After the warm-up.
  double warmup_seconds = 0;
  bool watched = false;  // Somebody looks, now and then, at how many requests are in flight.
  // More keys, each with a comma in front.
  std::string load;
  std::string cluster;
  std::string config;
  std::string more_behaviour;  // Of every backend.
  std::string behaviours;      // Of some backends.
  std::string events;          // Of the timeline, with commas between them.
  std::string backend_keys;    // Of every backend of the cluster.
  std::string more_backends;   // Of the cluster, after those of `backends`.
};

// What clients saw after the warm-up.
struct Observed {
  double mean_ms = 0;  // Of good answers, like the quantiles.
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double slow = 0;  // How many took above 2 ms: for services of 1 ms.
  double requests = 0;
  double error_ratio = 0;                // Share of all requests without a good answer.
  double throughput = 0;                 // Good answers per second.
  double in_flight = 0;                  // The mean of what was seen, when it was watched.
  std::map<std::string, double> shares;  // Of all answers, by backend.
};

// One run. Runs are kept, so that the rows of a page that look at the same run share it.
[[nodiscard]] const Observed& observe(const Setup& setup, std::uint64_t seed);

}  // namespace lb::validation
