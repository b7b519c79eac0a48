// Series: figures over some of the samples of a run.
#pragma once

#include <array>
#include <cstdint>

#include "lbsim/scenario/histogram.h"
#include "lbsim/scenario/sample.h"

namespace lb::scenario {

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
  // Of none they are 0.
  [[nodiscard]] double error_ratio() const;
  [[nodiscard]] double ratio(ClientResult result) const;
};

}  // namespace lb::scenario
