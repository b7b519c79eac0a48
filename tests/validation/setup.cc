#include "tests/validation/setup.h"

#include <cmath>
#include <stdexcept>

#include "lbsim/simulator.h"

namespace lb::validation {
namespace {

std::string number(double value) {
  std::string text(32, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.9g", value)));
  return text;
}

std::string nanoseconds(double milliseconds) {
  return std::to_string(std::llround(milliseconds * 1e6)) + "ns";
}

std::string backend_list(const Setup& setup) {
  std::string list;
  for (int n = 1; n <= setup.backends; ++n) {
    if (n > 1) list += ", ";
    list += R"({"id": "b)";
    list += std::to_string(n);
    list += R"(", "address": "10.0.0.1:)";
    list += std::to_string(8000 + n);
    list += '"' + setup.backend_keys + '}';
  }
  return list + setup.more_backends;
}

std::string text_of(const Setup& setup, std::uint64_t seed) {
  const std::string quote = setup.strategy.front() == '{' ? "" : "\"";
  std::string text = R"({"why": "theory", "seed": )" + std::to_string(seed);
  text += R"(, "duration": ")" + nanoseconds((setup.warmup_seconds + setup.seconds) * 1000);
  text += R"(", "warmup": ")" + nanoseconds(setup.warmup_seconds * 1000);
  text += R"(", "network": {"connect": "0s", "one_way": "0s"}, "config": {"listeners": [)";
  text += R"({"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"}], "clusters": [{)";
  text += R"("name": "web", "strategy": )" + quote + setup.strategy + quote;
  text += R"(, "backends": [)" + backend_list(setup) + ']';
  text += setup.cluster + "}]" + setup.config + R"(}, "backends": {"*": {"service_time": )";
  text += setup.service + R"(, "concurrency": )" + std::to_string(setup.concurrency);
  text += R"(, "queue": )" + std::to_string(setup.queue) + setup.more_behaviour + '}';
  text += setup.behaviours;
  text += R"(}, "load": [{"arrivals": )" + setup.arrivals + R"(, "timeout": "60s")" + setup.load;
  text += R"(}], "events": [)" + setup.events + "]}";
  return text;
}

scenario::Scenario scenario_of(const std::string& text) {
  scenario::LoadedScenario loaded =
      scenario::load_scenario(text, "setup.json", [](const std::string&) { return std::nullopt; });
  if (!loaded.problems.empty()) throw std::invalid_argument(loaded.problems + text);
  return std::move(loaded.scenario);
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// By rank: the histogram keeps no counts above a bound, but every rank has its value.
double count_above(const scenario::Histogram& latency, Duration bound) {
  const auto count = static_cast<double>(latency.count());
  double low = 0;  // So many do not exceed the bound.
  double high = count + 1;
  while (high - low > 1) {
    const double rank = std::floor((low + high) / 2);
    (latency.quantile((rank - 0.5) / count) > bound ? high : low) = rank;
  }
  return count - low;
}

double mean_in_flight(const scenario::TimeSeries& series, Duration warmup) {
  double sum = 0;
  int looks = 0;
  for (std::size_t i = 0; i < series.intervals.size(); ++i) {
    if (series.interval * (i + 1) <= warmup) continue;
    ++looks;
    for (const auto& backend : series.backends) {
      if (i < backend.in_flight.size()) sum += backend.in_flight[i];
    }
  }
  return sum / looks;
}

Observed observed_in(const scenario::Report& report, const Setup& setup) {
  const scenario::Series& total = report.total;
  Observed observed;
  observed.mean_ms = milliseconds(total.latency.mean());
  observed.p50_ms = milliseconds(total.latency.quantile(0.5));
  observed.p90_ms = milliseconds(total.latency.quantile(0.9));
  observed.p99_ms = milliseconds(total.latency.quantile(0.99));
  observed.slow = count_above(total.latency, std::chrono::milliseconds{2});
  observed.requests = static_cast<double>(total.count());
  observed.error_ratio = total.error_ratio();
  observed.throughput =
      static_cast<double>(total.count(scenario::ClientResult::ok)) / setup.seconds;
  if (report.series) observed.in_flight = mean_in_flight(*report.series, report.warmup);
  double answers = 0;
  for (const auto& [_, series] : report.backends) answers += static_cast<double>(series.answers());
  for (const auto& [id, series] : report.backends) {
    observed.shares[id] = static_cast<double>(series.answers()) / answers;
  }
  return observed;
}

}  // namespace

std::string poisson(double rate) { return R"({"poisson": {"rate": )" + number(rate) + "}}"; }

std::string exponential(double mean_ms) {
  return R"({"exponential": {"mean": ")" + nanoseconds(mean_ms) + R"("}})";
}

const Observed& observe(const Setup& setup, std::uint64_t seed) {
  static std::map<std::string, Observed> kept;
  const std::string text = text_of(setup, seed);
  const std::string key = text + (setup.watched ? "watched" : "");
  const auto known = kept.find(key);
  if (known != kept.end()) return known->second;
  const scenario::Report report = sim::simulate(scenario_of(text), {.over_time = setup.watched});
  return kept.emplace(key, observed_in(report, setup)).first->second;
}

}  // namespace lb::validation
