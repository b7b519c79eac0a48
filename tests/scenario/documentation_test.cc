// Goal: docs/scenario-format.md has every metric of "expect", with the filters it takes, and every
// name of the JSON report, and none that is not there.
// Method: the page's tables are read. The first is held against the metrics; the others stand under
// a comment that says which objects of the report have these names, and are held against a report
// that has everything a report can have.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "lbsim/scenario/collector.h"

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

std::string page() {
  std::ifstream in(LB_SCENARIO_PAGE);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string row_of(const MetricTraits& metric) {
  const std::pair<unsigned, const char*> kFilters[] = {
      {kByBackend, "backend"}, {kByLoad, "load"}, {kByTime, "time"},      {kByCluster, "cluster"},
      {kByOutcome, "outcome"}, {kAfter, "after"}, {kRecovers, "recovery"}};
  std::string takes;
  for (const auto& [filter, word] : kFilters) {
    if ((metric.takes & filter) == 0) continue;
    if (!takes.empty()) takes += ", ";
    takes += (metric.needs & filter) != 0 ? std::string{"**"}.append(word).append("**") : word;
  }
  std::string row = "| `";
  row.append(metric.name).append("` | ");
  row.append(metric.unit == Unit::duration ? "duration" : "number").append(" | ");
  row.append(takes.empty() ? "nothing" : takes).append(" | ");
  row.append(metric.origin == Origin::simulated ? "lbsim" : "both").append(" | ");
  return row;
}

TEST(ScenarioPage, HasEveryMetricWithWhatItTakes) {
  const std::string text = page();
  for (const MetricTraits& metric : kMetrics) {
    EXPECT_NE(text.find(row_of(metric)), std::string::npos) << row_of(metric);
  }
}

// The names in code quotes in the first column of the table at `begin`.
std::vector<std::string> names_of(const std::string& text, std::size_t begin) {
  std::istringstream lines(text.substr(begin));
  std::vector<std::string> names;
  std::string line;
  while (std::getline(lines, line) && !line.starts_with('|')) {
  }
  for (; line.starts_with('|'); std::getline(lines, line)) {
    const std::string cell = line.substr(0, line.find('|', 1));
    for (std::size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
      const std::size_t end = cell.find('`', at + 1);
      names.push_back(cell.substr(at + 1, end - at - 1));
      at = end + 1;
    }
  }
  return names;
}

std::set<std::string> documented() {
  const std::string text = page();
  constexpr std::string_view kMark = "<!-- names of: ";
  std::set<std::string> all;
  for (std::size_t at = 0; (at = text.find(kMark, at)) != std::string::npos;) {
    const std::size_t begin = at + kMark.size();
    const std::size_t end = text.find(" -->", begin);
    std::istringstream objects(text.substr(begin, end - begin));
    std::string object;
    while (objects >> object) {
      for (const std::string& name : names_of(text, end)) {
        all.insert(object == "report" ? name : std::string{object}.append(".").append(name));
      }
    }
    at = end;
  }
  return all;
}

// Every path to a value; what the scenario has names for is ID or NAME, lists of objects are [N].
void collect(const config::Json& json, const std::string& path, std::set<std::string>& names) {
  static const std::set<std::string> kNamed{"backends", "loads",    "windows",
                                            "clusters", "outcomes", "outcome_ratios"};
  const std::string last = path.substr(path.rfind('.') + 1);
  if (path == "over_time") return;  // It has a table of its own.
  if (json.is_object() && !json.empty()) {
    for (const auto& [key, value] : json.items()) {
      const std::string name = last == "backends" ? "ID" : kNamed.contains(last) ? "NAME" : key;
      collect(value, path.empty() ? name : std::string{path}.append(".").append(name), names);
    }
  } else if (json.is_array() && !json.empty() && json[0].is_object()) {
    for (const config::Json& item : json) collect(item, path + "[N]", names);
  } else {
    names.insert(path);
  }
}

std::set<std::string> written() {
  Scenario scenario;
  scenario.name = "everything";
  scenario.load.resize(2);
  scenario.windows = {{.name = "during", .from = 1s}};
  ClusterConfig& cluster = scenario.config.clusters.emplace_back();
  cluster.name = "web";
  cluster.backends = {{.id = "b1", .address = "h:80"}};
  Expectation full{.metric = Metric::recovery_time,
                   .backend = "b1",
                   .load = "load",
                   .cluster = "web",
                   .outcome = "success",
                   .min = 1,
                   .max = 2,
                   .from = 1s,
                   .to = 3s,
                   .window = "during",
                   .after = 1s};
  scenario.expect = {full, {.metric = Metric::utilisation}};
  Collector collector(scenario);
  collector.add({.sent = 2s, .latency = 1ms, .backend = "b1"});
  static_cast<void>(collector.follow_standing());
  Cut cut;
  cut.levels = true;
  cut.backends.resize(1);
  for (std::size_t i = 0; i < collector.cut_times().size(); ++i) collector.cut(i, cut);
  BalancerTotals balancer;
  balancer.outcomes["success"] = 1;
  Report report = collector.finish("simulated", balancer);
  report.daemons.push_back(report.balancer);
  report.expectations[1].measured = false;
  std::set<std::string> names;
  collect(to_json(report), "", names);
  return names;
}

TEST(ScenarioPage, HasEveryNameOfTheReport) {
  const std::set<std::string> in_page = documented();
  const std::set<std::string> in_report = written();
  for (const std::string& name : in_report) EXPECT_TRUE(in_page.contains(name)) << name;
  for (const std::string& name : in_page) EXPECT_TRUE(in_report.contains(name)) << name;
}

}  // namespace
}  // namespace lb::scenario
