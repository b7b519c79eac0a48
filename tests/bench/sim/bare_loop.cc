// The floor that lbsim is measured against: the same model with nothing but a heap of events, a
// histogram and a hash of what happened. No brain, no connections, no deadlines, no report.
//
// bare_loop SERVERS REQUESTS: Poisson arrivals at 0.9 of what the servers can do, exponential
// service, one place each and a queue; a request goes to the shorter queue of two servers drawn.
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <vector>

#include "lbcore/exact_math.h"
#include "lbcore/hash.h"
#include "lbcore/prng.h"
#include "lbcore/ring_queue.h"
#include "lbsim/scenario/histogram.h"

namespace {

using Nanoseconds = std::int64_t;

constexpr double kServiceMean = 5e6;
constexpr std::uint32_t kArrival = 0xffffffffU;

struct Event {
  Nanoseconds at = 0;
  std::uint32_t server = kArrival;
  bool operator>(const Event& other) const { return at > other.at; }
};

class Loop {
 public:
  explicit Loop(std::uint32_t servers)
      : servers_(servers), gap_mean_(kServiceMean / (0.9 * servers)) {
    events_.push({exponential(gap_mean_), kArrival});
  }

  void serve(std::uint64_t requests) {
    while (latency_.count() < requests) {
      const Event event = events_.top();
      events_.pop();
      event.server == kArrival ? arrive(event.at) : finish(event);
      hash_ = lb::mix(hash_ ^ static_cast<std::uint64_t>(event.at) ^ event.server);
    }
  }

  [[nodiscard]] double mean_ms() const {
    return static_cast<double>(latency_.mean().count()) / 1e6;
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  Nanoseconds exponential(double mean) {
    return static_cast<Nanoseconds>(-lb::quick_ln(prng_.unit()) * mean);
  }

  void arrive(Nanoseconds now) {
    events_.push({now + exponential(gap_mean_), kArrival});
    const auto a = static_cast<std::uint32_t>(prng_.below(servers_.size()));
    auto b = static_cast<std::uint32_t>(prng_.below(servers_.size() - 1));
    if (b >= a) ++b;
    const std::uint32_t server = servers_[b].size() < servers_[a].size() ? b : a;
    servers_[server].push(now);
    if (servers_[server].size() == 1) events_.push({now + exponential(kServiceMean), server});
  }

  void finish(const Event& event) {
    lb::RingQueue<Nanoseconds>& queue = servers_[event.server];
    latency_.add(lb::Duration{event.at - *queue.pop()});
    if (!queue.empty()) events_.push({event.at + exponential(kServiceMean), event.server});
  }

  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<lb::RingQueue<Nanoseconds>> servers_;  // When those who are there came.
  double gap_mean_;
  lb::Prng prng_{1};
  lb::scenario::Histogram latency_;
  std::uint64_t hash_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: bare_loop SERVERS REQUESTS\n", stderr), 2;
  Loop loop(static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)));
  loop.serve(std::strtoull(argv[2], nullptr, 10));
  std::printf("mean_ms %.4f hash %016llx\n", loop.mean_ms(),
              static_cast<unsigned long long>(loop.hash()));
}
