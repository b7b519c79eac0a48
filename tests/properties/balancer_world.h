// A world for one Balancer, driven by commands that can be generated, shrunk and read, beside a
// naive model of what must be true. Every command is checked against the model; a law that does
// not hold ends the case by RC_FAIL.
#pragma once

#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lbcore/balancer.h"

namespace lb::testing {

// `which` chooses among what is there at that moment, so that any sequence makes sense and stays
// so when others are taken out of it.
struct Command {
  enum class Kind {
    request,         // `how`: its hash key, and every eighth is TCP
    connected,       // one that connects
    progress,        // one whose connection is open
    sent,            // one that sends
    answer,          // one that sends or waits; `how`: the status
    fail,            // one with an attempt under way; `how`: the failure and the facts
    finish,          // one that answers
    leave,           // the client of any one
    backend_closes,  // an idle connection
    health,          // of a backend; `how`: the state
    sibling,         // a report of sibling `which`; `how`: the loads
    join,            // a new backend; `how`: its weight
    remove,          // a backend
    order,           // an AdminState for a backend; `how`: which
    set_weight,      // of a backend; `how`: the weight
    set_max_idle,    // of the pool; `how`: the cap
    wait,            // `how`: how long; every other one until the next deadline
    kCount,
  };
  Kind kind = Kind::request;
  unsigned which = 0;
  unsigned how = 0;
};
void showValue(const Command& command, std::ostream& os);

struct Setup {
  StrategyConfig strategy;
  std::vector<std::uint32_t> weights;
  bool health_check = false;
  unsigned attempts = 3;
  unsigned max_idle = 2;
};
void showValue(const Setup& setup, std::ostream& os);

class BalancerWorld {
 public:
  explicit BalancerWorld(const Setup& setup);

  void apply(const Command& command);

  // Ends every request, then lets all deadlines pass: nothing may be left of either.
  void settle();

  // Every answer the Balancer gave, in order.
  [[nodiscard]] const std::string& answers() const { return answers_; }

 private:
  enum class Phase { connecting, sending, waiting, answering, backing_off };
  struct Member {
    bool configured = true;
    HealthState health = HealthState::unknown;
    BackendConfig config;
    std::uint32_t in_flight = 0;
  };
  struct Request {
    Phase phase = Phase::connecting;
    bool pooled = true;
    BackendId backend;
    ConnectionId connection;
    std::set<BackendId> tried;
  };
  struct Connection {
    BackendId backend;
    bool idle = false;
  };

  void start_request(unsigned how);
  void started(const Start& start, Request request);
  void fail_attempt(RequestId id, AttemptFailure failure, unsigned facts);
  void attempt_over(RequestId id, const NextStep& step);
  void finish(RequestId id, Outcome outcome, bool reusable);
  void add_member(std::uint32_t weight);
  [[nodiscard]] ClusterPlan plan() const;
  void reload();
  void wait(unsigned how);
  void carry_out_actions();
  void check_laws();

  [[nodiscard]] bool is_eligible(const Member& member) const;
  [[nodiscard]] std::set<BackendId> eligible() const;
  [[nodiscard]] std::optional<RequestId> choose(unsigned which,
                                                const std::set<Phase>& phases) const;
  [[nodiscard]] Member* choose_member(unsigned which);
  void note(const std::string& answer) { answers_ += answer + '\n'; }

  ClusterConfig config_;
  Instant now_{};
  std::map<BackendId, Member> members_;  // Configured, or finishing what they have.
  std::map<RequestId, Request> requests_;
  std::map<ConnectionId, Connection> connections_;
  std::uint32_t last_id_ = 0;
  std::string answers_;
  std::unique_ptr<Balancer> balancer_;
};

}  // namespace lb::testing
