// DESCRIPTION  The first backend in order of id that has room: the first is filled up before the
//   second gets anything. With limits.max_in_flight_per_backend, and of little use without it.
// GUARANTEES   Everybody before the one picked is at its limit, or not to be had for this request.
//   As few backends as the load needs are busy, so the last of them may be switched off. O(n / 64).
// WEAKNESS     Whoever is busy is as busy as it may be: latency is that of a full backend. Weights
//   are ignored; a smaller backend needs a limit of its own size.
#pragma once

#include <memory>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct FirstConfig {
  static constexpr std::string_view kName = "first";
  bool operator==(const FirstConfig&) const = default;
  template <class Fields>
  void describe(Fields&) {}
};

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const FirstConfig& config);

}  // namespace lb
