// When the requests of an open loop are meant to be sent, and by whom. Fixed by the seed alone: how
// fast they are answered does not shift it.
//
// The draws are those of the simulator, in its order, so that one scenario sends the very same
// requests at the same times in both worlds and their difference is not diluted by chance.
#pragma once

#include <cstdint>

#include "lbcore/prng.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

struct Arrival {
  Duration at{};  // Since the start of the run.
  std::uint32_t client = 0;
};

class Schedule {
 public:
  // REQUIRES: load.arrivals is not a closed loop, which has no schedule; load.clients > 0.
  Schedule(const scenario::Load& load, std::uint64_t seed);

  // In order of time. `at` is Duration::max() when nothing arrives because the rate is zero.
  [[nodiscard]] Arrival next();

 private:
  [[nodiscard]] Duration draw_gap();

  std::uint32_t clients_;
  scenario::Distribution gap_;
  bool silent_ = false;
  Prng prng_;
  Duration last_{};
};

}  // namespace lb::harness
