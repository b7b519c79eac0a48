// Forwarding: carries one request to backends, attempt by attempt as the brain decides, and the
// answer to the client.
//
// The straight way is run() ─▶ attempt() ─▶ deliver(). A request whose body is not at hand in full
// has a second coroutine, pump_body(), which carries the rest of it to the backend while attempt()
// waits for the answer.
#pragma once

#include <string>
#include <string_view>

#include "lbnet/exchange.h"
#include "lbnet/http/answer_reader.h"
#include "lbnet/http1_client.h"
#include "lbnet/task.h"

namespace lb::net {

class Forwarding {
 public:
  Forwarding(Worker& worker, Http1Client& client, ClusterRuntime& cluster);
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;

  // Writes the head that backends get; nothing of `head` is looked at later. False when it does
  // not fit. What `answer_changes` point to has to stay.
  [[nodiscard]] bool take_head(const http::RequestHead& head, std::string_view client_address,
                               const http::RequestChanges& changes,
                               const http::AnswerChanges& answer_changes);

  // Has the client answered, by a backend or with an error of ours. The status it was given; 0
  // when it left before. `at`: now, or just before. REQUIRES: the client has taken the request.
  [[nodiscard]] Task<int> run(const RequestInput& input, Instant at);
  // When run() was done.
  [[nodiscard]] Instant ended() const { return ended_; }

  // The daemon will not wait for it any longer.
  void abort();

  [[nodiscard]] const Exchange& exchange() const { return exchange_; }

 private:
  // How an attempt ended.
  enum class Attempted { delivered, retry, over };
  // What became of the request on its way from the client.
  enum class Incoming { good, client_gone, malformed, too_large, upstream_broke, stopped };
  // What became of the answer on its way to it.
  enum class Delivered { complete, client_gone, broke };

  Task<Attempted> attempt();
  Task<IoError> send_request();
  Task<bool> read_answer_head(AttemptFailure& failure);
  Task<Attempted> attempt_failed(AttemptFailure failure);
  Task<void> pump_body();
  Task<Incoming> pump_until_done();
  Task<void> stop_pump();
  Task<void> deliver();
  Task<Delivered> carry_answer();
  [[nodiscard]] bool take_trailers();
  void finish(Delivered delivered, bool request_unfinished, bool reusable);

  [[nodiscard]] std::string_view session_field() const;
  // The request will never be complete: no answer is worth waiting for.
  [[nodiscard]] bool hopeless() const {
    return incoming_ == Incoming::client_gone || incoming_ == Incoming::malformed ||
           incoming_ == Incoming::too_large;
  }
  void keep(std::string_view part);
  [[nodiscard]] AttemptFacts facts(bool request_sent, bool answer_begun) const {
    return {.request_sent = request_sent,
            .idempotent = idempotent_,
            .body_replayable = replayable_ && !pumping_,
            .answer_begun = answer_begun};
  }

  Worker& worker_;
  Http1Client& client_;
  Exchange exchange_;
  int status_ = 0;
  Instant ended_;
  bool aborting_ = false;

  // -- The request
  Buffer head_;  // As backends get it.
  bool idempotent_ = false;
  bool expects_continue_ = false;
  bool takes_trailers_ = false;
  std::string upgrade_;  // The protocol it asks to switch to; empty for none.
  bool tunnel_ = false;  // It has switched.
  http::AnswerChanges answer_changes_;
  bool pump_started_ = false;
  Buffer kept_;             // All of the body so far, once the pump has started, while it fits.
  bool replayable_ = true;  // It does: another attempt can begin with it.
  bool pumping_ = false;
  bool pump_must_stop_ = false;
  Incoming incoming_ = Incoming::good;
  Signal pump_ended_;

  // -- The attempt under way
  Upstream* upstream_ = nullptr;
  http::AnswerReader answer_{http::AnswerReader::Asked{}};
};

}  // namespace lb::net
