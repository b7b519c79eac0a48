#include "harness/schedule.h"

#include "lbcore/assert.h"

namespace lb::harness {
namespace {

Duration interval_of(double rate) { return Duration{static_cast<Duration::rep>(1e9 / rate + 0.5)}; }

}  // namespace

Schedule::Schedule(const scenario::Load& load, std::uint64_t seed)
    : clients_(load.clients), prng_(seed) {
  LB_ASSERT(!std::holds_alternative<scenario::ClosedLoop>(load.arrivals));
  LB_ASSERT(clients_ > 0);
  const auto* poisson = std::get_if<scenario::Poisson>(&load.arrivals);
  const double rate =
      poisson != nullptr ? poisson->rate : std::get<scenario::ConstantRate>(load.arrivals).rate;
  silent_ = rate <= 0;
  if (silent_) return;
  if (poisson != nullptr) {
    gap_ = scenario::Exponential{interval_of(rate)};
  } else {
    gap_ = scenario::Constant{interval_of(rate)};
  }
  last_ = draw_gap();
}

Arrival Schedule::next() {
  if (silent_) return {Duration::max(), 0};
  const Arrival arrival{last_, static_cast<std::uint32_t>(prng_.below(clients_))};
  last_ += draw_gap();
  return arrival;
}

Duration Schedule::draw_gap() { return scenario::sample(gap_, prng_); }

}  // namespace lb::harness
