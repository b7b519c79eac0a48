// BackendModel: a server with `concurrency` places and a queue, and the faults it can suffer. It
// knows nothing of the network; the Simulation asks it what becomes of a job.
//
// harness/fake_backend.h is the same server as a process. What it cannot do is refused there.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/exact_math.h"
#include "lbcore/prng.h"
#include "lbcore/ring_queue.h"
#include "lbcore/strategy/strategy.h"
#include "lbsim/scenario/latency_estimate.h"
#include "lbsim/scenario/scenario.h"
#include "lbsim/shared_service.h"

namespace lb::sim {

using JobId = std::uint64_t;

class BackendModel {
 public:
  BackendModel(std::string id, const scenario::Behaviour& behaviour, std::uint64_t seed);

  // Which loads there are, so that each gets the service times of its class.
  void set_loads(const std::vector<scenario::Load>& loads);

  enum class Admission : std::uint8_t {
    served,      // It has a place: it will be done after draw_service_time().
    waiting,     // It waits for a place, or for the process to go on.
    overloaded,  // The queue is full: 503 at once.
    broken,      // The connection is reset.
    failing,     // 500 after fails_in().
  };
  [[nodiscard]] Admission admit(JobId job);

  // A job's service time is over: its status, or 0 when a hung process cannot answer yet. It leaves
  // its place, unless the backend spoils its answers: then it does with leave(). Call
  // next_waiting() after either.
  [[nodiscard]] int finish(JobId job);

  // Answers may break off or drip.
  [[nodiscard]] bool spoils_answers() const { return spoils_answers_; }
  // Whether the one that begins now breaks off, and how long its body takes.
  [[nodiscard]] bool draw_truncation() {
    return truncate_ratio_ > 0 && prng_.unit() < truncate_ratio_;
  }
  [[nodiscard]] bool truncates_by_reset() const { return truncates_by_reset_; }
  [[nodiscard]] Duration drips() const { return drips_; }
  void leave() { --busy_; }
  // True for a hung process: what this job was about to do it does once it is thawed.
  [[nodiscard]] bool hold(JobId job) {
    if (hung_) frozen_.finished.push_back(job);
    return hung_;
  }

  // A waiting job that may be served now, or none. Call until there is none.
  [[nodiscard]] std::optional<JobId> next_waiting() {
    if (hung_ || busy_ >= behaviour_.concurrency || waiting_.empty()) return std::nullopt;
    ++busy_;
    const JobId job = waiting_.front();
    waiting_.drop();
    return job;
  }

  // What there is to do for a job that is served from now on.
  struct Start {
    Duration now{};
    std::size_t load = 0;           // Whose job it is.
    bool fresh_connection = false;  // It is the first one over its connection.
  };
  [[nodiscard]] Duration draw_service_time(const Start& start);

  // How the work goes on: nothing where a job is simply done when its service time is over.
  struct Pace {
    Pace(const scenario::Behaviour& all, std::uint64_t seed)
        : behaviour(all), time(all.disturbances, seed), shared(behaviour, time) {}

    const scenario::Behaviour behaviour;
    DisturbedTime time;
    SharedService shared;       // Used when requests slow each other,
    std::uint32_t version = 0;  // and what it said before this is no longer so.
  };
  [[nodiscard]] Pace* pace() { return pace_.get(); }
  [[nodiscard]] bool shares() const { return shares_; }

  // What it says when it is asked how it is: the requests it has, and what it expects of the next
  // one, waiting included. It keeps no account of latencies before it is asked for the first time.
  [[nodiscard]] LoadReport load();
  [[nodiscard]] std::uint32_t in_flight() const {
    return busy_ + static_cast<std::uint32_t>(waiting_.size());
  }
  // A request that found so many others is done, after this time.
  void note_latency(std::uint32_t found, Duration latency) {
    if (latencies_) latencies_->note(found, latency);
  }

  void strike(const scenario::Fault& fault, Duration now = {});

  // After a recovery from a hang: jobs that came to their end or were held meanwhile, to go on with
  // that, and jobs that came in meanwhile, to be admitted again.
  struct Thawed {
    std::vector<JobId> finished;
    std::vector<JobId> arrived;
  };
  [[nodiscard]] Thawed thaw();

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool accepts_connections() const { return up_ && !refusing_; }
  [[nodiscard]] bool hung() const { return hung_; }
  [[nodiscard]] bool resets() const { return resetting_; }
  [[nodiscard]] bool passes_probes() const { return !resetting_ && !failing_probes_; }
  [[nodiscard]] Duration fails_in() const { return *black_hole_; }
  // How much later than usual its answers reach the daemon.
  [[nodiscard]] Duration answer_delay() const { return answer_delay_; }
  // Places in use, of how many, and who waits for one. Where requests share cores, those are the
  // places.
  [[nodiscard]] std::uint32_t busy() const { return std::min(busy_, places_); }
  [[nodiscard]] std::uint32_t places() const { return places_; }
  [[nodiscard]] std::uint32_t waiting() const {
    return static_cast<std::uint32_t>(waiting_.size() + frozen_.arrived.size());
  }
  // Which part of its places is busy, or of its cores where requests share them.
  [[nodiscard]] double utilisation() const;
  // A process that begins only now.
  void start(Duration now) { started_ = now; }
  // Grows with every crash: what was under way before is gone.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  void end_troubles();
  [[nodiscard]] double slowness(Duration now) const;

  // What every request touches comes first: a run goes from backend to backend, and there are few
  // lines in a processor's cache.
  bool up_ = true;
  bool hung_ = false;
  bool refusing_ = false;
  bool resetting_ = false;
  bool failing_probes_ = false;
  bool shares_ = false;
  bool spoils_answers_ = false;
  bool truncates_by_reset_ = false;
  bool changes_ = false;  // It starts cold or drifts: slowness() depends on the time.
  std::uint32_t epoch_ = 0;
  std::uint32_t busy_ = 0;
  std::uint32_t places_ = 1;
  std::optional<Duration> black_hole_;
  Duration answer_delay_{};
  double slow_factor_ = 1;
  double error_ratio_ = 0;
  double truncate_ratio_ = 0;
  Duration drips_{};
  Prng prng_;
  RingQueue<JobId> waiting_;
  std::unique_ptr<Pace> pace_;
  std::unique_ptr<scenario::LatencyEstimate> latencies_;  // Once somebody has asked for it.
  std::vector<scenario::Distribution> service_times_;     // By load; empty when all are alike.
  scenario::Behaviour behaviour_;

  std::string id_;
  std::optional<Decay> cold_start_;
  Duration started_{};
  Thawed frozen_;  // What happened to a hung process that it has not noticed.
};

}  // namespace lb::sim
