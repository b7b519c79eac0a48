#include "harness/service_queue.h"

#include <algorithm>
#include <utility>

namespace lb::harness {
namespace {

// A place that becomes free is taken at the moment its service time was over, not at the slightly
// later moment when the timer fired; otherwise every wakeup would cost a saturated backend some
// capacity that the simulated one does not lose. Not more than this is made up for, though: a
// process that was stopped for seconds has not been serving meanwhile.
constexpr Duration kCatchUpMax = std::chrono::milliseconds{2};

}  // namespace

ServiceQueue::ServiceQueue(boost::asio::io_context& io, scenario::Behaviour behaviour,
                           std::uint64_t seed)
    : behaviour_(behaviour), prng_(seed), timer_(io) {}

bool ServiceQueue::enter(bool has_body, Done done) {
  if (served_.size() >= behaviour_.concurrency) {
    if (waiting_.size() >= behaviour_.queue) return false;
    waiting_.push_back({Clock::now(), in_flight(), has_body, std::move(done)});
    return true;
  }
  const std::uint64_t number = started_;
  const auto now = Clock::now();
  begin({now, in_flight(), has_body, std::move(done)}, now);
  if (served_.top().number == number) finish_due();
  return true;
}

void ServiceQueue::begin(Job job, Clock::time_point start) {
  served_.push({start + draw_service_time(), started_++, std::move(job)});
}

ServiceQueue::Load ServiceQueue::load() const {
  return {in_flight(), latencies_.of_next(in_flight())};
}

Duration ServiceQueue::draw_service_time() {
  const Duration drawn = scenario::sample(behaviour_.service_time, prng_);
  if (slow_factor_ == 1) return drawn;
  return Duration{static_cast<Duration::rep>(static_cast<double>(drawn.count()) * slow_factor_)};
}

ServiceQueue::Verdict ServiceQueue::draw_verdict(bool has_body) {
  Verdict verdict;
  verdict.good = !(error_ratio_ > 0 && prng_.unit() < error_ratio_);
  const bool truncated = truncate_ratio_ > 0 && prng_.unit() < truncate_ratio_;
  if (!has_body) return verdict;
  verdict.whole = !truncated;
  verdict.drips = truncated ? drips_ / 2 : drips_;
  return verdict;
}

void ServiceQueue::finish_due() {
  const auto now = Clock::now();
  while (!served_.empty() && served_.top().end <= now) {
    Served ended = served_.top();
    served_.pop();
    const Done done = std::exchange(ended.job.done, nullptr);
    if (!done) {
      leave(ended.job, ended.end, now);
      continue;
    }
    const Verdict verdict = draw_verdict(ended.job.has_body);
    if (verdict.drips > Duration::zero()) {
      ended.end = std::max(ended.end, now - kCatchUpMax) + verdict.drips;
      served_.push(std::move(ended));
    } else {
      leave(ended.job, ended.end, now);
    }
    done(verdict);
  }
  arm();
}

void ServiceQueue::leave(const Job& job, Clock::time_point end, Clock::time_point now) {
  latencies_.note(job.found, now - job.arrived);
  if (waiting_.empty()) return;
  begin(std::move(waiting_.front()), std::max(end, now - kCatchUpMax));
  waiting_.pop_front();
}

void ServiceQueue::arm() {
  if (served_.empty() || timer_.expiry() == served_.top().end) return;
  timer_.expires_at(served_.top().end);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) finish_due();
  });
}

}  // namespace lb::harness
