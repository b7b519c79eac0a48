// A Strategy answers one question: which of these backends gets the next request?
//
// Health, drain, panic, priorities and slow start are settled before it is asked: it sees eligible
// backends only and never branches on why one is missing. It draws chance from the Prng it is
// given and reads time from the context, so the same inputs give the same picks in the daemon, the
// simulator and a replay.
//
// To add one: a config struct with kName, describe() and a make_strategy() overload in its own
// header and source, and its type in the list of strategy/registry.h. The configuration loader,
// the simulator, the property tests and the benchmarks find it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lbcore/hash.h"
#include "lbcore/ids.h"
#include "lbcore/open_set.h"
#include "lbcore/prng.h"
#include "lbcore/time.h"

namespace lb {

// One backend as a strategy sees it.
struct BackendView {
  BackendId id;
  std::uint32_t weight = 1;     // 1 or more; of use next to the others' only.
  std::uint32_t in_flight = 0;  // Assigned and not yet finished, by every worker that told us.
  bool operator==(const BackendView&) const = default;
};

// Sorted by id, so that a position means the same thing in every run.
using EligibleView = std::span<const BackendView>;

// Why a pick fell on a backend, as data: it goes to the access log.
enum class PickReason : std::uint8_t {
  in_turn,       // its turn in a rotation
  drawn,         // a random draw
  least_loaded,  // fewest in flight for its weight, of those compared
  fastest,       // least latency, or the best of latency and load, of those compared
  unexplored,    // nothing is known of its latency yet, so it is tried
  hashed,        // the key of the request names it
  first_open,    // the first in order that has room
  only_one,      // nobody else was eligible
  moved_on,      // the strategy's own pick had no room or had been tried: the next that has not
  sticky,        // the client's session is there
  last_resort,   // all that are eligible have been tried: an ejected one that has not
};

[[nodiscard]] std::string_view to_string(PickReason reason);

struct Pick {
  std::size_t index = 0;  // into the EligibleView
  PickReason reason = PickReason::in_turn;
};

// What a pick may depend on, besides what the strategy was told before.
struct PickContext {
  EligibleView eligible;        // The same that the last rebuild() saw, but for in_flight.
  const OpenSet& open;          // Of their positions, those that may take this request.
  std::uint64_t in_flight = 0;  // The sum over `eligible`.
  HashKey key = 0;              // Of the request; what it is made from is configured.
  Instant now;
  Prng& prng;
};

// How one attempt went, as far as latency goes.
struct LatencySample {
  Instant at;           // When it ended.
  Duration latency{};   // From the pick to the head of the answer, or to the failure.
  bool failed = false;  // No answer, or one of 500 and above: fast or not, it is no service.
};

// What a backend says of itself when it is asked.
struct LoadReport {
  std::uint32_t in_flight = 0;  // Requests it works on.
  Duration latency{};           // What it expects of the next one.
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  Strategy& operator=(const Strategy&) = delete;

  // A copy that goes on by itself: an explanation picks on one and leaves no trace.
  [[nodiscard]] virtual std::unique_ptr<Strategy> clone() const = 0;

  // Weights have a meaning to it. Slow start then works on weights; otherwise, and where a key
  // decides, on a share of the picks.
  [[nodiscard]] virtual bool uses_weights() const { return true; }

  // The key decides, and nothing else does: the same key must then come to the same strategy.
  [[nodiscard]] virtual bool uses_key() const { return false; }

  // -- Control plane: the eligible set or a weight changed. May cost O(n log n) and allocate.
  virtual void rebuild(EligibleView eligible, Instant now) {
    static_cast<void>(eligible), static_cast<void>(now);
  }

  // -- Data plane: no allocation, O(log n) at most but where a header says otherwise.
  // eligible[index].in_flight has changed by one or more.
  virtual void load_changed(EligibleView eligible, std::size_t index, Instant now) {
    static_cast<void>(eligible), static_cast<void>(index), static_cast<void>(now);
  }
  // An attempt on eligible[index] has ended. Comes before the load_changed() of its end.
  virtual void latency_sampled(EligibleView eligible, std::size_t index,
                               const LatencySample& sample) {
    static_cast<void>(eligible), static_cast<void>(index), static_cast<void>(sample);
  }
  // REQUIRES: two or more in context.eligible, one or more of them open. None and one are answered
  // by the caller. A pick that is not open costs the caller a walk to the next one that is: a
  // strategy that can tell a better next one (the next on a ring) looks at `open` itself.
  virtual Pick pick(const PickContext& context) = 0;

  // -- Strategies that ask backends how they are. After every pick the caller polls until nothing
  // is returned, asks that backend, and hands the answer in; one that never comes is no harm. Who
  // never asks need not be polled.
  [[nodiscard]] virtual bool asks_load() const { return false; }
  [[nodiscard]] virtual std::optional<std::size_t> poll_load_probe() { return std::nullopt; }
  virtual void load_reported(EligibleView eligible, std::size_t index, const LoadReport& report,
                             Instant now) {
    static_cast<void>(eligible), static_cast<void>(index);
    static_cast<void>(report), static_cast<void>(now);
  }

  // What the strategy compares, for explanations: less is better. Nothing for one that does not
  // compare, or knows nothing of this backend.
  [[nodiscard]] virtual std::optional<double> score(const PickContext& context,
                                                    std::size_t index) const {
    static_cast<void>(context), static_cast<void>(index);
    return std::nullopt;
  }

 protected:
  Strategy() = default;
  Strategy(const Strategy&) = default;
};

}  // namespace lb
