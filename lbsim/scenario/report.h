// Report: what clients saw of a run, and whether it is what the scenario expected. Both worlds
// feed the same Collector (collector.h), so their reports have the same figures under the same
// names.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/config/json.h"
#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/cut.h"
#include "lbsim/scenario/scenario.h"
#include "lbsim/scenario/series.h"
#include "lbsim/scenario/series_batches.h"
#include "lbsim/scenario/standing.h"
#include "lbsim/scenario/time_series.h"

namespace lb::scenario {

// A figure of a run, and how sure it is.
struct Estimate {
  double value = 0;
  Interval interval;
};

// What is inside of the simulated world, over a part of the run.
struct Levels {
  struct Queue {
    Estimate mean;
    std::uint32_t max = 0;
  };
  struct OfBackend {
    Estimate in_flight_mean;
    std::uint32_t in_flight_max = 0;
    Queue queue;  // At the backend.
    // Places in use, of all it has while it is there; nothing when it never is.
    std::optional<Estimate> utilisation;
    // The share of the brains of all daemons that do not send to it.
    Estimate out_mean;
  };
  Estimate in_flight_mean;
  Queue queue;  // In the daemon.
  std::optional<Estimate> utilisation;
  std::map<std::string, OfBackend> backends;
};

// What the balancer did in a part of the run.
struct Effort {
  Estimate retry_ratio;    // Retries per request.
  Estimate refused_ratio;  // Share of the requests that got no place.
  Estimate amplification;  // Attempts per request that a client wanted.
};

// What a part of the run says beyond its Series.
struct Summary {
  struct OfBackend {
    SeriesIntervals clients;
    Estimate share;  // Of the answers of all.
  };
  Duration from{};
  Duration to{};
  SeriesIntervals clients;
  Estimate throughput;      // Good answers per second.
  Estimate in_system_mean;  // Requests that clients waited for, on average.
  std::map<std::string, OfBackend> backends;
  std::map<std::string, Estimate> fairness;  // By cluster; of those that answered at all.
  std::optional<Effort> effort;
  std::optional<Levels> levels;
};

// The requests of one load, or of one window.
struct Slice {
  std::string name;
  Series total;
  std::map<std::string, Series> backends;  // Of a window.
  Summary summary;
};

struct ExpectationResult {
  Expectation expectation;
  double value = 0;  // Infinite for what never came; not a number when there is none.
  bool passed = false;
  bool measured = true;  // False when this world cannot tell; then it is neither passed nor missed.
  std::string remark;    // Why there is no value.
};

struct Report {
  std::string world;  // "simulated" or "measured"
  std::string scenario;
  std::string why;
  std::uint64_t seed = 0;
  Duration duration{};
  Duration warmup{};
  Series total;                            // After the warm-up.
  std::map<std::string, Series> backends;  // After the warm-up, by id.
  Summary summary;                         // Likewise.
  std::vector<Slice> loads;                // Likewise, in the order of the scenario.
  std::vector<Slice> windows;
  // Of the whole run, by id; nothing where nobody looked.
  struct Out {
    std::uint64_t exits = 0;  // After the warm-up.
    Duration length{};
    std::vector<StandingChange> changes;
  };
  std::optional<std::map<std::string, Out>> standing;
  BalancerTotals balancer;
  double amplification = 0;             // Attempts per request of a client, over the whole run.
  std::vector<BalancerTotals> daemons;  // Of a simulated fleet, the same for each.
  std::uint64_t client_retries = 0;     // What clients sent again, over the whole run.
  std::vector<ExpectationResult> expectations;
  std::optional<std::string> digest;         // Of a simulated run.
  std::optional<Duration> loopback_latency;  // Of a measured run: see docs/scenario-format.md.
  std::vector<std::string> warnings;
  std::optional<TimeSeries> series;  // When it was asked for.

  // Nothing that could be measured was missed.
  [[nodiscard]] bool passed() const;
};

// The report as text, at most 100 columns wide, and as JSON (docs/scenario-format.md names every
// figure).
[[nodiscard]] std::string to_text(const Report& report);
[[nodiscard]] config::Json to_json(const Report& report);

// A page that needs nothing else, with charts. REQUIRES: report.series.
[[nodiscard]] std::string to_html(const Report& report);

// By how much an expectation was missed: "over by 1.3 ms (2.2 %)", or why it has no value.
[[nodiscard]] std::string miss_text(const ExpectationResult& result);

// Two reports of the same scenario, in JSON, side by side.
[[nodiscard]] std::string comparison_text(const config::Json& simulated,
                                          const config::Json& measured);

}  // namespace lb::scenario
