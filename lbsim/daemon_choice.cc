#include "lbsim/daemon_choice.h"

#include <algorithm>

namespace lb::sim {

DaemonChoice::DaemonChoice(const scenario::Fleet& fleet, std::uint64_t seed)
    : by_(fleet.clients), seed_(seed), prng_(seed) {
  std::uint64_t end = 0;
  for (std::uint32_t daemon = 0; daemon < fleet.daemons; ++daemon) {
    end += fleet.shares.empty() ? 1 : fleet.shares[daemon];
    ends_.push_back(end);
  }
}

std::uint32_t DaemonChoice::next(HashKey client) {
  if (ends_.size() == 1) return 0;
  const std::uint64_t all = ends_.back();
  std::uint64_t place = 0;
  switch (by_) {
    case scenario::ClientsBy::hash: place = combine(seed_, client) % all; break;
    case scenario::ClientsBy::round_robin: place = turn_++ % all; break;
    case scenario::ClientsBy::random: place = prng_.below(all); break;
  }
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), place);
  return static_cast<std::uint32_t>(end - ends_.begin());
}

}  // namespace lb::sim
