// Balancer: the data brain of one cluster for one worker. It says who gets each request, over
// which connection, when to give up, whether to try again, and which connections to close.
//
// It does no I/O and reads no clock. The world around it (lbnet on sockets, lbsim in virtual
// time) tells it what happened through handle_*, carries out what poll_action() says, and calls
// handle_timeout() when poll_timeout() has come. The same calls give the same answers, always.
//
// The life of a request:
//
//   handle_request ──▶ none eligible: counted and over
//     │ assigned
//     ├──▶ handle_connected (a new connection) ──▶ handle_sent ──▶ handle_answer ──┐
//     │                                                │                  │        ▼
//     │                                                ▼                  │   handle_finished
//     │                                     handle_attempt_failed         │
//     │                                       │            │              │
//     │ assigned                              ▼            ▼              ▼
//     └──────────── handle_retry ◀── retry: retry_due   give up    retry (a listed status)
//
// handle_finished may come at any point after "assigned" (a client that left). Every request that
// came in is counted in exactly one Outcome.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lbcore/cluster_config.h"
#include "lbcore/connection_pool.h"
#include "lbcore/deadline_table.h"
#include "lbcore/ids.h"
#include "lbcore/outcome.h"
#include "lbcore/retry.h"
#include "lbcore/ring_queue.h"
#include "lbcore/slab.h"

namespace lb {

struct RequestInput {
  HashKey key = 0;     // Of the client, for strategies that hash.
  bool pooled = true;  // May go over a connection that others used and will use (HTTP, not TCP).
};

// An attempt that may start: this request, to this backend, over this connection.
struct Assignment {
  RequestId request;
  BackendId backend;
  ConnectionId connection;
  bool reused = false;  // The connection is open already; otherwise it has to be opened.
  PickReason reason = PickReason::in_turn;
  std::uint32_t attempt = 1;
  std::uint32_t eligible_count = 0;  // How many it was picked from.
};

// Empty when no backend was eligible: the request is over, with Outcome::no_backend.
using Start = std::optional<Assignment>;

struct NextStep {
  enum class Kind : std::uint8_t {
    deliver,  // Pass the answer on.
    retry,    // Close the connection and wait for Action::retry_due.
    give_up,  // Close the connection; the request is over with `outcome`.
  };
  Kind kind = Kind::deliver;
  Outcome outcome = Outcome::success;
};

// What the world has to do now.
struct Action {
  enum class Kind : std::uint8_t {
    abort_attempt,     // Stop working on `request` and call handle_attempt_failed with `failure`.
    retry_due,         // Call handle_retry for `request`.
    close_connection,  // Close the socket of the idle `connection`.
  };
  Kind kind;
  RequestId request;
  ConnectionId connection;
  AttemptFailure failure{};
};

struct BalancerCounters {
  std::uint64_t requests = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_reused = 0;
  OutcomeCounts outcomes;
};

// One backend as metrics and the admin API show it. Counts are this worker's alone.
struct BackendStatus {
  BackendId id;
  const BackendConfig* config = nullptr;
  HealthState health = HealthState::unknown;
  bool removed = false;  // No longer configured, finishing what it has.
  bool eligible = false;
  std::uint32_t in_flight = 0;
  std::uint32_t idle_connections = 0;
  std::uint64_t picked = 0;    // Attempts sent its way.
  std::uint64_t failures = 0;  // Of these, how many failed.
  OutcomeCounts outcomes;      // Of the requests that ended with it.
};

// In-flight count of one backend, as one worker tells its siblings.
struct BackendLoad {
  BackendId backend;
  std::uint32_t in_flight = 0;
  bool operator==(const BackendLoad&) const = default;
};

class Balancer {
 public:
  // `seed` starts the generator behind every draw. Cost of this and of handle_config:
  // O(n log n) for n backends.
  Balancer(Instant now, const ClusterPlan& plan, std::uint64_t seed);
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  // -- A request's life. Each is O(log n) at most and, once grown, free of allocation; what the
  //    request was assigned decides over how much of the work a strategy does (see its header).
  [[nodiscard]] Start handle_request(Instant now, const RequestInput& input);
  void handle_connected(Instant now, RequestId request);  // The new connection is open.
  void handle_progress(Instant now, RequestId request);   // Bytes moved, either way.
  void handle_sent(Instant now, RequestId request);       // The request has been sent in full.
  // The head of an answer came, with this status. `deliver`, or `retry` when the configuration
  // lists the status and the facts allow it.
  [[nodiscard]] NextStep handle_answer(Instant now, RequestId request, int status,
                                       const AttemptFacts& facts);
  // The attempt brought no answer, or the answer broke off. `retry` or `give_up`.
  [[nodiscard]] NextStep handle_attempt_failed(Instant now, RequestId request,
                                               AttemptFailure failure, const AttemptFacts& facts);
  // The answer to Action::retry_due: the next attempt, never on a backend already tried while
  // another is eligible.
  [[nodiscard]] Start handle_retry(Instant now, RequestId request);
  // The request is over. A `reusable` connection goes back to the pool; otherwise the world has
  // closed it or is about to.
  void handle_finished(Instant now, RequestId request, Outcome outcome, bool reusable);

  // -- Facts from outside.
  // An idle one was closed by its backend. Ignored when it is not idle any more.
  void handle_connection_closed(ConnectionId connection);
  void handle_health(BackendId backend, HealthState state);
  // A new configuration. Backends that stay (same id) keep counts and connections, and have the
  // health the plan says; those that left take nothing new and have `timeouts.drain` to finish.
  void handle_config(Instant now, const ClusterPlan& plan);
  // What sibling worker number `sibling` has in flight: the whole of it, sorted by backend. An
  // empty report takes its earlier one back.
  void handle_sibling_load(std::uint32_t sibling, std::vector<BackendLoad> loads);

  // -- Time.
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return deadlines_.earliest(); }
  void handle_timeout(Instant now);
  // Call after every handle_* until it returns nothing.
  [[nodiscard]] std::optional<Action> poll_action() { return actions_.pop(); }

  // -- Views.
  [[nodiscard]] const BalancerCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t in_progress() const;
  [[nodiscard]] std::vector<BackendStatus> backends() const;  // Sorted by id.
  [[nodiscard]] std::vector<BackendLoad> own_load() const;    // Those above zero, sorted by id.
  [[nodiscard]] std::vector<ConnectionId> idle_connections() { return pool_.idle_connections(); }
  [[nodiscard]] const ClusterConfig& config() const { return config_; }

 private:
  struct Backend;
  struct Request;

  [[nodiscard]] Backend* find_backend(BackendId id);
  [[nodiscard]] bool is_eligible(const Backend& backend) const;
  void rebuild_eligible();
  void change_load(BackendSlot slot, int change, bool own);

  [[nodiscard]] Pick pick(HashKey key);
  [[nodiscard]] Pick pick_untried(HashKey key, const Request& request);
  [[nodiscard]] Start assign(Instant now, RequestId id, const Pick& pick);
  void end_attempt(Request& request);
  void end_request(RequestId id, Outcome outcome);
  [[nodiscard]] NextStep retry_or_give_up(Instant now, RequestId id, bool worth_it, Outcome last,
                                          const AttemptFacts& facts);

  void add_backend(BackendId id, const BackendConfig& config, HealthState health);
  void start_removal(Instant now, Backend& backend);
  void abort_in_flight(BackendSlot slot);
  void drop_if_finished(BackendSlot slot);
  void close_idle_connections(BackendSlot slot, std::uint32_t keep = 0);
  void expire(const DeadlineTable::Expired& expired);

  ClusterConfig config_;
  Prng prng_;
  std::unique_ptr<Strategy> strategy_;

  std::vector<Backend> backends_;  // By slot; a free slot has no id.
  std::vector<BackendSlot> free_slots_;
  std::vector<BackendSlot> slots_by_id_;     // Of the live ones, sorted by BackendId.
  std::vector<BackendView> eligible_;        // What strategies see, sorted by id.
  std::vector<BackendSlot> eligible_slots_;  // The slot of each of them.

  DeadlineTable deadlines_;
  ConnectionPool pool_;
  Slab<Request, RequestId> requests_;
  RingQueue<Action> actions_;
  std::vector<std::vector<BackendLoad>> sibling_loads_;  // By sibling.
  BalancerCounters counters_;
};

}  // namespace lb
