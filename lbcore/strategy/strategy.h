// A Strategy answers one question: which of these backends gets the next request?
//
// Health, drain and limits are settled before it is asked: it sees eligible backends only and
// never branches on why one is missing. It draws chance from the Prng it is given and from
// nowhere else, so the same inputs give the same picks in the daemon, the simulator and a replay.
//
// To add one: a config struct with kName, describe() and a make_strategy() overload in its own
// header and source, and its type in the list of strategy/registry.h. The configuration loader,
// the simulator and the property tests find it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "lbcore/hash.h"
#include "lbcore/ids.h"
#include "lbcore/prng.h"

namespace lb {

// One backend as a strategy sees it.
struct BackendView {
  BackendId id;
  std::uint32_t weight = 1;     // 1 or more.
  std::uint32_t in_flight = 0;  // Assigned and not yet finished, by every worker that told us.
};

// Sorted by id, so that a position means the same thing in every run.
using EligibleView = std::span<const BackendView>;

// Why a pick fell on a backend, as data: it goes to the access log.
enum class PickReason : std::uint8_t {
  in_turn,       // its turn in a rotation
  drawn,         // a random draw
  least_loaded,  // fewest in flight for its weight, of those compared
  hashed,        // the key of the request names it
  only_one,      // nobody else was eligible
  untried,       // a retry: the strategy's own pick had been tried already
};

[[nodiscard]] std::string_view to_string(PickReason reason);

struct Pick {
  std::size_t index = 0;  // into the EligibleView
  PickReason reason = PickReason::in_turn;
};

class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  // Control plane: the eligible set or a weight changed. May cost O(n log n) and allocate.
  virtual void rebuild(EligibleView eligible) { static_cast<void>(eligible); }

  // Data plane: eligible[index].in_flight changed. O(log n) at most, no allocation.
  virtual void load_changed(EligibleView eligible, std::size_t index) {
    static_cast<void>(eligible), static_cast<void>(index);
  }

  // Data plane: O(log n) at most, no allocation.
  // REQUIRES: at least two backends in `eligible`, the same that the last rebuild() saw. None and
  // one are answered by the caller, so no strategy needs the special case.
  virtual Pick pick(EligibleView eligible, HashKey key, Prng& prng) = 0;
};

}  // namespace lb
