// A comparison as a page: words for its table, and the data of one run of each variant.
#include <nlohmann/json.hpp>

#include "lbcore/assert.h"
#include "lbsim/experiment/comparison.h"
#include "lbsim/scenario/report_page.h"

namespace lb::experiment {
namespace {

using config::Json;

constexpr const char* kNotes =
    "* is the best mean of its row. Below a mean stands its difference from the first variant, "
    "seed "
    "by seed. It is not significant when its interval covers 0; with several of them in a row, "
    "intervals are widened by Holm's correction: the chance that any one of a row is significant "
    "by "
    "luck is at most 5 %.";
constexpr const char* kOneSeed = "One seed alone gives no interval and no verdict.";

// How a difference is to be seen: the class of its words.
std::string verdict(const Difference& difference, Better better) {
  if (!difference.significant || better == Better::neither) return "";
  return (difference.mean < 0) == (better == Better::lower) ? "better" : "worse";
}

Json figure_words(const std::optional<ComparedFigure>& figure, const std::string& metric) {
  if (!figure) return nullptr;
  Json json = {{"text", format_estimate(figure->estimate.mean, figure->estimate.half_width, false)},
               {"best", figure->best}};
  if (figure->difference) {
    const Difference& difference = *figure->difference;
    json["difference"] = format_estimate(difference.mean, difference.half_width, true);
    json["doubtful"] = difference.half_width.has_value() && !difference.significant;
    json["verdict"] = verdict(difference, better_direction(metric));
  }
  return json;
}

// What of a run is drawn here.
Json run_data(const RunResult& run) {
  LB_ASSERT(run.page_data != nullptr);
  const Json& all = *run.page_data;
  Json over_time = all["over_time"];
  over_time.erase("backends");
  Json backends = Json::object();
  for (const auto& [id, backend] : all["backends"].items()) {
    backends[id] = {{"requests", backend["requests"]}, {"share", backend["share"]}};
  }
  return {{"over_time", std::move(over_time)},
          {"tail", all["tail"]},
          {"backends", std::move(backends)}};
}

}  // namespace

std::string to_html(const Comparison& comparison, const std::vector<std::string>& metrics) {
  const std::size_t seeds = comparison.variants.front().runs.size();
  Json data = {{"scenario", comparison.scenario},
               {"why", comparison.why},
               {"first_seed", comparison.first_seed},
               {"seeds", seeds},
               {"notes", seeds < 2 ? kOneSeed : kNotes},
               {"metrics", metrics},
               {"variants", Json::array()}};
  for (const ComparedVariant& variant : comparison.variants) {
    data["variants"].push_back({{"label", variant.label},
                                {"figures", Json::array()},
                                {"expectations", format_expectations(variant)},
                                {"run", run_data(variant.runs.front())}});
  }
  for (const std::string& metric : metrics) {
    const auto figures = compare_metric(comparison, metric);
    for (std::size_t i = 0; i < figures.size(); ++i) {
      data["variants"][i]["figures"].push_back(figure_words(figures[i], metric));
    }
  }
  return scenario::make_page(scenario::PageKind::comparison, comparison.scenario, data);
}

}  // namespace lb::experiment
