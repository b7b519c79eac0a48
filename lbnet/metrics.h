// What a worker counts. Plain numbers, one set a worker, read by its own thread only: a scrape asks
// each worker for a copy and adds them up.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lbcore/balancer.h"
#include "lbnet/load_probe_counters.h"

namespace lb::net {

// Upper bounds in seconds, those Traefik uses: dashboards made for it fit.
inline constexpr std::array<double, 13> kDurationBounds{.005, .01, .025, .05, .075, .1, .25,
                                                        .5,   .75, 1,    2.5, 5,    7.5};

struct DurationHistogram {
  std::array<std::uint64_t, kDurationBounds.size() + 1> counts{};
  double sum = 0;
  void add(Duration duration) {
    const double seconds = std::chrono::duration<double>(duration).count();
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && seconds > kDurationBounds[bucket]) ++bucket;
    ++counts[bucket];
    sum += seconds;
  }
  void add(const DurationHistogram& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    sum += other.sum;
  }
};

// Handshakes of a listener with TLS.
struct TlsCounters {
  std::uint64_t full = 0;
  std::uint64_t resumed = 0;
  std::uint64_t failed = 0;             // Not TLS, not as we want it, or not in time.
  std::uint64_t handshakes_active = 0;  // Under way now.
};

// Connections that ended for want of a PROXY header, where a listener asks for one.
struct ProxyHeaderRefusals {
  std::uint64_t untrusted = 0;  // Of whoever connected, no word is believed.
  std::uint64_t malformed = 0;  // None, not as we want it, or cut short.
  std::uint64_t timeout = 0;    // Not in time.
};

struct ListenerCounters {
  std::uint64_t connections = 0;           // Accepted.
  std::uint64_t connections_active = 0;    // Open now.
  std::array<std::uint64_t, 6> answers{};  // By class of status; 0 for none (TCP, client gone).
  std::uint64_t rejected = 0;              // Not HTTP, or not HTTP we take: never reached a brain.
  std::uint64_t rate_limited = 0;          // Refused by the rate limit.
  // Answered by a route, or for want of one: these reached no brain either.
  std::uint64_t not_routed = 0;
  std::uint64_t redirected = 0;
  std::uint64_t responded = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  // -- See admission.h
  std::uint64_t pauses_full = 0;         // Times accepting stopped for want of a place.
  std::uint64_t pauses_descriptors = 0;  // The same for want of descriptors.
  std::uint64_t refused_per_client = 0;  // Connections of clients that had too many.
  ProxyHeaderRefusals proxy_headers;
  DurationHistogram durations;
  TlsCounters tls;

  void add(const ListenerCounters& other);
};

// One worker's brain for one cluster, as a scrape sees it.
struct ClusterSnapshot {
  std::string name;
  BalancerCounters counters;
  LoadProbeCounters load_probes;
  std::size_t in_progress = 0;
  std::size_t queue_length = 0;
  bool panicking = false;
  std::uint32_t max_in_flight_per_backend = 0;  // As configured; 0 for no limit.
  struct Backend {
    BackendStatus status;
    std::string id;
    std::string address;
    ErrorTrend::Reading errors;
  };
  std::vector<Backend> backends;
};

struct WorkerSnapshot {
  std::map<std::string, ListenerCounters> listeners;  // By name.
  std::vector<ClusterSnapshot> clusters;
  std::size_t sessions = 0;
};

}  // namespace lb::net
