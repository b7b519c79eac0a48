// The keys of a window and of an expectation, and which of them go together. That the names in them
// exist is checked when the whole file is known (check_expectations.h).
#pragma once

#include <array>
#include <utility>

#include "lbcore/config/reader.h"
#include "lbsim/scenario/expectation.h"

namespace lb::config {

template <>
struct EnumWords<scenario::Metric> {
  static constexpr auto words = [] {
    std::array<std::pair<scenario::Metric, const char*>, scenario::kMetricCount> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = {scenario::kMetrics[i].metric, scenario::kMetrics[i].name};
    }
    return all;
  }();
};

}  // namespace lb::config

namespace lb::scenario {

void describe(config::ObjectReader& fields, Window& window);
void describe(config::ObjectReader& fields, Expectation& expectation);

}  // namespace lb::scenario
