// DESCRIPTION  Draws `choice_count` different open backends, in proportion to weight, and picks the
//   one with the least
//     peak-sensitive average latency * (requests in flight + 1) / weight
//   A sample above the average replaces it at once, one below decays in: quick to leave a backend
//   that turns slow, slow to trust it again. It shrinks while a backend is idle; see
//   latency_record.h for the formula. Of those drawn, one without a sample is tried first, by one
//   request at a time. The average and the score are those of Finagle and Linkerd ("Peak EWMA"),
//   by weight; the choice is Mitzenmacher's (TPDS 2001).
// GUARANTEES   Ties go to the earlier draw, so an idle cluster is shared by weight. With no more
//   open backends than `choice_count`, every pick compares them all. A failure counts as
//   `failure_penalty` at least. What is assigned counts at once. O(choice_count).
// WEAKNESS     One slow answer marks a backend for a while, and requests that take long by nature
//   are no different from a slow backend: best where all requests are alike. A new backend is found
//   only when it is drawn.
#pragma once

#include <memory>

#include "lbcore/strategy/latency_record.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

struct PeakEwmaConfig {
  static constexpr std::string_view kName = "peak_ewma";
  static constexpr std::uint32_t kChoiceCountMax = 16;

  // Two gives nearly all there is to gain; more only costs draws and herds on stale counts.
  std::uint32_t choice_count = 2;
  LatencyAverageConfig average;

  bool operator==(const PeakEwmaConfig&) const = default;
  template <class Fields>
  void describe(Fields& fields) {
    fields.optional("choice_count", choice_count, {.min = 1, .max = kChoiceCountMax},
                    "how many different backends are drawn and compared");
    average.describe(fields);
  }
};

// score(): in milliseconds.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const PeakEwmaConfig& config);

}  // namespace lb
