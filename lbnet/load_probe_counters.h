// How questions for the load of backends ended: see load_prober.h.
#pragma once

#include <cstdint>

namespace lb::net {

struct LoadProbeCounters {
  std::uint64_t asked = 0;
  std::uint64_t told = 0;     // Of those asked. The others failed, or are under way.
  std::uint64_t failed = 0;   // No answer in time, none at all, or none that tells a load.
  std::uint64_t dropped = 0;  // Never asked: one was under way, or had just been in vain.

  void add(const LoadProbeCounters& other) {
    asked += other.asked;
    told += other.told;
    failed += other.failed;
    dropped += other.dropped;
  }
};

}  // namespace lb::net
