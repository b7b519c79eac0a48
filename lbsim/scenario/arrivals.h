// ArrivalProcess: when the requests of an open loop are meant to be sent, by whom, and for what.
// Fixed by the load and the seed alone: how fast requests are answered does not shift it.
//
// Both worlds send what it says, so that their difference is not diluted by chance.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/prng.h"
#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

struct Arrival {
  Duration at{};  // Since the start of the run.
  std::uint32_t client = 0;
  std::uint32_t target = 0;  // Which path: see targets_of().
  bool operator==(const Arrival&) const = default;
};

// The paths that requests of a load ask for, by Arrival::target.
[[nodiscard]] std::vector<std::string> targets_of(const Load& load);

// How many clients take part in a load of any kind at a time. One beyond them has the place of
// another: number modulo this.
[[nodiscard]] std::uint32_t client_count(const Load& load);

class ArrivalProcess {
 public:
  // REQUIRES: load.arrivals is not a closed loop, which has no schedule.
  ArrivalProcess(const Load& load, std::uint64_t seed);

  // The next arrival, in order of time; nothing when there are no more.
  [[nodiscard]] std::optional<Arrival> next();

  // What says when the next one is.
  class Clock {
   public:
    virtual ~Clock() = default;
    // The time after the one before; nothing when there is none.
    [[nodiscard]] virtual std::optional<Duration> next(Prng& prng) = 0;
  };

 private:
  Prng prng_;
  std::optional<ClientDraw> clients_;
  std::unique_ptr<Clock> clock_;        // Of all but a replay,
  std::shared_ptr<const Trace> trace_;  // which has everything written down.
  std::size_t next_entry_ = 0;
};

}  // namespace lb::scenario
