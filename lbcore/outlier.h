// OutlierDetector: takes backends out of a cluster for what their live traffic shows.
//
// DESCRIPTION  Workers report what became of their attempts (tally.h). Four rules look at it:
//     consecutive_failures, consecutive_gateway_failures   with every report
//     success_rate, failure_percent                        every `interval`, on what came in it
//   A backend that one of them finds is ejected for a time and comes back by itself. The rules and
//   their arithmetic are Envoy's (docs: "Outlier detection"):
//     threshold of the success rate   mean - stdev x factor, of the population; below it is out
//     length of an ejection           base_ejection_time x multiplier, at most max_ejection_time;
//                                     the multiplier grows by one with each ejection and falls by
//                                     one with each whole interval in service
//     how many at the same time       (ejected + 1) / backends <= max_ejected_percent
//
// IN A ROW     Reports of one worker join without loss (FailureRun), so for one worker "in a row"
//   is exact. Those of several are joined in the order they arrive: a success that any worker told
//   of breaks the row. How requests of different workers interleaved within one load_exchange
//   nobody knows; so a row may be seen up to that much longer or shorter than it was. A row that a
//   rule has found is over: the next one is counted from nothing, and so it is after an ejection.
//
// WHO          Only a backend in service (not disabled, not draining, well by its probes, not
//   ejected) is looked at and can be ejected; what it does otherwise is not held against it.
//   Whatever the share, one may be ejected (Envoy: always_eject_one_host), but never the last one
//   in service, and nobody when max_ejected_percent is 0. This is asked when a backend is ejected:
//   that the others leave later, by their probes or an operator, brings nobody back early; that is
//   what panic_threshold is for. When a rule finds several at once, the worst goes first.
//
// DIFFERENCES  from Envoy: an ejection ends at its very instant, not at the interval after it; a
//   multiplier stops growing where it would not lengthen the ejection any more; failure_percent is
//   exceeded above, not at, the configured value; no enforcing percentages, but detect_only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lbcore/cluster_config.h"
#include "lbcore/ids.h"
#include "lbcore/ring_queue.h"
#include "lbcore/tally.h"
#include "lbcore/time.h"

namespace lb {

enum class OutlierRule : std::uint8_t {
  consecutive_failures,
  consecutive_gateway_failures,
  success_rate,
  failure_percent,
};
inline constexpr std::size_t kOutlierRuleCount = 4;
[[nodiscard]] std::string_view to_string(OutlierRule rule);

// A backend was ejected, or came back.
struct EjectionChange {
  BackendId backend;
  bool ejected = false;
  OutlierRule rule{};   // That ejected it.
  Duration duration{};  // Of the ejection.
  Instant until;        // When it ends or, where something else ended it, would have.
  bool operator==(const EjectionChange&) const = default;
};

struct EjectionCounters {
  using ByRule = std::array<std::uint64_t, kOutlierRuleCount>;
  ByRule detected{};  // Times a rule found a backend; at most once a rule, backend and report.
  ByRule enforced{};  // Times it was ejected for it.
  std::uint64_t refused = 0;  // Times it was not, because too many were out. detect_only: 0.
  bool operator==(const EjectionCounters&) const = default;
};

class OutlierDetector {
 public:
  struct Member {
    BackendId id;
    bool in_service = true;  // Not out for another reason than an ejection; see exclusion.h.
  };

  OutlierDetector(Instant now, const OutlierEjectionConfig& config);

  // Ejections under way keep their end, multipliers and rows stay; the next interval is a new one
  // when its length changed.
  void handle_config(Instant now, const OutlierEjectionConfig& config);
  // All backends of the cluster. Those that stay keep what is known of them. O(n log n).
  void handle_members(std::span<const Member> members);
  void handle_in_service(BackendId backend, bool in_service);
  // What one worker saw since its last report. Backends that are no members are ignored. O(log n)
  // for each tally.
  void handle_tallies(Instant now, std::span<const Tally> tallies);

  // There is always an interval to end.
  [[nodiscard]] Instant poll_timeout() const;
  void handle_timeout(Instant now);
  // Call after every handle_* until it returns nothing.
  [[nodiscard]] std::optional<EjectionChange> poll_change() { return changes_.pop(); }

  // The ejection a backend is in; nothing when it is in none.
  [[nodiscard]] std::optional<EjectionChange> ejection(BackendId backend) const;
  [[nodiscard]] const EjectionCounters& counters() const { return counters_; }

 private:
  struct Monitor {  // One backend, as this class sees it.
    BackendId id;
    bool in_service = true;
    bool served_since_tick = false;  // In service, and not ejected, all the time.
    std::uint64_t successes = 0;     // In this interval.
    std::uint64_t failures = 0;
    std::uint32_t failures_in_row = 0;
    std::uint32_t gateway_failures_in_row = 0;
    std::int64_t multiplier = 0;
    std::optional<EjectionChange> ejection;

    [[nodiscard]] bool serves() const { return in_service && !ejection; }
  };

  [[nodiscard]] Monitor* find(BackendId backend);
  [[nodiscard]] const Monitor* find(BackendId backend) const;
  static void change_service(Monitor& monitor);
  void count_members();
  void judge_rows(Instant now, Monitor& monitor, const Tally& tally);
  void judge_rates(Instant now);
  void end_interval(Instant now);
  void detect(Instant now, Monitor& monitor, OutlierRule rule);
  [[nodiscard]] bool may_eject() const;
  void eject(Instant now, Monitor& monitor, OutlierRule rule);
  void uneject(Monitor& monitor);

  OutlierEjectionConfig config_;
  std::vector<Monitor> monitors_;  // Sorted by id.
  std::size_t ejected_count_ = 0;
  std::size_t serving_count_ = 0;
  Instant interval_end_;
  std::optional<Instant> uneject_next_;
  RingQueue<EjectionChange> changes_;
  EjectionCounters counters_;
};

// How far success rates spread, in millionths so that equal rates spread by exactly nothing. An
// example of Envoy's: of 50 %, 100 %, 100 %, 100 % and 100 % the mean is 90 % and the standard
// deviation 20 %, so with a factor of 1.9 the threshold is 52 %.
class RateSpread {
 public:
  explicit RateSpread(std::span<const std::uint32_t> rates);

  [[nodiscard]] double mean() const;
  [[nodiscard]] double stdev() const;  // Of the population: divided by n, not by n - 1.
  // `rate` is below mean - factor x stdev.
  [[nodiscard]] bool is_outlier(std::uint32_t rate, double factor) const;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  double scaled_stdev_ = 0;  // count_ times the standard deviation.
};

}  // namespace lb
