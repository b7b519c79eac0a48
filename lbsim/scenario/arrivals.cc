#include "lbsim/scenario/arrivals.h"

#include "lbcore/assert.h"
#include "lbcore/exact_math.h"

namespace lb::scenario {
namespace {

using Clock = ArrivalProcess::Clock;

Duration interval_of(double rate) { return Duration{static_cast<Duration::rep>(1e9 / rate + 0.5)}; }

class Never final : public Clock {
 public:
  std::optional<Duration> next(Prng&) override { return std::nullopt; }
};

// Gaps that know nothing of each other, all of one distribution: Poisson, constant and renewal.
class Gaps final : public Clock {
 public:
  explicit Gaps(Distribution gap, double scale = 1) : gap_(std::move(gap)), scale_(scale) {}

  std::optional<Duration> next(Prng& prng) override {
    const Duration gap = sample(gap_, prng);
    last_ +=
        scale_ == 1
            ? gap
            : Duration{static_cast<Duration::rep>(static_cast<double>(gap.count()) * scale_ + 0.5)};
    return last_;
  }

 private:
  Distribution gap_;
  double scale_;
  Duration last_{};
};

// A rate that changes: requests are due at whole numbers of its integral, or, at random, at sums
// of exponentials of mean 1.
class AlongARate final : public Clock {
 public:
  AlongARate(const Rate& rate, bool random) : walk_(rate), random_(random) {}

  std::optional<Duration> next(Prng& prng) override {
    return walk_.advance(random_ ? -exact_ln(prng.unit()) : 1);
  }

 private:
  RateWalk walk_;
  bool random_;
};

// A Poisson process whose rate follows a Markov chain. It begins as it would be found on any day:
// in a state by the share of the time that is spent there.
class MmppClock final : public Clock {
 public:
  explicit MmppClock(const Mmpp& mmpp) : states_(mmpp.states) {
    for (const MmppState& state : states_) {
      silent_ = silent_ && state.rate <= 0;
      all_stays_ += static_cast<double>(state.mean_stay.count());
    }
  }

  std::optional<Duration> next(Prng& prng) override {
    if (silent_) return std::nullopt;
    if (!begun_) begin(prng);
    for (double due = -exact_ln(prng.unit());;) {
      const double rate = states_[state_].rate * 1e-9;
      if (due < rate * stay_left_) {
        const double passed = due / rate;
        stay_left_ -= passed;
        at_ += passed;
        return since_start();
      }
      due -= rate * stay_left_;
      at_ += stay_left_;
      move_on(prng);
    }
  }

 private:
  void begin(Prng& prng) {
    begun_ = true;
    double share = prng.unit() * all_stays_;
    while (state_ + 1 < states_.size()) {
      share -= static_cast<double>(states_[state_].mean_stay.count());
      if (share < 0) break;
      ++state_;
    }
    stay(prng);
  }
  // To any of the others alike.
  void move_on(Prng& prng) {
    if (states_.size() > 1) {
      state_ = (state_ + 1 + prng.below(states_.size() - 1)) % states_.size();
    }
    stay(prng);
  }
  void stay(Prng& prng) {
    stay_left_ = static_cast<double>(states_[state_].mean_stay.count()) * -exact_ln(prng.unit());
  }
  // Whole nanoseconds are kept apart: a double alone would lose them in a long run.
  Duration since_start() {
    const auto whole = static_cast<Duration::rep>(at_);
    passed_ += Duration{whole};
    at_ -= static_cast<double>(whole);
    return passed_;
  }

  std::vector<MmppState> states_;
  bool silent_ = true;
  bool begun_ = false;
  double all_stays_ = 0;
  std::size_t state_ = 0;
  double stay_left_ = 0;  // Nanoseconds, like
  double at_ = 0;         // the time after passed_.
  Duration passed_{};
};

struct MakeClock {
  std::unique_ptr<Clock> operator()(const Poisson& poisson) const {
    if (!poisson.rate.level()) return std::make_unique<AlongARate>(poisson.rate, true);
    const double rate = poisson.rate.points.front().rate;
    if (rate <= 0) return std::make_unique<Never>();
    return std::make_unique<Gaps>(Exponential{interval_of(rate)});
  }
  std::unique_ptr<Clock> operator()(const ConstantRate& constant) const {
    if (!constant.rate.level()) return std::make_unique<AlongARate>(constant.rate, false);
    const double rate = constant.rate.points.front().rate;
    if (rate <= 0) return std::make_unique<Never>();
    return std::make_unique<Gaps>(Constant{interval_of(rate)});
  }
  std::unique_ptr<Clock> operator()(const Renewal& renewal) const {
    const double mean = mean_ns(renewal.gap);
    return std::make_unique<Gaps>(renewal.gap, renewal.rate ? 1e9 / (*renewal.rate * mean) : 1);
  }
  std::unique_ptr<Clock> operator()(const Mmpp& mmpp) const {
    return std::make_unique<MmppClock>(mmpp);
  }
  std::unique_ptr<Clock> operator()(const Replay&) const { return nullptr; }
  std::unique_ptr<Clock> operator()(const ClosedLoop&) const { return nullptr; }
};

}  // namespace

std::vector<std::string> targets_of(const Load& load) {
  const auto* replay = std::get_if<Replay>(&load.arrivals);
  if (replay == nullptr) return {load.request.path};
  std::vector<std::string> targets = replay->trace->targets;
  for (std::string& target : targets) {
    if (target.empty()) target = load.request.path;
  }
  return targets;
}

std::uint32_t client_count(const Load& load) {
  if (const auto* closed = std::get_if<ClosedLoop>(&load.arrivals)) return closed->clients;
  if (const auto* replay = std::get_if<Replay>(&load.arrivals)) return replay->trace->client_count;
  return load.clients.count;
}

ArrivalProcess::ArrivalProcess(const Load& load, std::uint64_t seed) : prng_(seed) {
  LB_ASSERT(!std::holds_alternative<ClosedLoop>(load.arrivals));
  clock_ = std::visit(MakeClock{}, load.arrivals);
  if (const auto* replay = std::get_if<Replay>(&load.arrivals)) {
    trace_ = replay->trace;
  } else {
    clients_.emplace(load.clients);
  }
}

std::optional<Arrival> ArrivalProcess::next() {
  if (trace_) {
    if (next_entry_ == trace_->entries.size()) return std::nullopt;
    const Trace::Entry& entry = trace_->entries[next_entry_++];
    return Arrival{entry.at, entry.client, entry.target};
  }
  const std::optional<Duration> at = clock_->next(prng_);
  if (!at) return std::nullopt;
  return Arrival{*at, clients_->draw(prng_)};
}

}  // namespace lb::scenario
