// Standing: when each backend left the set of those that get requests and came back, and why. A
// backend that has no room just now, or waits behind others by its priority, has not left it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/time.h"

namespace lb::scenario {

struct StandingChange {
  Duration at{};
  std::string state;  // "eligible", or why it gets nothing: see to_string(Exclusion).
  [[nodiscard]] bool eligible() const { return state == "eligible"; }
};

class Standing {
 public:
  // Every backend is eligible until this says otherwise; what is said of time zero is how the run
  // begins, and no change. `place` numbers the backends. In order of time.
  void note(Duration at, std::size_t place, std::string_view state);

  [[nodiscard]] const std::vector<StandingChange>& changes(std::size_t place) const;
  // How often it left the set from `from` up to `to`.
  [[nodiscard]] std::uint64_t exits(std::size_t place, Duration from, Duration to) const;
  // For how long it was out of it until `end`.
  [[nodiscard]] Duration out(std::size_t place, Duration end) const;
  // From `after` until it is out; nothing when it never is. Zero when it is already.
  [[nodiscard]] std::optional<Duration> time_to_leave(std::size_t place, Duration after) const;
  // From `after` until it comes back for the first time; nothing when it does not.
  [[nodiscard]] std::optional<Duration> time_to_return(std::size_t place, Duration after) const;
  [[nodiscard]] bool was_out(std::size_t place, Duration after) const;

 private:
  struct Backend {
    bool begins_in = true;
    std::string state = "eligible";
    std::vector<StandingChange> changes;
  };
  [[nodiscard]] bool in_at(std::size_t place, Duration at) const;

  std::vector<Backend> backends_;
};

}  // namespace lb::scenario
