// LatencyRecord: what is known of one backend's latency, for every strategy that goes by it.
//
// The average is weighted by time. A sample s that comes dt after the one before it makes v into
//     v * w + s * (1 - w),   w = e^(-dt / decay_time)
// so an average means the last `decay_time` of time and not the last so many requests. The first
// sample is the average. For a peak-sensitive average a sample above v replaces it at once
// (Finagle: "Peak EWMA").
//
// While nothing is in flight the average shrinks to 1/e in every decay_time; otherwise one slow
// answer would keep a backend out for good, for nobody would ask again. While something is in
// flight it stands still. One that rested for five decay_times is as good as new when it is used
// again: the next to nothing that its average has become would attract everybody until it answers
// (Finagle has a penalty for that).
//
// A failure counts as `failure_penalty` at least: a backend that fails at once would be the fastest
// of all.
#pragma once

#include <cstdint>
#include <optional>

#include "lbcore/exact_math.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct LatencyAverageConfig {
  Duration decay_time = std::chrono::seconds{10};
  // More than nearly any answer takes: failing must never be the fastest way.
  Duration failure_penalty = std::chrono::seconds{1};

  bool operator==(const LatencyAverageConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("decay_time", decay_time, {.min = 1'000'000, .max = 3'600'000'000'000},
                    "what is this old counts for 1/e, and an idle backend's average shrinks so");
    fields.optional("failure_penalty", failure_penalty, {.min = 0, .max = 3'600'000'000'000},
                    "least latency a failure counts for, however fast it came");
  }
};

// A configuration and what is computed once from it.
struct LatencyRule {
  explicit LatencyRule(const LatencyAverageConfig& of) : config(of), decay(of.decay_time) {}
  LatencyAverageConfig config;
  Decay decay;
};

enum class Averaging : std::uint8_t { even, peak_sensitive };

class LatencyRecord {
 public:
  // How much is known. A backend without a sample is explored: it comes before all others until
  // one of our requests is there, and after all others until that one has ended.
  enum class Stage : std::uint8_t { untried, tried, known };

  // It has so many in flight now; `ours` says that the pick just made is why.
  void set_in_flight(std::uint32_t in_flight, bool ours, Instant now, const LatencyRule& rule);

  void sample(const LatencySample& sample, const LatencyRule& rule, Averaging averaging);

  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

  // Nanoseconds, 1 or more, as of the last sample.
  [[nodiscard]] double average() const { return average_; }
  // How long it has been idle since then, up to now.
  [[nodiscard]] Duration idle(Instant now) const;
  // As of the last time it fell idle, and since when it is idle. REQUIRES: in_flight() == 0.
  [[nodiscard]] Duration idle_before() const { return idle_before_; }
  [[nodiscard]] Instant idle_since() const { return idle_since_; }
  // The average, shrunk by the time it was idle.
  [[nodiscard]] double average_at(Instant now, const LatencyRule& rule) const;

  // When the first of our requests went there that came after the last sample. Empty while nothing
  // is in flight.
  [[nodiscard]] std::optional<Instant> asked() const { return asked_; }

 private:
  double average_ = 0;
  Instant sampled_at_;
  Duration idle_before_{};  // Since the last sample, without the time since idle_since_.
  Instant idle_since_;      // Of use while nothing is in flight.
  std::optional<Instant> asked_;
  std::uint32_t in_flight_ = 0;
  Stage stage_ = Stage::untried;
};

}  // namespace lb
