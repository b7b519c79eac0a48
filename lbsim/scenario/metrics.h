// Metric: the figures of a run that "expect" can ask for. What each is called, in which unit its
// limits are written, which filters it takes and which world can tell it stands in one table; the
// reader, the report and the check of the documentation follow from it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lb::scenario {

enum class Metric : std::uint8_t {
  requests,
  ok,
  server_error,
  timed_out,
  failed,
  error_ratio,
  ok_ratio,
  server_error_ratio,
  timed_out_ratio,
  failed_ratio,
  throughput,
  share,
  fairness,
  in_system_mean,
  retry_ratio,
  refused_ratio,
  amplification,
  outcomes,
  outcome_ratio,
  in_flight_mean,
  in_flight_max,
  queue_mean,
  queue_max,
  utilisation,
  out_mean,
  ejections,
  time_to_eject,
  time_to_readmit,
  recovery_time,
  latency_mean,
  latency_p50,
  latency_p90,
  latency_p99,
  latency_p999,
  latency_max,
};
inline constexpr std::size_t kMetricCount = 35;

enum class Unit : std::uint8_t { count, ratio, per_second, duration };

// What narrows a figure down.
enum Filter : std::uint8_t {
  kByBackend = 1,
  kByLoad = 2,
  kByTime = 4,  // "window", or "from" and "to"
  kByCluster = 8,
  kByOutcome = 16,
  kAfter = 32,
  kRecovers = 64,  // "of", "below" and "over", and a "to"
};

// Where a figure comes from, and so who can tell it.
enum class Origin : std::uint8_t {
  clients,    // their samples: both worlds
  balancer,   // its counters: both worlds, the measured one by asking lbd
  standing,   // who was eligible when: both worlds, the measured one by asking lbd now and then
  simulated,  // levels inside of backends and queues: the simulated world alone
};

struct MetricTraits {
  Metric metric;
  const char* name;
  Unit unit = Unit::count;
  Origin origin = Origin::clients;
  unsigned takes = 0;  // Filters, or-ed;
  unsigned needs = 0;  // of these it needs so many.
};

namespace metric_table {

inline constexpr unsigned kClients = kByBackend | kByLoad | kByTime;
// Who gave up waiting was answered by nobody.
inline constexpr unsigned kNobodys = kByLoad | kByTime;
inline constexpr unsigned kStanding = kByBackend | kAfter;

using enum Metric;
using enum Origin;

inline constexpr std::array<MetricTraits, kMetricCount> kTraits{{
    {requests, "requests", Unit::count, clients, kClients, 0},
    {ok, "ok", Unit::count, clients, kClients, 0},
    {server_error, "server_error", Unit::count, clients, kClients, 0},
    {timed_out, "timed_out", Unit::count, clients, kNobodys, 0},
    {failed, "failed", Unit::count, clients, kNobodys, 0},
    {error_ratio, "error_ratio", Unit::ratio, clients, kClients, 0},
    {ok_ratio, "ok_ratio", Unit::ratio, clients, kClients, 0},
    {server_error_ratio, "server_error_ratio", Unit::ratio, clients, kClients, 0},
    {timed_out_ratio, "timed_out_ratio", Unit::ratio, clients, kNobodys, 0},
    {failed_ratio, "failed_ratio", Unit::ratio, clients, kNobodys, 0},
    {throughput, "throughput", Unit::per_second, clients, kClients, 0},
    {share, "share", Unit::ratio, clients, kClients, kByBackend},
    {fairness, "fairness", Unit::ratio, clients, kByCluster | kByLoad | kByTime, 0},
    {in_system_mean, "in_system_mean", Unit::ratio, clients, kNobodys, 0},
    {retry_ratio, "retry_ratio", Unit::ratio, balancer, kByTime, 0},
    {refused_ratio, "refused_ratio", Unit::ratio, balancer, kByTime, 0},
    {amplification, "amplification", Unit::ratio, balancer, 0, 0},
    {outcomes, "outcomes", Unit::count, balancer, kByOutcome | kByTime, kByOutcome},
    {outcome_ratio, "outcome_ratio", Unit::ratio, balancer, kByOutcome | kByTime, kByOutcome},
    {in_flight_mean, "in_flight_mean", Unit::ratio, simulated, kByBackend | kByTime, 0},
    {in_flight_max, "in_flight_max", Unit::count, simulated, kByBackend | kByTime, kByBackend},
    {queue_mean, "queue_mean", Unit::ratio, simulated, kByBackend | kByTime, 0},
    {queue_max, "queue_max", Unit::count, simulated, kByBackend | kByTime, 0},
    {utilisation, "utilisation", Unit::ratio, simulated, kByBackend | kByTime, 0},
    {out_mean, "out_mean", Unit::ratio, simulated, kByBackend | kByTime, kByBackend},
    {ejections, "ejections", Unit::count, standing, kByBackend | kByTime, 0},
    {time_to_eject, "time_to_eject", Unit::duration, standing, kStanding, kStanding},
    {time_to_readmit, "time_to_readmit", Unit::duration, standing, kStanding, kStanding},
    {recovery_time, "recovery_time", Unit::duration, clients, kByLoad | kAfter | kRecovers,
     kAfter | kRecovers},
    {latency_mean, "latency_mean", Unit::duration, clients, kClients, 0},
    {latency_p50, "latency_p50", Unit::duration, clients, kClients, 0},
    {latency_p90, "latency_p90", Unit::duration, clients, kClients, 0},
    {latency_p99, "latency_p99", Unit::duration, clients, kClients, 0},
    {latency_p999, "latency_p999", Unit::duration, clients, kClients, 0},
    {latency_max, "latency_max", Unit::duration, clients, kClients, 0},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (static_cast<std::size_t>(kTraits[i].metric) != i) return false;
  }
  return true;
}
static_assert(in_order(), "a metric is found by its number");

}  // namespace metric_table

inline constexpr auto& kMetrics = metric_table::kTraits;

[[nodiscard]] constexpr const MetricTraits& traits(Metric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}
[[nodiscard]] constexpr bool is_latency(Metric metric) { return metric >= Metric::latency_mean; }
[[nodiscard]] constexpr std::string_view metric_name(Metric metric) { return traits(metric).name; }

}  // namespace lb::scenario
