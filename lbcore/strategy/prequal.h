// DESCRIPTION  Asks backends how they are, a few with every request, and picks among the last
//   answers. A backend with more requests in flight than `rif_quantile` of the recent answers told
//   of is hot, the others are cold. The cold one with the least latency is picked; when all are
//   hot, the one with the fewest in flight (Wydrowski, Kleinberg, Rumble, Archer: "Load is not what
//   you should balance: Introducing Prequal", NSDI 2024).
//   Answers: the pool holds kPoolSize. One leaves when it is older than `probe_max_age`, when a
//   newer one needs its place, and when it was used often enough, which is
//     max(1, 2 / ((1 - kPoolSize / n) * probe_rate - remove_rate))
//   times with n backends (the paper's b_reuse with delta = 1), and `reuse_max` at most. A pick
//   adds one to what its answer says is in flight. `remove_rate` answers leave with every request,
//   the worst and the oldest by turns: those picked from leave by themselves, and the worst would
//   stay. Rates may be fractions; the rounding carries over to the next request, without a draw.
//   Beyond the paper: the pool has one answer of a backend, the last one; a cluster that fits into
//   the pool has none removed; what we have in flight ourselves counts when it is more than the
//   answer says; and what comes under GUARANTEES.
// GUARANTEES   With fewer than kPoolMin answers, or none of a backend that is open, an open backend
//   is drawn, all alike. A backend that failed kFailuresInARow times in a row is hotter than hot
//   and not drawn either while there are others, until it has answered or `failing_time` has
//   passed: failing fast looks like an empty and quick backend from outside. Ties go to the fewer
//   in flight, then to the older answer. O(kPoolSize) whatever the number of backends.
// WEAKNESS     Backends have to know their latency and tell it, and asking costs: at `probe_rate` 3
//   there are three times as many probes as requests. After a silence of `probe_max_age` the first
//   picks are draws. Weights mean nothing here: what a backend can carry shows in its answers.
#pragma once

#include <memory>
#include <string>

#include "lbcore/strategy/strategy.h"

namespace lb {

struct PrequalConfig {
  static constexpr std::string_view kName = "prequal";
  static constexpr std::uint32_t kPoolSize = 16;      // Of the paper; more did not help.
  static constexpr std::uint32_t kPoolMin = 2;        // Of the paper.
  static constexpr std::uint32_t kProbeRateMax = 16;  // More than fits into the pool is in vain.
  static constexpr std::uint32_t kFailuresInARow = 3;

  std::string path = "/load";  // What backends are asked, by those who carry the question.
  double probe_rate = 3;
  double remove_rate = 1;
  Duration probe_max_age = std::chrono::seconds{1};
  std::uint32_t reuse_max = 16;
  double rif_quantile = 0.84;  // 2^-0.25 in the paper.
  Duration failing_time = std::chrono::seconds{10};

  bool operator==(const PrequalConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("path", path, "what backends are asked for their load, over HTTP");
    fields.optional("probe_rate", probe_rate, {.min = 0, .max = kProbeRateMax},
                    "backends asked for their load with each request; may be a fraction");
    fields.optional("remove_rate", remove_rate, {.min = 0, .max = kProbeRateMax},
                    "answers that leave the pool with each request; may be a fraction");
    fields.optional("probe_max_age", probe_max_age, {.min = 1},
                    "after which an answer is not believed");
    fields.optional("reuse_max", reuse_max, {.min = 1, .max = 1000},
                    "picks that one answer serves at most");
    fields.optional("rif_quantile", rif_quantile, {.min = 0, .max = 1},
                    "a backend is hot with more in flight than this share of answers told of");
    fields.optional("failing_time", failing_time, {.min = 0},
                    "for how long a backend that failed three times in a row comes last");
  }
};

// score(): of a cold backend its latency in milliseconds; of a hot one 10^9 and its requests in
// flight; of one that fails 2 * 10^9 and those. Nothing without an answer.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const PrequalConfig& config);

}  // namespace lb
