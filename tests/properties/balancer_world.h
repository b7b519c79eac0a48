// A world for one Balancer, driven by commands that can be generated, shrunk and read, beside a
// naive model of what must be true. Every command is checked against the model; a law that does
// not hold ends the case by RC_FAIL, in words that begin with the name of the law.
//
// All that the Balancer is told and answers goes into a journal, and a case ends with its replay.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lbcore/journal/file.h"
#include "tests/properties/balancer_case.h"
#include "tests/properties/cluster_model.h"

namespace lb::testing {

class BalancerWorld {
 public:
  // `journal` gets the bytes as they come.
  BalancerWorld(const Setup& setup, std::string& journal);

  void apply(const Command& command);

  // Ends every request, then lets all deadlines pass, then takes all backends away: nothing may be
  // left of anything.
  void settle();

 private:
  enum class Phase {
    queued,
    called,  // Told to come for an attempt.
    connecting,
    sending,  // Of a TCP session: all of the time.
    waiting,
    answering,
    backing_off,
  };
  struct Request {
    Phase phase = Phase::called;
    bool pooled = true;
    bool aborted = false;      // Told to stop the attempt; the world has not said so yet.
    bool out_of_time = false;  // Its time passed while it waited.
    bool out_of_all = false;   // That of the whole request has passed.
    Outcome too_late = Outcome::timeout;  // What its end will be, when it is out of time.
    bool from_queue = false;              // It waits in the queue, or was called out of it.
    bool its_turn = false;                // It was called because there is a place.
    bool retrying = false;
    bool reused = false;    // The connection of its attempt had served before.
    bool met_dead = false;  // Such a one broke.
    bool repeatable = false;
    bool result_known = false;
    bool answered_well = false;  // A success at its end, if it does not break off.
    unsigned client = 0;
    unsigned priority = 0;
    unsigned attempts = 0;
    unsigned epoch = 0;  // Of the breaker when the attempt began.
    HashKey key = 0;
    std::optional<BackendId> session;
    bool session_moved = false;
    BackendId backend;
    ConnectionId connection;
    std::set<BackendId> tried;
    AttemptFailure abort{};           // What it was told to stop for.
    std::optional<Instant> deadline;  // Of its phase; of a backoff, the latest that it may be.
    std::optional<Instant> overall;
    Instant queued_since;
    Instant attempt_started;
    [[nodiscard]] bool has_attempt() const {
      return phase == Phase::connecting || phase == Phase::sending || phase == Phase::waiting ||
             phase == Phase::answering;
    }
  };
  struct Connection {
    enum class State { opening, busy, idle };
    BackendId backend;
    State state = State::opening;
    Instant opened;
    std::uint64_t requests = 0;
    std::uint64_t requests_max = 0;  // As it was allowed when it was handed back; 0 for any number.
    std::uint64_t handed_back = 0;   // A number that grows; the newest has the greatest.
    Instant expires;                 // While idle.
  };
  using Requests = std::map<RequestId, Request>;
  struct Expected {
    Start::Kind kind = Start::Kind::refused;
    Outcome outcome = Outcome::no_backend;
    bool sticky = false;
    bool unsure = false;  // The model cannot tell.
  };

  // -- What happens (balancer_world.cc)
  std::optional<RequestId> start_request(unsigned which, unsigned how);
  void serve(unsigned which, unsigned how);
  void connect(RequestId id);
  void progress(RequestId id);
  void send(RequestId id);
  void answer(RequestId id, int status, const AttemptFacts& facts);
  void fail_attempt(RequestId id, AttemptFailure failure, const AttemptFacts& facts);
  void finish(RequestId id, Outcome outcome, bool reusable);
  void come(RequestId id);
  bool spare_arrives(unsigned which, bool open);  // False when none is opening.
  void backend_closes(unsigned which);
  void change_health(unsigned which, unsigned how);
  void change_ejection(unsigned which, bool ejected);
  void report_siblings(unsigned which, unsigned how);
  void report_load(unsigned which, unsigned how);
  void add_member(unsigned weight_and_priority);
  void reload();
  void wait(unsigned how, bool late);
  void pass_time();

  // -- What the Balancer says (world_answers.cc)
  [[nodiscard]] Expected expect(const Request& request, bool arriving) const;
  void started(const Start& start, Request request, const Expected& expected);
  void assigned(const Start& start, Request& request);
  [[nodiscard]] std::set<BackendId> last_resorts(const Request& request) const;
  void take_connection(const Start& start, const Request& request);
  void record(const Request& request, bool failed, bool gateway);
  void record_success(Request& request);
  void note_good_answer(Request& request);
  void attempt_ended(Request& request, CircuitBreaker::Result result);
  bool breaks_for_free(Request& request);
  [[nodiscard]] NextStep::Kind expect_next(Request& request, bool worth, bool free,
                                           const AttemptFacts& facts);
  [[nodiscard]] std::deque<RequestId> expect_abandoned(BackendId backend) const;
  [[nodiscard]] bool within_budget(std::size_t retrying) const;
  [[nodiscard]] std::size_t retrying() const;
  void attempt_over(RequestId id, const NextStep& step);
  void check_explanation(const Explanation& explanation, const Start& start) const;
  void check_candidates(const Explanation& explanation) const;
  void after_brain();
  void note(const Action& action);
  void note_due(RequestId id);
  void aborted(const Action& action);
  void note_abort(const Action& action);
  void note_close(ConnectionId id);
  void carry_out_first();
  [[nodiscard]] std::optional<Instant> fires_at(const Action& action) const;
  void check_nothing_overdue();

  // -- Laws that hold at any time (world_laws.cc)
  void check_laws();
  void check_totals();
  void check_backends();
  void check_ramp(const BackendStatus& status, ClusterModel::Member& member);
  void check_queue();
  void check_deadlines();
  void check_tallies(const std::vector<Tally>& tallies);
  void check_replay() const;

  [[nodiscard]] std::optional<RequestId> choose(unsigned which,
                                                const std::set<Phase>& phases) const;
  [[nodiscard]] std::optional<BackendId> choose_member(unsigned which) const;
  [[nodiscard]] bool somebody_called() const;  // Whose turn it is, out of the queue.
  [[nodiscard]] ClusterPlan plan() const;

  StrategyConfig own_strategy_;
  std::vector<unsigned> knobs_;
  bool slow_ = false;
  ClusterModel model_;
  NaiveQueue queue_;
  Requests requests_;
  std::map<ConnectionId, Connection> connections_;
  std::map<unsigned, BackendId> cookies_;  // By client.
  std::deque<RequestId> pending_;          // Told to come or to stop.
  std::deque<RequestId> abandoned_;        // To be called back from a silent backend.
  bool carrying_out_ = false;
  std::optional<Instant> last_fired_;  // While the actions of a handle_timeout are taken.
  bool late_ = false;                  // Time has passed without a handle_timeout.
  bool place_in_time_ = false;  // A handle_timeout brought a place: of a breaker, or of a ramp.
  // Two reasons to call somebody came with one handle_timeout: that there is a place, and that it
  // is too late. Which was first makes a difference to newcomers until the one who was called
  // comes.
  std::set<RequestId> called_for_two_reasons_;
  bool founded_ = false;       // The first configuration has been taken in.
  bool ramp_changed_ = false;  // Slow start is another one than at the last look.

  Instant now_{std::chrono::hours{1}};
  std::uint32_t last_id_ = 0;
  std::uint64_t handed_back_ = 0;
  BalancerCounters counters_;  // What they should be.

  std::string& journal_;
  journal::Writer writer_;
  std::unique_ptr<Balancer> balancer_;
};

// Ends the case unless `holds`. The words begin with the law.
void law(bool holds, const std::string& words);

[[nodiscard]] std::string show(BackendId id);
[[nodiscard]] std::string show(RequestId id);
[[nodiscard]] std::string show(ConnectionId id);

}  // namespace lb::testing
