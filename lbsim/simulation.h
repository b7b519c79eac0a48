// Simulation: the world of one run. Private to simulate(); split over seven sources by the place
// where things happen: simulation.cc (the loop and the clients), simulation_daemon.cc (a request in
// a daemon, around the real brain), simulation_control.cc (the daemons themselves: configuration,
// health, what their workers tell each other), simulation_scaling.cc (autoscalers),
// simulation_backends.cc (backends, network and faults), simulation_parts.cc (answers that do not
// come whole) and simulation_measures.cc (what the report wants to know of all that).
//
// The way of a request:
//
//   client ──one_way──▶ daemon ──(connect)──one_way──▶ backend
//   client ◀──one_way── daemon ◀──────────one_way───── backend
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/journal/file.h"
#include "lbcore/routing/route_table.h"
#include "lbsim/backend_model.h"
#include "lbsim/client_requests.h"
#include "lbsim/daemon.h"
#include "lbsim/daemon_choice.h"
#include "lbsim/event_queue.h"
#include "lbsim/level.h"
#include "lbsim/paths.h"
#include "lbsim/scaling_rule.h"
#include "lbsim/scenario/arrivals.h"
#include "lbsim/scenario/collector.h"
#include "lbsim/simulator.h"

namespace lb::sim {

// One attempt of a daemon on one backend.
using AttemptId = SlotId<struct AttemptTag>;
// A request that its client will send again.
using RetryId = SlotId<struct RetryTag>;

class Simulation {
 public:
  Simulation(const scenario::Scenario& scenario, const Wishes& wishes);
  [[nodiscard]] scenario::Report run(const Progress& progress);

 private:
  static constexpr std::uint32_t kNobody = 0xffffffffU;

  // A load with what it needs to go on.
  struct Workload {
    std::uint32_t index = 0;
    const scenario::Load* load = nullptr;
    Prng prng{0};  // For think times.
    ClientRequests requests;
    std::unique_ptr<scenario::ArrivalProcess> arrivals;  // Of an open loop.
    scenario::Arrival next;                              // What comes next of it.
    ClusterId cluster;  // The number of the listener's, unless that has routes.
    std::shared_ptr<const RouteTable> routes;
    bool pooled = true;
    bool idempotent = true;
    bool bodiless = false;             // Answers to HEAD have no body.
    std::vector<HashKey> client_keys;  // Of the clients at the start.
    // A cookie: whose it is, what it says, and which life of which daemon signed it. Without a
    // secret in the configuration no other can read it.
    struct Session {
      std::uint32_t client = 0;
      std::uint32_t backend = kNobody;
      std::uint64_t signer = 0;
    };
    std::vector<Session> sessions;  // Of whoever has each place.
    // When each client loses its patience, in the order of sending; all of a load wait equally
    // long, so only the first of them needs an event. It may come too early, for one that has its
    // answer.
    struct Patience {
      Instant ends;
      SimRequestId request;
    };
    RingQueue<Patience> patience;
    bool patience_armed = false;

    [[nodiscard]] HashKey key_of_client(std::uint32_t client) const {
      return client < client_keys.size() ? client_keys[client]
                                         : hash_bytes(scenario::client_address(index, client));
    }
    // Null without one.
    [[nodiscard]] const Session* session_of(std::uint32_t client) const {
      const Session& session = sessions[place_of(client)];
      return session.client == client && session.backend != kNobody ? &session : nullptr;
    }
    [[nodiscard]] std::size_t place_of(std::uint32_t client) const {
      return client < sessions.size() ? client : client % sessions.size();
    }
    // A late answer to a client that has left is for nobody.
    void remember(const Session& cookie) {
      Session& session = sessions[place_of(cookie.client)];
      if (cookie.client >= session.client) session = cookie;
    }
  };

  struct SimRequest {
    std::uint32_t workload = 0;
    std::uint32_t client = 0;
    std::uint32_t target = 0;
    std::uint32_t daemon = 0;    // Which one it is sent to,
    std::uint32_t refused = 0;   // and by how many it was refused before.
    Instant sent;                // For the first time.
    std::uint32_t tries = 1;     // By its client, this one included.
    bool client_waits = true;    // The client has neither its answer nor its patience lost.
    bool daemon_has_it = false;  // The brain counts it as in progress.
    bool queued = false;         // It waits in the daemon for a backend with room.
    std::uint32_t brain = 0;     // Which data brain has it.
    RequestId brain_request;
    AttemptId attempt;                    // The one under way, if any.
    std::uint32_t answered_by = kNobody;  // Backend whose answer is on its way to the client.
  };

  struct Attempt {
    SimRequestId request;
    ConnectionId connection;
    std::uint32_t workload = 0;
    std::uint32_t daemon = 0;
    std::uint32_t backend = 0;
    std::uint32_t epoch = 0;   // The life of the backend its connection was opened in.
    Instant arrived;           // At the backend,
    std::uint32_t found = 0;   // and how many others were there.
    bool daemon_waits = true;  // The daemon has not given it up; the backend may work on anyway.
    bool reaches_backend = false;
    bool request_sent = false;
    bool reused = false;       // Its connection was open before.
    bool new_session = false;  // The answer names the backend in a cookie.

    // Of an answer that comes in parts. How it ends, as its backend has it in mind;
    enum class Ending : std::uint8_t { whole, closed, reset };
    Ending ending = Ending::whole;
    bool answer_begun = false;    // The daemon has its head.
    std::uint8_t parts_left = 0;  // To be sent,
    std::uint16_t status = 0;     // all with the status of the head,
    Duration gap{};               // and at these distances.
    Instant heard_by;             // None arrives before those that were sent earlier.
  };

  // What a daemon hears from a backend: a status, and whether more of the answer comes; or that the
  // connection broke.
  struct Words {
    int status = 0;  // 0: it broke.
    bool more = false;

    [[nodiscard]] std::uint64_t pack() const {
      return static_cast<std::uint64_t>(status) << 1U | (more ? 1U : 0U);
    }
    [[nodiscard]] static Words unpack(std::uint64_t packed) {
      return {static_cast<int>(packed >> 1U), (packed & 1U) != 0};
    }
  };

  // A backend that is asked how it is: who asks, and then what it says.
  struct Report {
    std::uint32_t brain = 0;
    std::uint32_t life = 0;     // Of its daemon.
    std::uint32_t backend = 0;  // Ours, and as its daemon calls it.
    BackendId id;
    LoadReport load;
  };

  // A probe under way.
  struct Probe {
    std::uint32_t daemon = 0;
    std::uint32_t life = 0;
    ProbeId id;
  };

  // -- The loop and the clients (simulation.cc)
  void dispatch(const Event& event);
  void arrive(std::uint32_t workload);
  void schedule_next_arrival(std::uint32_t workload);
  void begin_request(std::uint32_t workload, std::uint32_t client, std::uint32_t target);
  void send_request(SimRequestId id, SimRequest& request);
  [[nodiscard]] bool client_waits(SimRequestId id) const {
    return requests_.contains(id) && requests_.at(id).client_waits;
  }
  void retry_request(RetryId id);
  void client_timeouts(std::uint32_t workload);
  void client_hears(SimRequestId id, int status);
  void conclude(SimRequestId id, scenario::ClientResult result, std::uint32_t backend);
  void forget_if_over(SimRequestId id);
  void play(const scenario::Event& event);
  [[nodiscard]] scenario::Report report();

  // -- A request in a daemon (simulation_daemon.cc)
  void daemon_receives(SimRequestId id);
  void daemon_refuses(SimRequestId id);
  [[nodiscard]] std::uint32_t worker_of(const Workload& workload, std::uint32_t client) const;
  [[nodiscard]] std::optional<BackendId> session_of(const Daemon& daemon,
                                                    const SimRequest& request) const;
  void remember_session(const SimRequest& request, const Attempt& attempt);
  [[nodiscard]] bool over_rate(Daemon& daemon, std::uint32_t worker, const SimRequest& request);
  // Where a request goes, and how soon when it has to wait there.
  struct Destination {
    ClusterId cluster;  // Its number.
    std::uint32_t priority = 0;
  };
  // False when a route, or the want of one, answers the client. REQUIRES: its load has routes.
  [[nodiscard]] bool follow_routes(SimRequestId id, Destination& destination);
  [[nodiscard]] HashKey key_for(const KeyExpression& expression, const SimRequest& request);
  void start_attempt(SimRequestId id, const Start& start);
  void connect_done(AttemptId id);
  void send_to_backend(AttemptId id);
  void daemon_hears(AttemptId id, Words words);
  void client_left(SimRequestId id);
  void attempt_failed(AttemptId id, AttemptFailure failure);
  [[nodiscard]] AttemptFacts facts_of(const Attempt& attempt) const;
  void next_step(SimRequestId id, const NextStep& step, int status);
  void answer_client(SimRequestId id, int status);
  void refuse_client(SimRequestId id, Outcome outcome);
  void end_attempt(AttemptId id);
  void brain_wakes(std::uint32_t brain);
  // Something was decided: after_brain() follows when the event is over, once.
  void touch(std::uint32_t brain);
  void after_brain(std::uint32_t brain);
  void act(std::uint32_t brain, const Action& action);

  // -- The daemons themselves (simulation_control.cc)
  void make_daemons();
  void start_daemons();
  [[nodiscard]] Duration age_of(const Daemon& daemon) const;
  void live_until_now(Daemon& daemon, Instant since);
  void pass_all_probes(Daemon& daemon, Instant at);
  void apply_config(Daemon& daemon, const std::vector<ClusterConfig>& clusters, Instant since);
  // As the daemon has them: others may have noticed a change that it has not.
  [[nodiscard]] static std::vector<ClusterConfig> clusters_of(const Daemon& daemon);
  void change_config(Daemon& daemon, const std::vector<ClusterConfig>& clusters);
  void resolve_later(const scenario::SetBackends& set);
  void resolve(Daemon& daemon, ClusterId number);
  void apply_plans(Daemon& daemon, const std::vector<ClusterPlan>& plans);
  void apply_plan(std::uint32_t brain, const ClusterPlan& plan);
  void open(Daemon& daemon);
  void play(const scenario::DaemonFault& fault);
  void drain(Daemon& daemon, Duration grace);
  void end_drains();
  [[nodiscard]] bool has_finished(const Daemon& daemon) const;
  void crash(Daemon& daemon);
  void break_clients(Daemon& daemon);
  void keep_counters(Daemon& daemon) const;
  void restart(Daemon& daemon);
  void apply_rate_limit(Daemon& daemon);
  void apply_listeners();
  void number_clusters();
  void control_wakes(Daemon& daemon);
  void after_control(Daemon& daemon);
  void pass_on(const Daemon& daemon, const ControlAction& change);
  void probe_returns(std::uint32_t slot, ProbeResult result);
  void arm_load_exchange(Daemon& daemon, std::uint32_t worker);
  void exchange_load(Daemon& daemon, std::uint32_t worker);
  [[nodiscard]] bool exchange_spent(Daemon& daemon, std::uint32_t worker);
  [[nodiscard]] std::vector<std::uint32_t> brains_of(const Daemon& daemon) const;
  // All brains in one row: by cluster, by daemon, by worker.
  [[nodiscard]] std::uint32_t brain_of(std::uint32_t cluster, const Daemon& daemon,
                                       std::uint32_t worker) const {
    return (cluster * static_cast<std::uint32_t>(daemons_.size()) + daemon.number) * worker_count_ +
           worker;
  }

  // -- Autoscalers (simulation_scaling.cc)
  void start_scalers();
  void scaler_looks(std::uint32_t scaler);
  void scaler_starts(std::uint32_t scaler, std::uint32_t start);
  void scale(std::uint32_t scaler, std::uint32_t current, std::uint32_t wanted);

  // -- Backends, network and faults (simulation_backends.cc)
  [[nodiscard]] std::uint32_t backend_index(const std::string& id) const;
  void open_connection(AttemptId id);
  void backend_receives(AttemptId id);
  void admit(AttemptId id);
  void service_done(std::uint32_t backend, std::uint32_t epoch, AttemptId id);
  void serve(std::uint32_t backend, AttemptId id);
  void shared_due(std::uint32_t backend, std::uint32_t version);
  void arm_shared(std::uint32_t backend);
  void serve_waiting(std::uint32_t backend);
  void answer_daemon(AttemptId id, int status, Duration later = {});
  void strike(const scenario::Fault& fault);
  void break_connections(std::uint32_t backend);
  // True when the event cannot happen before a partition ends; it does then.
  [[nodiscard]] bool held(std::uint32_t backend, std::uint32_t daemon, const Event& event);
  void release(std::uint32_t backend);
  [[gnu::always_inline]] bool held(const Attempt& attempt, const Event& event) {
    if (paths_.sound(attempt.backend)) return false;
    const Event copy = event;  // So that an event nobody holds is never put together in memory.
    return held(attempt.backend, attempt.daemon, copy);
  }
  // Sends over the network between a daemon and a backend, where messages may be lost.
  [[gnu::always_inline]] void cross(const Attempt& attempt, Lane lane, const Event& event) {
    if (paths_.sound(attempt.backend)) return push(lane, event);
    const Event copy = event;
    cross_troubled(attempt, lane, copy);
  }
  void cross_troubled(const Attempt& attempt, Lane lane, const Event& event);
  void thaw(std::uint32_t backend);
  void start_probe(const Daemon& daemon, const ProbeId& probe);
  void spare_connected(const Event& event);
  void idle_broken(const Event& event);
  // Of a connection that nobody uses; void when the daemon starts again.
  [[nodiscard]] Event of_idle(EventKind kind, std::uint32_t brain, ConnectionId connection) const;
  // The connection of it, or nothing when its daemon has started again.
  [[nodiscard]] std::optional<ConnectionId> idle_of(const Event& event) const;
  void load_asked(std::uint32_t slot);
  void load_told(std::uint32_t slot);

  // -- Answers that do not come whole (simulation_parts.cc)
  void begin_answer(std::uint32_t backend, AttemptId id, int status);
  void go_on_dripping(std::uint32_t backend, AttemptId id);
  void arm_part(std::uint32_t backend, AttemptId id);
  void end_answer(std::uint32_t backend, AttemptId id);
  void send_part(AttemptId id, Words words);
  void daemon_hears_part(AttemptId id, Words words);
  void end_session(AttemptId id);

  // -- What the report wants to know (simulation_measures.cc)
  void look();
  void start_cuts();
  void cut(std::uint32_t number);
  void finish_measures();
  void observe_all();
  void observe(std::uint32_t brain);
  void observe_breakers(std::uint32_t brain);
  [[nodiscard]] std::vector<scenario::BalancerTotals> totals() const;  // By daemon.
  [[nodiscard]] scenario::BalancerTotals total() const;
  void weigh(std::uint32_t backend) {
    Weights& weights = weights_[backend];
    const std::uint32_t busy = backends_[backend].busy();
    weights.busy.set(since_start(), busy);
    weights.waiting.set(since_start(), backends_[backend].waiting());
    // One that has left has the places on which it finishes what it had.
    if (!weights.present) presence_[backend].places.set(since_start(), busy);
  }
  void note_presence();
  void leave_queue(SimRequest& request) {
    if (!request.queued) return;
    request.queued = false;
    queued_.fall(since_start());
  }

  // -- Helpers
  [[nodiscard]] Duration since_start() const { return now_.time_since_epoch(); }
  [[gnu::always_inline]] void push(Duration delay, Event event) {
    event.at = now_ + delay;
    events_.push(event);
  }
  [[gnu::always_inline]] void push(Lane lane, Event event) {
    event.at =
        now_ + (lane == Lane::one_way ? scenario_.network.one_way : scenario_.network.connect);
    events_.push(lane, event);
  }
  // What the digest remembers besides results, statuses, health and who was picked.
  enum class Mark : std::uint64_t {
    ejected = 3,
    readmitted = 4,
    daemon_refused = 6,
    daemon_gone = 7,
    daemon_back = 8,
    scaled = 9,
    daemon_drains = 10,
  };
  void note(Mark what, std::uint64_t who) { note(static_cast<std::uint64_t>(what), who); }
  void note(std::uint64_t what, std::uint64_t who) {
    const auto now = static_cast<std::uint64_t>(now_.time_since_epoch().count());
    digest_ = mix(digest_ ^ (now * 0x9e3779b97f4a7c15ULL + (what << 32U) + who));
  }

  const scenario::Scenario& scenario_;
  Instant now_{};
  EventQueue events_;
  std::uint64_t digest_ = 0;
  scenario::Collector collector_;
  std::uint64_t sent_ = 0;
  bool sending_ = true;

  std::unique_ptr<journal::Writer> journal_;  // When one is wanted.
  config::DaemonConfig config_;
  std::uint32_t worker_count_ = 1;
  std::vector<Daemon> daemons_;
  std::vector<std::uint32_t> draining_;  // By number.
  DaemonChoice daemon_choice_;
  std::map<std::string, ClusterId> cluster_numbers_;  // By name, of all there ever were.
  std::vector<Brain> brains_;                         // See brain_of().
  std::uint32_t touched_ = kNobody;                   // The brain that after_brain() is due for.
  PathScratch path_scratch_;
  Prng split_draws_;
  Prng resolver_draws_;

  struct Scaler {
    const scenario::Autoscaler* config = nullptr;
    ScalingRule rule;
    std::uint32_t looks = 0;
    std::vector<std::uint32_t> pending;  // Starts that are under way, by number.
    std::uint32_t last_start = 0;
    std::uint32_t last_backend = 0;  // Number of the one it started last.
  };
  std::vector<Scaler> scalers_;

  std::vector<BackendModel> backends_;
  Paths paths_;
  std::vector<std::size_t> places_;  // Of backends, in the collector.
  struct Weights {
    Level in_flight;
    Level busy;
    Level waiting;
    bool present = false;  // In the configuration.
  };
  std::vector<Weights> weights_;  // Of backends.
  // Of a backend, what changes seldom.
  struct Presence {
    Level places;              // That it has while it is there.
    Level in_use;              // Brains that have it in their choice,
    std::uint32_t brains = 0;  // of so many that may.
  };
  std::vector<Presence> presence_;
  Level in_system_;  // Requests that clients wait for.
  Level queued_;     // In all daemons.
  std::uint32_t next_cut_ = 0;
  bool observed_ = false;  // The run has begun, and changes are news.
  std::map<std::string, std::uint32_t> backend_indices_;
  std::map<std::uint32_t, std::vector<Event>> held_;  // Behind a partition, by backend.
  std::vector<Workload> workloads_;
  Slab<SimRequest, SimRequestId> requests_;
  Slab<SimRequest, RetryId> retrying_;  // What clients will send again.
  std::uint64_t client_retries_ = 0;
  Slab<Attempt, AttemptId> attempts_;
  std::vector<Probe> probes_;  // Under way, by slot.
  std::vector<std::uint32_t> free_probes_;
  std::vector<Report> reports_;  // Under way, by slot.
  std::vector<std::uint32_t> free_reports_;
};

}  // namespace lb::sim
