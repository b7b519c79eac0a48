// DisturbedTime: how much a backend gets done in a time that pauses and slowdowns cut into pieces.
//
// Each disturbance comes and goes by its own draws, whatever the backend does, so the pieces can be
// laid out ahead as far as somebody asks; where several are on, their factors are multiplied.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "lbcore/prng.h"
#include "lbsim/scenario/behaviour.h"

namespace lb::sim {

class DisturbedTime {
 public:
  DisturbedTime(const std::vector<scenario::Disturbance>& disturbances, std::uint64_t seed);

  // When work that takes `work` nanoseconds undisturbed is done, begun at `from`. Calls have to
  // come in order of `from`: what is before it is forgotten. O(pieces in between).
  [[nodiscard]] Duration end_of(Duration from, double work);

  // How much is done from one time to a later one, in nanoseconds. In order of `from`, likewise.
  [[nodiscard]] double done(Duration from, Duration to);

 private:
  struct Source {
    scenario::Disturbance disturbance;
    Prng prng;
    bool on = false;
    Duration changes{};  // When it goes on or off next.
  };
  struct Piece {
    Duration end{};
    double speed = 1;
  };
  void extend();
  void forget_before(Duration from);

  std::vector<Source> sources_;
  std::deque<Piece> pieces_;  // In order; the first one ends after the last `from`.
};

}  // namespace lb::sim
