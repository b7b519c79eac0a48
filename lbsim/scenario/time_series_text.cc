// How a time series looks as JSON and as a table.
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "lbsim/scenario/json_members.h"
#include "lbsim/scenario/time_series.h"

namespace lb::scenario {
namespace {

using config::Json;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// One number of each interval.
template <class Of>
Json column(const TimeSeries& series, Of of) {
  Json json = Json::array();
  for (const TimeSeries::Interval& interval : series.intervals) json.push_back(of(interval));
  return json;
}

// A name as a field of a table: quoted when it has to be (RFC 4180).
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string heading(const TimeSeries& series) {
  std::string line = "time_s,requests";
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    line += ',';
    line += to_string(static_cast<ClientResult>(i));
  }
  line += ",p50_ms,p90_ms,p99_ms,p999_ms,queued";
  for (const TimeSeries::OfBackend& backend : series.backends) {
    for (const char* what : {"answers", "errors", "in_flight", "state"}) {
      line += ',' + field(backend.id + '.' + what);
    }
  }
  return line + '\n';
}

std::uint64_t requests(const TimeSeries::Interval& interval) {
  std::uint64_t sum = 0;
  for (const std::uint64_t result : interval.results) sum += result;
  return sum;
}

}  // namespace

Json to_json(const TimeSeries& series) {
  Json json = {{"interval_s", seconds(series.interval)},
               {"requests", column(series, requests)},
               {"p50_ms", column(series, [](const auto& of) { return milliseconds(of.p50); })},
               {"p90_ms", column(series, [](const auto& of) { return milliseconds(of.p90); })},
               {"p99_ms", column(series, [](const auto& of) { return milliseconds(of.p99); })},
               {"p999_ms", column(series, [](const auto& of) { return milliseconds(of.p999); })},
               {"queued", series.queued}};
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    json[std::string{to_string(static_cast<ClientResult>(i))}] =
        column(series, [i](const auto& of) { return of.results[i]; });
  }
  Json& backends = json["backends"] = Json::object();
  for (const TimeSeries::OfBackend& backend : series.backends) {
    append_member(backends, backend.id,
                  {{"answers", backend.answers},
                   {"errors", backend.errors},
                   {"in_flight", backend.in_flight},
                   {"state", backend.state}});
  }
  Json& marks = json["events"] = Json::array();
  for (const TimeSeries::Mark& mark : series.marks) {
    marks.push_back({{"at_s", seconds(mark.at)}, {"what", mark.what}});
  }
  return json;
}

std::string to_csv(const TimeSeries& series) {
  std::string out = heading(series);
  for (std::size_t n = 0; n < series.intervals.size(); ++n) {
    const TimeSeries::Interval& interval = series.intervals[n];
    out += fmt::format("{:g},{}", seconds(series.interval * static_cast<std::int64_t>(n)),
                       requests(interval));
    for (const std::uint64_t result : interval.results) out += fmt::format(",{}", result);
    for (const Duration latency : {interval.p50, interval.p90, interval.p99, interval.p999}) {
      out += fmt::format(",{:g}", milliseconds(latency));
    }
    // What nobody looked at stays empty.
    out += n < series.queued.size() ? fmt::format(",{}", series.queued[n]) : ",";
    for (const TimeSeries::OfBackend& backend : series.backends) {
      out += fmt::format(",{},{}", backend.answers[n], backend.errors[n]);
      out += n < backend.in_flight.size()
                 ? fmt::format(",{},{}", backend.in_flight[n], field(backend.state[n]))
                 : ",,";
    }
    out += '\n';
  }
  return out;
}

}  // namespace lb::scenario
