// What a generated case consists of: how a cluster is set up, and what happens to it then. Small
// numbers throughout, so that a failing case shrinks to few commands and few features, and prints
// as a list to be read aloud.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "lbcore/cluster_config.h"

namespace lb::testing {

// A feature that can be turned, at the start and by a reload. 0 leaves it off or out of the way.
enum class Knob {
  strategy,         // 0: that of the setup; n: number n of the registry
  strategy_option,  // bounds, choices, nodes
  health_check,
  panic,
  slow_start,
  breaker,
  limit_per_backend,
  limit,
  queue,
  queue_timeout,
  queue_order,
  attempts,
  budget,
  backoff,
  retry_on,
  max_idle,
  max_age,
  max_requests,
  warm_up,
  affinity,
  request_timeout,
  timeouts,
  outlier,
  kCount,
};
inline constexpr std::size_t kKnobCount = static_cast<std::size_t>(Knob::kCount);
inline constexpr unsigned kKnobValues = 4;  // 0 to 3

struct Setup {
  StrategyConfig strategy;
  std::vector<std::uint8_t> backends;  // Of each: its weight minus 1, and 6 times its priority.
  std::vector<unsigned> knobs;         // By Knob; the world behaves as if missing ones were 0.
  // The world takes its time: what a request is told to do is done at Command::act, or later.
  bool slow_world = false;
};
void showValue(const Setup& setup, std::ostream& os);

// The configuration that knobs name, without backends. `own` is the strategy of the setup.
[[nodiscard]] ClusterConfig config_of(const std::vector<unsigned>& knobs,
                                      const StrategyConfig& own);

// The same strategy with other options; 0 for those it has.
[[nodiscard]] StrategyConfig with_options(StrategyConfig strategy, unsigned variant);

// `which` chooses among what is there at that moment, so that any sequence makes sense and stays
// so when others are taken out of it.
struct Command {
  enum class Kind {
    request,    // `which`: its client; `how`: key, class, session, and every eighth is TCP
    serve,      // a request from its start to its end, without a hitch
    connected,  // one that connects
    progress,   // one whose connection is open
    sent,       // one that sends
    answer,     // one that sends or waits; `how`: the status and the facts
    fail,       // one with an attempt under way; `how`: the failure and the facts
    finish,     // one that answers
    leave,      // the client of any one
    act,        // a slow world does the next thing it was told to
    closes,     // an idle connection, by its backend
    spare,      // a connection opened ahead is there, or not
    report,     // a backend says how it is
    health,     // of a backend; `how`: the state
    eject,      // a backend, or the end of it
    sibling,    // a report of sibling `which`; `how`: the loads
    tallies,    // are taken
    join,       // a new backend; `how`: weight and priority
    remove,     // a backend
    order,      // an AdminState for a backend; `how`: which
    weigh,      // `how`: the weight of a backend
    promote,    // `how`: its priority
    turn,       // knob `which` to `how`
    wait,       // `how`: how long; every other one until the next deadline
    slip,       // the same, but the world is late and does not call handle_timeout
    kCount,
  };
  Kind kind = Kind::request;
  unsigned which = 0;
  unsigned how = 0;
};
void showValue(const Command& command, std::ostream& os);

}  // namespace lb::testing
