// Balancer: the data brain of one cluster for one worker. It says who gets each request, over
// which connection, when to give up, whether to try again, and which connections to close.
//
// It does no I/O and reads no clock. The world around it (lbnet on sockets, lbsim in virtual
// time) tells it what happened through handle_*, carries out what poll_action() says, and calls
// handle_timeout() when poll_timeout() has come. The same calls give the same answers, always.
//
// The life of a request:
//
//   handle_request ──▶ refused: counted and over
//     │    │ queued: wait for attempt_due, or leave
//     │    ▼
//     │  handle_attempt_due ◀────────────────────────────────────── attempt_due
//     │ assigned                                                         ▲
//     ├──▶ handle_connected (a new connection) ──▶ handle_sent ──▶ handle_answer ──┐
//     │                                                │                 │ │       ▼
//     │                                                ▼                 │ │  handle_finished
//     │                                     handle_attempt_failed        │ │
//     │                                       │            │             │ │
//     │                                       ▼            ▼             │ │
//     │                                     retry       give up          │ retry
//     │                                       └──────────────────────────┘ (a listed status)
//
// handle_finished may come at any point after "assigned" or "queued" (a client that left). Every
// request that came in is counted in exactly one Outcome.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "lbcore/admission_queue.h"
#include "lbcore/circuit_breaker.h"
#include "lbcore/cluster_config.h"
#include "lbcore/connection_pool.h"
#include "lbcore/deadline_table.h"
#include "lbcore/eligible_set.h"
#include "lbcore/exclusion.h"
#include "lbcore/ids.h"
#include "lbcore/observables.h"
#include "lbcore/outcome.h"
#include "lbcore/retry.h"
#include "lbcore/ring_queue.h"
#include "lbcore/slab.h"
#include "lbcore/tally.h"

namespace lb {

struct RequestInput {
  HashKey key = 0;             // For strategies that hash: key_of(key_expression(strategy), …).
  bool pooled = true;          // May go over a connection that others use too (HTTP, not TCP).
  bool repeatable = false;     // May be sent twice: idempotent, and all of its body is at hand.
  std::uint32_t priority = 0;  // In the queue, below AdmissionQueue::kClassCount; 0 goes first.
  std::optional<BackendId> session;  // The backend its affinity cookie names.
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
  bool new_session = false;          // The answer has to name `backend` in the affinity cookie.
};

// What becomes of a request that wants an attempt.
struct Start {
  enum class Kind : std::uint8_t {
    assigned,  // Begin the attempt.
    queued,    // Nobody has a place: wait for Action::attempt_due of `request`.
    refused,   // It is over, with `outcome`.
  };
  Kind kind = Kind::refused;
  Outcome outcome = Outcome::no_backend;
  RequestId request;  // Unless refused.
  Assignment assignment;

  explicit operator bool() const { return kind == Kind::assigned; }
  const Assignment* operator->() const { return &assignment; }
  const Assignment& operator*() const { return assignment; }
};

struct NextStep {
  enum class Kind : std::uint8_t {
    deliver,  // Pass the answer on.
    retry,    // Close the connection and wait for Action::attempt_due.
    give_up,  // Close the connection; the request is over with `outcome`.
  };
  Kind kind = Kind::deliver;
  Outcome outcome = Outcome::success;
};

// What the world has to do now.
struct Action {
  enum class Kind : std::uint8_t {
    abort_attempt,     // Stop working on `request` and call handle_attempt_failed with `failure`.
    attempt_due,       // Call handle_attempt_due for `request`.
    close_connection,  // Close the socket of the idle `connection`.
    open_connection,   // Open `connection` to `backend` and call handle_spare_connection.
    ask_load,          // Ask `backend` how it is and call handle_load_report.
  };
  Kind kind;
  RequestId request;
  ConnectionId connection;
  AttemptFailure failure{};
  BackendId backend;
};

struct BalancerCounters {
  std::uint64_t requests = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t retries_denied = 0;  // By the budget alone.
  std::uint64_t queued = 0;
  std::uint64_t breakers_opened = 0;
  std::uint64_t sessions_moved = 0;  // Their backend was gone or could not take them.
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_reused = 0;
  OutcomeCounts outcomes;

  void add(const BalancerCounters& other);
};

// One backend as metrics and the admin API show it. Counts are this worker's alone.
struct BackendStatus {
  BackendId id;
  std::uint32_t weight = 1;
  HealthState health = HealthState::unknown;
  bool ejected = false;
  bool removed = false;  // No longer configured, finishing what it has.
  bool eligible = false;
  Exclusion exclusion = Exclusion::none;  // Why not.
  BreakerState breaker = BreakerState::closed;
  std::uint32_t ramp_percent = 100;  // Of its weight, while it starts slowly.
  std::uint32_t in_flight = 0;
  std::uint32_t idle_connections = 0;
  std::uint64_t picked = 0;    // Attempts sent its way.
  std::uint64_t failures = 0;  // Of these, how many failed.
  ErrorTrend errors;
  OutcomeCounts outcomes;  // Of the requests that ended with it.
};

// In-flight count of one backend, as one worker tells its siblings.
struct BackendLoad {
  BackendId backend;
  std::uint32_t in_flight = 0;
  bool operator==(const BackendLoad&) const = default;
};

// Why a request with these properties would go where it would go now.
struct Explanation {
  struct Candidate {
    BackendId backend;
    Exclusion exclusion = Exclusion::none;
    std::uint32_t priority = 0;
    std::uint32_t weight = 1;
    std::uint32_t effective_weight = 0;  // Next to the others'; 0 when it is not in the choice.
    std::uint32_t in_flight = 0;         // By all workers that told us.
    std::optional<double> score;         // What the strategy compares; less is better.
  };
  Start::Kind kind = Start::Kind::refused;
  std::optional<BackendId> picked;  // When assigned.
  PickReason reason = PickReason::only_one;
  bool panicking = false;
  std::vector<Candidate> candidates;  // All there are, sorted by id.
  std::vector<std::uint64_t> draws;   // The random numbers that went into it, as drawn.
};

class Journal;  // Hears every call and its answer: see input.h.

class Balancer {
 public:
  // `seed` starts the generator behind every draw. Cost of this and of handle_config:
  // O(n log n) for n backends, and what the strategy's header says of a rebuild.
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
  // lists the status and the facts and the budget allow it.
  [[nodiscard]] NextStep handle_answer(Instant now, RequestId request, int status,
                                       const AttemptFacts& facts);
  // The attempt brought no answer, or the answer broke off. `retry` or `give_up`.
  [[nodiscard]] NextStep handle_attempt_failed(Instant now, RequestId request,
                                               AttemptFailure failure, const AttemptFacts& facts);
  // The answer to Action::attempt_due: the next attempt, never on a backend already tried while
  // another is eligible; or another wait; or the end.
  [[nodiscard]] Start handle_attempt_due(Instant now, RequestId request);
  // The request is over. A `reusable` connection goes back to the pool; otherwise the world has
  // closed it or is about to.
  void handle_finished(Instant now, RequestId request, Outcome outcome, bool reusable);

  // -- Facts from outside.
  // An idle one was closed by its backend. Ignored when it is not idle any more.
  void handle_connection_closed(Instant now, ConnectionId connection);
  // The answer to Action::open_connection: it is open and idle, or came to nothing.
  void handle_spare_connection(Instant now, ConnectionId connection, bool open);
  // The answer to Action::ask_load. One that never comes is no harm.
  void handle_load_report(Instant now, BackendId backend, const LoadReport& report);
  // `silent`: it is unhealthy because nothing it was asked came back in time. Repeatable requests
  // that wait for it then go elsewhere, if there is somebody and the budget of retries allows it.
  void handle_health(Instant now, BackendId backend, HealthState state, bool silent = false);
  void handle_ejection(Instant now, BackendId backend, bool ejected);
  // A new configuration. Backends that stay (same id) keep counts and connections, and have the
  // health the plan says; those that left take nothing new and have `timeouts.drain` to finish.
  void handle_config(Instant now, const ClusterPlan& plan);
  // What sibling worker number `sibling` has in flight: the whole of it, sorted by backend. An
  // empty report takes its earlier one back.
  void handle_sibling_load(Instant now, std::uint32_t sibling, std::vector<BackendLoad> loads);

  // -- Time.
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return deadlines_.earliest(); }
  [[nodiscard]] Instant timeout_or_never() const { return deadlines_.earliest_or_never(); }
  void handle_timeout(Instant now);
  // Call after every handle_* until it returns nothing.
  [[nodiscard]] std::optional<Action> poll_action() {
    return actions_.empty() ? std::nullopt : next_action();
  }

  // Null for nobody, as it is at first. The journal outlives the Balancer or is taken off before.
  void tell(Journal* journal) { journal_ = journal; }

  // -- What others are told.
  [[nodiscard]] std::vector<BackendLoad> own_load() const;  // Those above zero, sorted by id.
  // What happened since the last call, sorted by id; nothing without outlier_ejection.
  [[nodiscard]] std::vector<Tally> take_tallies(Instant now);

  // -- Views.
  [[nodiscard]] const BalancerCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t in_progress() const;
  // Attempts under way, those of siblings included.
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t queue_length() const { return queue_.size(); }
  [[nodiscard]] bool panicking() const { return eligible_.panicking(); }
  [[nodiscard]] std::vector<BackendStatus> backends() const;  // Sorted by id.
  [[nodiscard]] std::vector<ConnectionId> idle_connections() { return pool_.idle_connections(); }
  // Its list of backends is empty: see backends().
  [[nodiscard]] const ClusterConfig& config() const { return config_; }
  // Changes nothing. O(n) and more: for people, not for traffic.
  [[nodiscard]] Explanation explain(Instant now, const RequestInput& input) const;

 private:
  struct Backend;
  struct Request;
  // Writes a call and its answer down, when somebody wants to know.
  template <class Input, class Answer = std::monostate>
  void told(Instant now, const Input& input, const Answer& answer = {}) const;

  [[nodiscard]] std::optional<Action> next_action();

  // Is there a place for one more request?
  enum class Room : std::uint8_t { now, later, never };

  // -- Requests (balancer.cc)
  [[nodiscard]] Room room() const;
  [[nodiscard]] Start place(Instant now, RequestId id, Request& request);
  [[nodiscard]] Start wait_in_queue(Instant now, RequestId id, Request& request);
  [[nodiscard]] Start refuse(RequestId id, Request& request, Outcome outcome);
  [[nodiscard]] Start assign(Instant now, RequestId id, Request& request,
                             const EligibleSet::Choice& choice);
  [[nodiscard]] EligibleSet::Choice choose(Instant now, const Request& request);
  [[nodiscard]] EligibleSet::Choice choose_another(Instant now, const Request& request);
  [[nodiscard]] BackendSlot last_resort_for(const Request& request) const;
  // Of no backend, where there is none or none that can take it.
  [[nodiscard]] BackendSlot session_of(const Request& request) const;
  // In the queue, or called and not come yet.
  [[nodiscard]] bool somebody_waits() const { return called_ || !queue_.empty(); }
  void call_next(Instant now);
  [[nodiscard]] bool broke(Instant now, Request& request);
  [[nodiscard]] bool may_retry(const Request& request, const AttemptFacts& facts, bool free);
  void retry(Instant now, RequestId id, Request& request, bool free);
  void record(Instant now, Backend& backend, bool failed, bool gateway);
  void record_success(Instant now, Request& request);
  void sample(Instant now, const Request& request, bool failed);
  void note_good_answer(Instant now, Request& request);
  void attempt_ended(Instant now, Request& request, CircuitBreaker::Result result);
  void leave_backend(Instant now, Request& request);
  void end_request(Instant now, RequestId id, Request& request, Outcome outcome);
  void set_deadline(Request& request, RequestId id, DeadlineKind kind, Instant at);
  void expire(Instant now, const DeadlineTable::Expired& expired);
  void expire_request(RequestId id, DeadlineKind kind);
  void abort_attempt(RequestId id, AttemptFailure failure);

  // -- Backends (balancer_membership.cc)
  [[nodiscard]] Backend* find_backend(BackendId id);
  [[nodiscard]] const Backend* find_backend(BackendId id) const;
  [[nodiscard]] BackendSlot slot_of(const Backend& backend) const;
  [[nodiscard]] Exclusion standing(const Backend& backend) const;
  [[nodiscard]] bool keeps_connections(const Backend& backend) const;
  [[nodiscard]] bool below_limit(const Backend& backend) const;
  [[nodiscard]] bool breaker_admits(const Backend& backend) const;
  [[nodiscard]] bool is_open(const Backend& backend) const;
  [[nodiscard]] Exclusion excluded_by(const Backend& backend) const;
  void change_load(Instant now, BackendSlot slot, int change, bool own);
  void update_open(const Backend& backend);
  void spare_the_ejected();
  void rebuild_eligible(Instant now);
  void start_ramps(Instant now);
  void warm_up(Instant now, BackendSlot slot);
  void add_backend(BackendId id);
  void start_removal(Instant now, Backend& backend);
  void abort_in_flight(BackendSlot slot);
  void abandon(BackendSlot slot);
  void drop_if_finished(BackendSlot slot);
  [[nodiscard]] Tally& tally_of(Backend& backend);
  void forget_tally(Backend& backend);
  void forget_tallies();
  void close_idle_connections(BackendSlot slot, std::uint32_t keep = 0);

  ClusterConfig config_;
  Prng prng_;
  EligibleSet eligible_;

  std::vector<Backend> backends_;  // By slot; a free slot has no id.
  std::vector<BackendSlot> free_slots_;
  std::vector<BackendSlot> slots_by_id_;  // Of the live ones, sorted by BackendId.
  bool started_ = false;                  // The first configuration has been taken in.
  bool ejections_void_ = false;           // Nobody would be left.
  DeadlineId next_ramp_step_;

  DeadlineTable deadlines_;
  ConnectionPool pool_;
  Slab<Request, RequestId> requests_;
  AdmissionQueue queue_;
  RequestId called_;  // Out of the queue and told to come; nobody else is called until it has.
  std::uint64_t in_flight_ = 0;  // Of all backends, siblings' included.
  std::size_t retrying_ = 0;     // Requests that the budget of retries is charged with.
  RingQueue<Action> actions_;
  std::vector<std::vector<BackendLoad>> sibling_loads_;  // By sibling.
  std::vector<Tally> tallies_;                           // To be told, in no order.
  BalancerCounters counters_;
  Journal* journal_ = nullptr;
};

}  // namespace lb
