// Fleet: how many daemons stand beside each other, and which of them a client comes to.
#pragma once

#include <cstdint>
#include <vector>

namespace lb::scenario {

// How clients come to a daemon.
enum class ClientsBy : std::uint8_t {
  hash,         // Each keeps to one, by a hash of its address: anycast, ECMP.
  round_robin,  // The next one in turn with every request, whoever sends it: answers of a DNS.
  random,       // Any with every request.
};

// What the daemons of a fleet have in common at the start.
enum class ProbePhase : std::uint8_t {
  spread,    // Each was started at a time of its own, so their probes come at times of their own.
  together,  // All were started at once, and probe in step.
};

struct Fleet {
  static constexpr std::uint32_t kDaemonsMax = 10'000;

  std::uint32_t daemons = 1;
  ClientsBy clients = ClientsBy::hash;
  std::vector<std::uint32_t> shares;  // Of the clients or requests, by daemon; empty: all alike.
  ProbePhase probes = ProbePhase::spread;
};

}  // namespace lb::scenario
