// The clerk of a fake backend: a number of places where requests are served at the same time, a
// queue of bounded length before them, and a clock that says when each is done.
//
// This is the simulator's BackendModel (lbsim/backend_model.h) with real delays. It draws from the
// same stream in the same order; what one does, the other has to do.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "harness/clock.h"
#include "lbcore/prng.h"
#include "lbsim/scenario/latency_estimate.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

class ServiceQueue {
 public:
  // What becomes of a request: a status of 500 or not, all of its body or not, and how long that
  // takes, for which it keeps its place.
  struct Verdict {
    bool good = true;
    bool whole = true;
    Duration drips{};
  };
  using Done = std::function<void(Verdict)>;

  ServiceQueue(boost::asio::io_context& io, scenario::Behaviour behaviour, std::uint64_t seed);

  // Takes a request, to call `done` when its service time is over (before enter() returns when
  // that time is zero). False when the queue is full: `done` is then never called. An answer
  // without a body neither drips nor breaks off.
  [[nodiscard]] bool enter(bool has_body, Done done);

  // Of requests that start to be served from now on.
  void slow_down(double factor) { slow_factor_ = factor; }
  // Of requests that end from now on.
  void fail_share(double ratio) { error_ratio_ = ratio; }
  void truncate_share(double ratio) { truncate_ratio_ = ratio; }
  void drip(Duration over) { drips_ = over; }

  // How it is: the requests it has, and what it expects of the next one, waiting included; zero
  // before the first has ended.
  struct Load {
    std::size_t in_flight = 0;
    Duration latency{};
  };
  [[nodiscard]] Load load() const;

 private:
  struct Job {
    Clock::time_point arrived;
    std::size_t found = 0;  // How many others were here then.
    bool has_body = true;
    Done done;  // Null once it has been called, while the answer drips.
  };
  struct Served {
    Clock::time_point end;
    std::uint64_t number;  // Ties end in order of their start.
    Job job;
  };
  struct EndsLater {
    bool operator()(const Served& a, const Served& b) const {
      return a.end != b.end ? a.end > b.end : a.number > b.number;
    }
  };

  [[nodiscard]] std::size_t in_flight() const { return served_.size() + waiting_.size(); }
  void begin(Job job, Clock::time_point start);
  [[nodiscard]] Duration draw_service_time();
  [[nodiscard]] Verdict draw_verdict(bool has_body);
  void leave(const Job& job, Clock::time_point end, Clock::time_point now);
  void finish_due();
  void arm();

  const scenario::Behaviour behaviour_;
  Prng prng_;
  double slow_factor_ = 1;
  double error_ratio_ = 0;
  double truncate_ratio_ = 0;
  Duration drips_{};
  std::uint64_t started_ = 0;
  std::deque<Job> waiting_;
  std::priority_queue<Served, std::vector<Served>, EndsLater> served_;
  boost::asio::steady_timer timer_;  // For the earliest end; one for all.
  scenario::LatencyEstimate latencies_;
};

}  // namespace lb::harness
