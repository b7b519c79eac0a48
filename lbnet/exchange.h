// Exchange: one request's dealings with the brain and with backends, attempt by attempt. HTTP and
// TCP sessions share it; what is said over the connection is theirs.
#pragma once

#include <optional>

#include "lbnet/access_log.h"
#include "lbnet/cluster_runtime.h"
#include "lbnet/proxy_header.h"
#include "lbnet/task.h"

namespace lb::net {

class Exchange final : public RequestOwner {
 public:
  // `client` is the connection that the request came on. What is awaited on it is cancelled, like
  // what is awaited on the upstream, when the brain's time is up.
  Exchange(ClusterRuntime& cluster, Stream& client) : cluster_(cluster), client_(client) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Asks the brain who is to serve. False: nobody can, and the request is over. True: connect(),
  // or when it is queued() first next_attempt(). `at`: now, or just before.
  [[nodiscard]] bool start(const RequestInput& input, Instant at);
  [[nodiscard]] bool queued() const { return queued_; }

  // Makes sure the connection of this attempt is open: 0, or why it is not. An idle connection
  // costs nothing here, and is none to use when it was not silent.
  [[nodiscard]] Task<IoError> connect();

  // The connection of this attempt. REQUIRES: connect() gave 0.
  [[nodiscard]] Upstream& upstream() { return cluster_.upstream(assignment_.connection); }

  void sent();  // All of the request is out.
  void progress() { cluster_.brain().handle_progress(now_(), assignment_.request); }

  // The head of an answer came. True: pass it on; false: it is worth a retry, see next_attempt().
  [[nodiscard]] bool answered(int status, const AttemptFacts& facts);

  // The attempt failed with this I/O error, or because the brain's time was up, or as `otherwise`
  // says. True: the brain will try again, see next_attempt(); false: the request is over.
  [[nodiscard]] bool failed(AttemptFailure otherwise, const AttemptFacts& facts);

  // The same of one that connect() had this error for.
  [[nodiscard]] bool failed_to_connect(IoError error, const AttemptFacts& facts);

  // Waits for the brain to start the next attempt. False: there is none, and the request is over.
  [[nodiscard]] Task<bool> next_attempt();

  // The request is over. A reusable connection goes to the pool, any other is closed.
  void finish(Outcome outcome, bool reusable);

  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] Instant ended() const { return ended_; }
  // The brain's time was up: what is awaited on this exchange fails with ECANCELED.
  [[nodiscard]] bool aborted() const { return aborted_; }

  [[nodiscard]] const ClusterRuntime& cluster() const { return cluster_; }

  // Fills in what the log says of attempts, and the times measured here.
  void describe(AccessRecord& record) const;
  [[nodiscard]] const Assignment& assignment() const { return assignment_; }

  // -- RequestOwner
  void abort_attempt(AttemptFailure failure) override;
  void attempt_due() override { attempt_due_.raise(); }

 private:
  [[nodiscard]] static Instant now_();
  // True when the request goes on, by an attempt or in the queue.
  [[nodiscard]] bool take(const Start& start, Instant at);
  void begin(const Assignment& assignment, Instant at);
  void end(Outcome outcome, Instant at);
  void note_failure();
  [[nodiscard]] bool knows_client();

  ClusterRuntime& cluster_;
  Stream& client_;
  Assignment assignment_;
  bool connected_ = false;
  bool aborted_ = false;
  bool over_ = true;
  bool queued_ = false;
  AttemptFailure abort_reason_{};
  Outcome outcome_ = Outcome::no_backend;
  Signal attempt_due_;
  bool client_known_ = false;
  std::optional<ProxiedWay> client_way_;  // For PROXY headers to backends, once it is known.
  std::string connect_failure_;  // Why the last handshake with a backend failed, for the log.
  Instant started_, attempt_started_, sent_, ended_;
  Duration queue_time_{}, connect_time_{}, response_time_{};
};

}  // namespace lb::net
