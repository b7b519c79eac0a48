// Cut: how a world stands at one time of a run. What counts upwards is known of every part of the
// run when it is known at its start and at its end; so is the average of what rises and falls, out
// of its integral over time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

// What the balancer itself counted since the start of the run.
struct BalancerTotals {
  std::uint64_t requests = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_reused = 0;
  std::map<std::string, std::uint64_t> outcomes;  // By name.

  [[nodiscard]] std::uint64_t outcome(const std::string& name) const;
  // Those that got no place at a backend: there was none, or none in time.
  [[nodiscard]] std::uint64_t refused() const;
  [[nodiscard]] double refused_ratio() const;
  [[nodiscard]] double retry_ratio() const;
  [[nodiscard]] double outcome_ratio(const std::string& name) const;
  void add(const BalancerTotals& other);
  // What was counted since then.
  [[nodiscard]] BalancerTotals since(const BalancerTotals& earlier) const;
};

// Of a count that rises and falls.
struct LevelReading {
  std::uint64_t integral = 0;  // Over time since the start of the run, in nanoseconds.
  std::uint32_t peak = 0;      // Since the cut before this one.
};

struct Cut {
  BalancerTotals balancer;

  // Levels, which only the simulator knows.
  struct OfBackend {
    LevelReading in_flight;    // Sent by the daemon and not yet answered or given up.
    LevelReading waiting;      // At the backend, for a place there.
    std::uint64_t busy = 0;    // Places in use, and those it has while it is there; and brains that
    std::uint64_t places = 0;  // have it out, of all that may know it. Integrals, as in
    std::uint64_t out = 0;     // LevelReading.
    std::uint64_t brains = 0;
  };
  bool levels = false;
  LevelReading queued;              // In the daemon, for a backend with room.
  std::vector<OfBackend> backends;  // By place in the Collector.
};

}  // namespace lb::scenario
