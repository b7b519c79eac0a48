// Report: what clients saw of a run, and whether it is what the scenario expected. Both worlds
// feed the same Collector, so their reports have the same figures under the same names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/json.h"
#include "lbsim/scenario/histogram.h"
#include "lbsim/scenario/sample.h"
#include "lbsim/scenario/scenario.h"
#include "lbsim/scenario/time_series.h"

namespace lb::scenario {

// Figures over some of the samples.
struct Series {
  std::array<std::uint64_t, kClientResultCount> results{};
  Histogram latency;  // Of `ok` alone: a fast refusal must not look like a fast answer.

  void add(const Sample& sample);
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t count(ClientResult result) const {
    return results[static_cast<std::size_t>(result)];
  }
  // Those that ended in an answer, good or bad.
  [[nodiscard]] std::uint64_t answers() const {
    return count(ClientResult::ok) + count(ClientResult::server_error);
  }
  [[nodiscard]] double error_ratio() const;
};

// What the balancer itself counted over the whole run, warm-up included.
struct BalancerTotals {
  std::uint64_t requests = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_reused = 0;
  std::map<std::string, std::uint64_t> outcomes;  // By name.

  void add(const BalancerTotals& other);
};

struct ExpectationResult {
  Expectation expectation;
  double value = 0;
  bool passed = false;
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
  BalancerTotals balancer;
  std::vector<BalancerTotals> daemons;  // Of a simulated fleet, the same for each.
  std::uint64_t client_retries = 0;     // What clients sent again, over the whole run.
  std::vector<ExpectationResult> expectations;
  std::optional<std::string> digest;         // Of a simulated run.
  std::optional<Duration> loopback_latency;  // Of a measured run: see docs/scenario-format.md.
  std::vector<std::string> warnings;
  std::optional<TimeSeries> series;  // When it was asked for.

  [[nodiscard]] bool passed() const;
};

class Collector {
 public:
  // With `over_time` the report has a TimeSeries.
  explicit Collector(const Scenario& scenario, bool over_time = false);

  void add(const Sample& sample) { add(sample, place_of(sample.backend)); }
  // The same from one who has asked for the place of the backend before.
  void add(const Sample& sample, std::size_t place);
  // A number for each name; kNobody for none.
  [[nodiscard]] std::size_t place_of(std::string_view backend);
  static constexpr std::size_t kNobody = ~std::size_t{0};

  // For worlds that can look: how it stands, at every interval of the TimeSeries.
  [[nodiscard]] TimeSeriesCollector* over_time() { return series_ ? &*series_ : nullptr; }

  // Of all that were added, warm-up included.
  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] Report finish(std::string world, const BalancerTotals& balancer) const;

 private:
  struct Part {  // The samples one expectation is about.
    Duration from, to;
    Series total;
    std::vector<Series> backends;  // By place.
    void add(const Sample& sample, std::size_t place);
  };
  [[nodiscard]] double value_of(const Expectation& expectation, const Part& part,
                                const BalancerTotals& balancer) const;

  const Scenario& scenario_;
  std::uint64_t count_ = 0;
  std::vector<std::string> names_;  // Of backends, by place.
  std::map<std::string, std::size_t, std::less<>> places_;
  Part whole_;
  std::optional<TimeSeriesCollector> series_;
  std::vector<Part> parts_;  // One an expectation that names a window of its own, else empty.
};

// The report as text, at most 100 columns wide, and as JSON (docs/scenario-format.md names every
// figure).
[[nodiscard]] std::string to_text(const Report& report);
[[nodiscard]] config::Json to_json(const Report& report);

// A page that needs nothing else, with charts. REQUIRES: report.series.
[[nodiscard]] std::string to_html(const Report& report);

// Two reports of the same scenario, in JSON, side by side.
[[nodiscard]] std::string comparison_text(const config::Json& simulated,
                                          const config::Json& measured);

}  // namespace lb::scenario
