// Worker: one thread with its own io_context, listeners, brains and connections. Nothing in it is
// shared and nothing locked: other threads talk to it by post().
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/prng.h"
#include "lbcore/rate_limiter.h"
#include "lbcore/routing/route_table.h"
#include "lbcore/tally.h"
#include "lbnet/access_log.h"
#include "lbnet/admission.h"
#include "lbnet/buffer.h"
#include "lbnet/cluster_runtime.h"
#include "lbnet/http/head.h"
#include "lbnet/listener.h"
#include "lbnet/metrics.h"
#include "lbnet/request_texts.h"
#include "lbnet/session.h"
#include "lbnet/splice.h"

namespace lb::net {

// What a worker tells now and then while something is going on, and once more when it has ended.
struct WorkerReport {
  // -- For its siblings; empty without any
  std::vector<std::pair<ClusterId, std::vector<BackendLoad>>> loads;  // Of all its clusters.
  std::vector<RateLimiter::Spent> spent;
  // -- For the control side
  std::vector<std::pair<ClusterId, std::vector<Tally>>> tallies;  // Those there are.
};
// Called on the worker's thread.
using ShareLoad = std::function<void(std::uint32_t worker, WorkerReport report)>;

struct WorkerOptions {
  std::uint32_t index = 0;
  std::uint64_t seed = 0;
  AccessLog* access_log = nullptr;  // Outlives the worker.
  Admission* admission = nullptr;   // Likewise, and is shared by all; null: all may come.
  Duration load_exchange{};
  bool has_siblings = false;
  ShareLoad share_load;           // Empty for a worker that nobody listens to.
  std::function<void()> drained;  // Called on the worker's thread, once: see stop().
};

class Worker {
 public:
  explicit Worker(const WorkerOptions& options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // -- From any thread
  template <class Function>
  void post(Function&& function) {
    boost::asio::post(io_, std::forward<Function>(function));
  }
  // Serves until end(). The thread that calls it is the worker's thread.
  void run();

  // -- On the worker's thread: what the control side tells it
  void apply(const std::vector<ClusterSetup>& clusters);
  void apply_health(ClusterId cluster, BackendId backend, HealthState state, bool silent);
  void apply_ejection(ClusterId cluster, BackendId backend, bool ejected);
  void apply_sibling_load(std::uint32_t sibling, ClusterId cluster,
                          const std::vector<BackendLoad>& loads);
  // Of all its listeners together; one that has not changed keeps what it knows.
  void apply_rate_limit(const std::optional<RateLimitConfig>& limit);
  void apply_sibling_spent(const std::vector<RateLimiter::Spent>& spent);
  // Accepts on a listening socket, which the worker then owns.
  void open_listener(const ListenerSetup& setup, int fd);
  void update_listener(const ListenerSetup& setup);  // Same name, other settings.
  void close_listener(const std::string& name);
  // Accepts nothing more; sessions finish what they have. `at_once` cuts them. When the last has
  // ended, `drained` is called; until end() the worker can still be asked what it counted.
  void stop(bool at_once);
  void end();
  [[nodiscard]] WorkerSnapshot snapshot() const;
  // Where a request like this would go now, and why; nothing for an unknown cluster.
  [[nodiscard]] std::optional<Explanation> explain(ClusterId cluster, const RequestInput& input);

  // -- On the worker's thread: for its sessions
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] BufferPool& buffers() { return buffers_; }
  [[nodiscard]] RequestTextPool& request_texts() { return request_texts_; }
  [[nodiscard]] PipePool& pipes() { return pipes_; }
  [[nodiscard]] AccessLog& access_log() { return *options_.access_log; }
  [[nodiscard]] Admission& admission() { return options_.admission ? *options_.admission : all_; }
  [[nodiscard]] std::size_t& refusals_under_way() { return refusals_under_way_; }
  // Null when the cluster is unknown.
  [[nodiscard]] ClusterRuntime* cluster(ClusterId id);
  [[nodiscard]] ListenerCounters& counters(const std::string& listener) {
    return listener_counters_[listener];
  }
  [[nodiscard]] SessionId add_session(Session* session);
  void remove_session(SessionId id);
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool ending() const { return ending_; }  // Nothing may be begun any more.
  [[nodiscard]] DeadlineId set_deadline(DeadlineKind kind, Instant at, SessionId session);
  void cancel_deadline(DeadlineId& id) { deadlines_.cancel(id); }
  // The timer fires at `at` or before.
  void wake_by(Instant at);
  void note_load() {
    if (tells_ && !sharing_) start_sharing();
  }
  // Null when requests are not limited.
  [[nodiscard]] const RateLimitConfig* rate_limit() const {
    return limiter_ ? &limiter_->config() : nullptr;
  }
  // How long whoever has this key must wait; 0 for a request that may go on, and is counted.
  // REQUIRES: rate_limit() != nullptr.
  [[nodiscard]] Duration over_rate(HashKey key);
  // Room for heads while they are turned into what goes to the other side; nothing in it survives
  // a suspension.
  [[nodiscard]] http::RequestHead& request_head() { return request_head_; }
  [[nodiscard]] http::ResponseHead& response_head() { return response_head_; }
  // Likewise, for what a route makes of a path.
  [[nodiscard]] PathScratch& path_scratch() { return path_scratch_; }
  [[nodiscard]] std::string& target_scratch() { return target_scratch_; }
  // For the split of a route: 64 uniform bits.
  [[nodiscard]] std::uint64_t draw() { return draws_.next(); }
  // For the names of requests: other ones in each worker and at each start.
  [[nodiscard]] Prng& ids() { return ids_; }

 private:
  void wake();
  void start_sharing();
  void share();
  void tell_if_drained();

  WorkerOptions options_;
  Admission all_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  BufferPool buffers_;
  RequestTextPool request_texts_;
  PipePool pipes_;
  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_;
  boost::asio::steady_timer share_timer_;
  bool tells_ = false;  // There is somebody to tell, and something that they want to know.
  bool sharing_ = false;
  std::optional<RateLimiter> limiter_;
  DeadlineTable deadlines_;
  Slab<Session*, SessionId> sessions_;
  std::map<ClusterId, std::unique_ptr<ClusterRuntime>> clusters_;
  std::map<std::string, std::unique_ptr<Listener>> listeners_;
  std::map<std::string, ListenerCounters> listener_counters_;
  http::RequestHead request_head_;
  http::ResponseHead response_head_;
  PathScratch path_scratch_;
  std::string target_scratch_;
  Prng draws_;
  Prng ids_;
  std::size_t refusals_under_way_ = 0;
  bool stopping_ = false;
  bool drained_ = false;
  bool ending_ = false;
};

}  // namespace lb::net
