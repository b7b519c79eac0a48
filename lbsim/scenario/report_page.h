// Pages with charts: each is one file that needs nothing else.
#pragma once

#include <string>

#include "lbcore/config/json.h"
#include "lbsim/scenario/report.h"

namespace lb::scenario {

// What the charts of a run are drawn from: its report, and `tail`, its latencies over the share of
// answers that were slower. REQUIRES: report.series.
[[nodiscard]] config::Json page_data(const Report& report);

// One run, from its page_data(); or several side by side: see experiment/comparison_page.cc.
enum class PageKind { run, comparison };
[[nodiscard]] std::string make_page(PageKind kind, const std::string& title,
                                    const config::Json& data);

}  // namespace lb::scenario
