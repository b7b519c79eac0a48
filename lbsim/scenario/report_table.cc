#include "lbsim/scenario/report_table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "lbsim/scenario/show.h"

namespace lb::scenario {
namespace {

// So many are all shown; of more, those that stand out.
constexpr std::size_t kRowsMax = 12;
constexpr std::size_t kNameColumns = 16;

struct Row {
  std::string id;
  const Series* series = nullptr;
  double share = 0;
  double mean_ms = 0;
  double p99_ms = 0;
  double utilisation = std::nan("");
  double in_flight = std::nan("");
  Duration out{};
};

std::vector<Row> rows_of(const Report& report) {
  std::vector<Row> rows;
  for (const auto& [id, series] : report.backends) {
    Row row{.id = id, .series = &series, .share = report.summary.backends.at(id).share.value};
    row.mean_ms = to_milliseconds(series.latency.mean());
    row.p99_ms = to_milliseconds(series.latency.quantile(0.99));
    const auto& levels = report.summary.levels;
    const auto level = levels ? levels->backends.find(id) : decltype(levels->backends.end()){};
    if (levels && level != levels->backends.end()) {
      row.in_flight = level->second.in_flight_mean.value;
      if (level->second.utilisation) row.utilisation = level->second.utilisation->value;
    }
    if (report.standing) row.out = report.standing->at(id).length;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string line_of(const Row& row) {
  return fmt::format(
      "  {} {:>11} {:>8} {} {:>9} {:>9} {:>9} {:>8} {:>7}\n", fitted(row.id, kNameColumns),
      grouped(row.series->answers()), show_percent(row.share), bar(row.share, 12),
      show_ms(row.mean_ms), show_ms(row.p99_ms),
      grouped(row.series->count(ClientResult::server_error)),
      std::isnan(row.in_flight) ? "-" : fmt::format("{:.4g}", row.in_flight),
      std::isnan(row.utilisation) ? "-" : fmt::format("{:.1f} %", row.utilisation * 100));
}

using Value = double (*)(const Row&);
constexpr std::array<Value, 6> kValues{
    [](const Row& row) { return static_cast<double>(row.series->answers()); },
    [](const Row& row) { return row.mean_ms; },
    [](const Row& row) { return row.p99_ms; },
    [](const Row& row) {
      return static_cast<double>(row.series->count(ClientResult::server_error));
    },
    [](const Row& row) { return std::isnan(row.utilisation) ? 0 : row.utilisation; },
    [](const Row& row) { return static_cast<double>(row.out.count()); }};

// Of each figure that is not the same for all, who has the least and who the most of it.
std::set<std::size_t> extremes_of(const std::vector<Row>& rows) {
  std::set<std::size_t> out;
  for (const Value value : kValues) {
    const auto less = [&](const Row& a, const Row& b) { return value(a) < value(b); };
    const auto [least, most] = std::minmax_element(rows.begin(), rows.end(), less);
    if (value(*least) == value(*most)) continue;
    out.insert(static_cast<std::size_t>(least - rows.begin()));
    out.insert(static_cast<std::size_t>(most - rows.begin()));
  }
  return out;
}

// "between 1,200 and 1,300 answers", of all but those that are shown.
std::string folded(const std::vector<Row>& rows, const std::set<std::size_t>& shown) {
  std::vector<Row> others;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!shown.contains(i)) others.push_back(rows[i]);
  }
  const auto range = [&](Value value) {
    const auto less = [&](const Row& a, const Row& b) { return value(a) < value(b); };
    const auto [least, most] = std::minmax_element(others.begin(), others.end(), less);
    return std::pair{value(*least), value(*most)};
  };
  const auto answers = range(kValues[0]);
  const auto means = range(kValues[1]);
  const auto p99 = range(kValues[2]);
  return fmt::format("  and {} more, between {} and {} answers, mean {} to {}, p99 {} to {}\n",
                     others.size(), grouped(static_cast<std::uint64_t>(answers.first)),
                     grouped(static_cast<std::uint64_t>(answers.second)), show_ms(means.first),
                     show_ms(means.second), show_ms(p99.first), show_ms(p99.second));
}

std::string slice_line(const std::string& name, const Slice& slice) {
  const Histogram& latency = slice.total.latency;
  const Summary& summary = slice.summary;
  return fmt::format("  {} {:>11} {:>8} {:>19} {:>9} {:>9} {:>10} {:>8}\n",
                     fitted(name, kNameColumns), grouped(slice.total.count()),
                     show_percent(slice.total.error_ratio()),
                     show_ms(latency.mean()) + show_half_width(summary.clients.mean_latency, 1000),
                     show_ms(latency.quantile(0.5)), show_ms(latency.quantile(0.99)),
                     fmt::format("{:.1f}/s", summary.throughput.value),
                     fmt::format("{:.4g}", summary.in_system_mean.value));
}

std::string slice_head(const char* what) {
  return fmt::format("\n  {} {:>11} {:>8} {:>19} {:>9} {:>9} {:>10} {:>8}\n",
                     fitted(what, kNameColumns), "requests", "errors", "mean", "p50", "p99", "good",
                     "waiting");
}

}  // namespace

std::string backends_table(const Report& report) {
  const std::vector<Row> rows = rows_of(report);
  std::string out = fmt::format("\n  {} {:>11} {:>8} {:<12} {:>9} {:>9} {:>9} {:>8} {:>7}\n",
                                fitted("backend", kNameColumns), "answers", "share", "", "mean",
                                "p99", "5xx", "in flight", "busy");
  if (rows.size() <= kRowsMax) {
    for (const Row& row : rows) out += line_of(row);
    return out;
  }
  std::set<std::size_t> shown = extremes_of(rows);
  if (shown.empty()) shown.insert(0);
  for (const std::size_t index : shown) out += line_of(rows[index]);
  return out + folded(rows, shown);
}

std::string loads_table(const Report& report) {
  if (report.loads.size() < 2) return "";
  std::string out = slice_head("load");
  for (const Slice& load : report.loads) out += slice_line(load.name, load);
  return out;
}

std::string windows_table(const Report& report) {
  if (report.windows.empty()) return "";
  std::string out = slice_head("window");
  for (const Slice& window : report.windows) out += slice_line(window.name, window);
  return out;
}

std::string standing_table(const Report& report) {
  if (!report.standing) return "";
  constexpr std::size_t kLinesMax = 10;
  struct Line {
    Duration at;
    std::string text;
  };
  std::vector<Line> lines;
  for (const auto& [id, out] : *report.standing) {
    for (const StandingChange& change : out.changes) {
      lines.push_back({change.at, fmt::format("  {:>9.3f} s  {}: {}\n", to_seconds(change.at), id,
                                              change.state)});
    }
  }
  if (lines.empty()) return "";
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text = "\n  who got requests, from when on\n";
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesMax); ++i) text += lines[i].text;
  if (lines.size() > kLinesMax) {
    text += fmt::format("  and {} more changes until {:.3f} s\n", lines.size() - kLinesMax,
                        to_seconds(lines.back().at));
  }
  return text;
}

}  // namespace lb::scenario
