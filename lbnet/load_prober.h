// LoadProber: asks the backends of a cluster how loaded they are, when the brain wants to know.
//
// The question is GET of the path that the strategy names; the answer is a field of the head of any
// 2xx answer, whatever its body:
//
//   Backend-Load: in-flight=3, latency=1234
//
// It is a dictionary of RFC 8941: how many requests the backend works on, and how many microseconds
// it expects the next one to take. Both have to be there; what else is there is ignored.
//
// A backend has one connection for this, which is kept, and at most one question under way on it. A
// question costs one write and one read, and once warm it allocates nothing. It is sent after the
// request that gave rise to it: asking holds nobody up.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbcore/deadline_table.h"
#include "lbcore/load_question.h"
#include "lbnet/buffer.h"
#include "lbnet/endpoint.h"
#include "lbnet/http/head.h"
#include "lbnet/load_probe_counters.h"
#include "lbnet/task.h"

namespace lb::net {
namespace tls {
class ClientContext;
}

class LoadProber {
 public:
  // Called for each question that was answered with a load.
  using Told = std::function<void(BackendId backend, const LoadReport& report)>;

  // One thread's own, as all around it. Both outlive it.
  LoadProber(boost::asio::io_context& io, BufferPool& buffers, Told told);
  ~LoadProber();  // REQUIRES: at_rest().
  LoadProber(const LoadProber&) = delete;
  LoadProber& operator=(const LoadProber&) = delete;

  // What is asked from now on, if anything, and of whom: connections to others are closed.
  // `tls`: how; null for plain. `header`: what each connection begins with. When either differs,
  // all connections are new.
  void apply(const std::optional<LoadQuestion>& question, std::span<const BackendId> backends,
             std::shared_ptr<const tls::ClientContext> tls = {},
             SentProxyHeader header = SentProxyHeader::none);

  // Asks soon, unless the backend still owes an answer, or has lately been asked in vain: one that
  // cannot be reached or knows of no load is asked once in `max_age`, however many requests there
  // are. Only a kept connection that turns out to be dead is replaced at the next question.
  void ask(Instant now, BackendId backend, const Endpoint& endpoint, std::string_view host);

  // Questions end unanswered after `max_age`. See Balancer for how the two go together.
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return deadlines_.earliest(); }
  void handle_timeout(Instant now);

  // All questions end soon, unanswered.
  void abandon_all();
  // No question is under way, so that nothing would come back to this object.
  [[nodiscard]] bool at_rest() const { return under_way_ == 0; }

  [[nodiscard]] const LoadProbeCounters& counters() const { return counters_; }

 private:
  struct Talk;

  [[nodiscard]] Talk* find(BackendId backend);
  [[nodiscard]] Talk& talk_with(BackendId backend, const Endpoint& endpoint, std::string_view host);
  void forget(std::unique_ptr<Talk>& talk);
  void abandon(Talk& talk);
  void start_asked();

  [[nodiscard]] Task<void> probe(Talk& talk);
  [[nodiscard]] Task<bool> connect(Talk& talk);
  [[nodiscard]] Task<bool> question_and_answer(Talk& talk);
  [[nodiscard]] Task<std::size_t> read_head(Talk& talk);
  [[nodiscard]] Task<bool> skip_body(Talk& talk, http::Framing framing);
  void take_answer(Talk& talk);
  static void idle_stream_woke(void* talk);

  boost::asio::io_context& io_;
  BufferPool& buffers_;
  Told told_;
  std::optional<LoadQuestion> question_;
  std::shared_ptr<const tls::ClientContext> tls_;
  SentProxyHeader header_ = SentProxyHeader::none;
  std::vector<std::unique_ptr<Talk>> talks_;      // By backend.
  std::vector<std::unique_ptr<Talk>> forgotten_;  // Those that end before they can go.
  std::vector<Talk*> asked_;                      // To be sent when the loop comes round.
  DeadlineTable deadlines_;
  std::size_t under_way_ = 0;
  LoadProbeCounters counters_;
  http::ResponseHead head_;  // Room for the head of an answer; nothing in it is kept.
};

// What an answer says of its sender's load; nothing when it does not, or not in these words.
[[nodiscard]] std::optional<LoadReport> read_load(const http::ResponseHead& head);

}  // namespace lb::net
