#include "lbsim/disturbed_time.h"

#include <algorithm>

#include "lbcore/hash.h"

namespace lb::sim {
namespace {

double count_of(Duration duration) { return static_cast<double>(duration.count()); }
Duration rounded(double nanoseconds) {
  return Duration{static_cast<Duration::rep>(std::min(nanoseconds + 0.5, 4.0e18))};
}

}  // namespace

DisturbedTime::DisturbedTime(const std::vector<scenario::Disturbance>& disturbances,
                             std::uint64_t seed) {
  for (const scenario::Disturbance& disturbance : disturbances) {
    Source& source =
        sources_.emplace_back(Source{disturbance, Prng(combine(seed, sources_.size()))});
    source.changes = scenario::sample(disturbance.every, source.prng);
  }
}

Duration DisturbedTime::end_of(Duration from, double work) {
  if (sources_.empty()) return from + rounded(work);
  forget_before(from);
  for (std::size_t i = 0;; ++i) {
    while (i >= pieces_.size()) extend();
    const Piece& piece = pieces_[i];
    const double possible = count_of(piece.end - from) * piece.speed;
    if (work <= possible && piece.speed > 0) return from + rounded(work / piece.speed);
    work -= possible;
    from = piece.end;
  }
}

double DisturbedTime::done(Duration from, Duration to) {
  if (sources_.empty()) return count_of(to - from);
  forget_before(from);
  double work = 0;
  for (std::size_t i = 0; from < to; ++i) {
    while (i >= pieces_.size()) extend();
    const Duration end = std::min(pieces_[i].end, to);
    work += count_of(end - from) * pieces_[i].speed;
    from = end;
  }
  return work;
}

// One more piece: until the next change of any of them.
void DisturbedTime::extend() {
  const auto sooner = [](const Source& a, const Source& b) { return a.changes < b.changes; };
  Source& next = *std::min_element(sources_.begin(), sources_.end(), sooner);
  double speed = 1;
  for (const Source& source : sources_) {
    if (source.on) speed *= source.disturbance.factor ? 1 / *source.disturbance.factor : 0;
  }
  pieces_.push_back({next.changes, speed});
  next.on = !next.on;
  const auto& lasts = next.on ? next.disturbance.length : next.disturbance.every;
  next.changes += scenario::sample(lasts, next.prng);
}

void DisturbedTime::forget_before(Duration from) {
  while (!pieces_.empty() && pieces_.front().end <= from) pieces_.pop_front();
  while (pieces_.empty()) {
    extend();
    if (pieces_.front().end <= from) pieces_.pop_front();
  }
}

}  // namespace lb::sim
