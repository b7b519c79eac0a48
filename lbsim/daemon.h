// Daemon: what one process of lbd knows and decides with. The Simulation is the world around it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lbcore/balancer.h"
#include "lbcore/control.h"
#include "lbcore/rate_limiter.h"
#include "lbcore/slab.h"
#include "lbsim/scenario/cut.h"

namespace lb::sim {

// One request of a client, from its sending until both the client and the daemon are done with it.
using SimRequestId = SlotId<struct SimRequestTag>;

struct Daemon {
  enum class State : std::uint8_t {
    gone,      // There is no process: connections are refused.
    starting,  // It listens and does not accept: its first probes are not back.
    serving,
  };

  Daemon(std::uint32_t daemon, std::uint64_t control_seed)
      : number(daemon), control(control_seed) {}

  std::uint32_t number;  // From 0.
  State state = State::starting;
  bool draining = false;   // Nothing new is accepted, and it is gone when it has finished.
  std::uint32_t life = 0;  // Grows with every start: what was meant for an earlier one is void.
  std::vector<SimRequestId> waiting;  // To be accepted.
  Control control;
  std::optional<Instant> control_armed;  // The wake-up that counts; others are stale.
  // Of its ids to the world's numbers; ids are dense. Daemons of different histories have different
  // ids for the same backend.
  std::vector<std::uint32_t> backend_of_id;
  std::vector<BackendId> id_of_backend;  // The other way, the latest of each.
  std::vector<std::uint32_t> cluster_of_id;
  std::vector<RateLimiter> limiters;  // By worker; empty without a rate limit.
  std::vector<bool> exchange_armed;   // By worker.
  // What is in no brain: requests that reached none, and all that earlier lives counted.
  scenario::BalancerTotals past;
};

// Who is at the other end of a connection, and in which of its lives.
struct Peer {
  std::uint32_t backend = 0;
  std::uint32_t epoch = 0;
};

// One Balancer: the brain of one worker of one daemon for one cluster.
struct Brain {
  Daemon* daemon = nullptr;
  std::uint32_t worker = 0;
  ClusterId cluster;                   // As its daemon calls it.
  std::unique_ptr<Balancer> balancer;  // While the daemon serves.
  KeyExpression key;                   // What its strategy wants to know of a request.
  Instant armed = Instant::max();      // The wake-up that counts; others are stale.
  bool has_breakers = false;
  std::uint64_t breakers_opened = 0;  // Of which somebody has taken notice.
  // Of every backend of the world, as it was last looked at; of a daemon that is gone, too.
  std::vector<Exclusion> standing;
  // What belongs to the brain's connections and requests, by their slots.
  std::vector<Peer> connection_peer;
  std::vector<SimRequestId> request_of;
};

// What brains have counted so far.
[[nodiscard]] scenario::BalancerTotals totals_of(const BalancerCounters& counters);

// A slot-indexed array, grown as slots appear.
template <class T>
T& at_slot(std::vector<T>& values, std::uint32_t slot) {
  if (slot >= values.size()) values.resize(slot + 1);
  return values[slot];
}

}  // namespace lb::sim
