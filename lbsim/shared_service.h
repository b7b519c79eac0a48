// SharedService: requests that are served together and change each other's speed, as with processor
// sharing or contention.
//
// All of them have the same speed at any moment, so a clock that runs at that speed says for good
// when each is done: at the reading where it came plus its work. Arrivals and ends change the speed
// of the clock, and nothing that is in the heap. O(log n) for each.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "lbsim/disturbed_time.h"
#include "lbsim/scenario/behaviour.h"

namespace lb::sim {

class SharedService {
 public:
  using Job = std::uint64_t;

  // REQUIRES: both outlive it.
  SharedService(const scenario::Behaviour& behaviour, DisturbedTime& time)
      : behaviour_(&behaviour), time_(&time) {}

  // Times come in order.
  void begin(Duration now, Job job, double work);

  // When the next one is done, as long as none begins before; nothing without any.
  [[nodiscard]] std::optional<Duration> next_end(Duration now);

  // The one whose end next_end() told, which is now.
  [[nodiscard]] Job take(Duration now);

  void clear() {
    jobs_ = {};
    clock_ = 0;
  }

  // How fast each of n is served, as a share of one that is alone.
  [[nodiscard]] static double speed(const scenario::Behaviour& behaviour, std::size_t count);

 private:
  struct Entry {
    double end;  // Reading of the clock.
    std::uint64_t number;
    Job job;
    bool operator>(const Entry& other) const {
      return end != other.end ? end > other.end : number > other.number;
    }
  };
  void advance(Duration now);

  const scenario::Behaviour* behaviour_;
  DisturbedTime* time_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> jobs_;
  std::uint64_t begun_ = 0;
  double clock_ = 0;  // Nanoseconds of work; starts anew when nobody is served.
  Duration last_{};
};

}  // namespace lb::sim
