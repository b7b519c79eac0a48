// A page is data as JSON, and a script that draws it.
#include "lbsim/scenario/report_page.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lbcore/assert.h"
#include "lbcore/exact_math.h"
#include "lbsim/scenario/page/parts.h"

namespace lb::scenario {
namespace {

using config::Json;

// The share of requests that were slower, down to one in a hundred thousand, evenly on its
// logarithm: what a chart of a tail needs.
Json tail_of(const Histogram& latency) {
  constexpr int kPoints = 200;
  constexpr double kDecades = 5;
  Json points = Json::array();
  for (int n = 0; n <= kPoints && latency.count() > 0; ++n) {
    const double slower = exact_exp(-exact_ln(10) * kDecades * n / kPoints);
    if (slower * static_cast<double>(latency.count()) < 1) break;
    const Duration value = latency.quantile(1 - slower);
    points.push_back({std::chrono::duration<double, std::milli>(value).count(), slower});
  }
  return points;
}

// Nothing in the data may end the script it stands in.
std::string as_script(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

Json page_data(const Report& report) {
  LB_ASSERT(report.series.has_value());
  Json data = to_json(report);
  data["tail"] = tail_of(report.total.latency);
  return data;
}

std::string make_page(PageKind kind, const std::string& title, const Json& data) {
  const bool run = kind == PageKind::run;
  std::string out;
  std::string_view rest = page::kFrame;
  while (!rest.empty()) {
    const std::size_t begin = rest.find('@');
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const std::size_t end = rest.find('@', begin + 1);
    LB_ASSERT(end != std::string_view::npos);
    const std::string_view mark = rest.substr(begin + 1, end - begin - 1);
    if (mark == "TITLE") out += escaped(title);
    if (mark == "CSS") out += page::kCss;
    if (mark == "MAIN") out += run ? page::kReportMain : page::kCompareMain;
    if (mark == "DATA") out += as_script(data);
    if (mark == "SCRIPT") out += page::kCharts;
    if (mark == "SCRIPT") out += run ? page::kReportScript : page::kCompareScript;
    rest = rest.substr(end + 1);
  }
  return out;
}

std::string to_html(const Report& report) {
  return make_page(PageKind::run, report.scenario, page_data(report));
}

}  // namespace lb::scenario
