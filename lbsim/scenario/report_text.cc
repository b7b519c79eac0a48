// How a report looks: as text for people, as JSON for programs, and two of them side by side.
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "lbsim/scenario/report.h"

namespace lb::scenario {
namespace {

using config::Json;

constexpr std::size_t kColumns = 100;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// 1234567 -> "1,234,567"
std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

// Milliseconds with as many digits as mean something.
std::string show_ms(double ms) {
  if (ms >= 100) return fmt::format("{:.0f} ms", ms);
  if (ms >= 10) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.2f} ms", ms);
}

std::string show_ms(Duration duration) { return show_ms(milliseconds(duration)); }

std::string show_seconds(Duration duration) {
  return fmt::format("{:g} s", std::chrono::duration<double>(duration).count());
}

std::string show_percent(double ratio) {
  return fmt::format("{:.{}f} %", ratio * 100, ratio > 0 && ratio < 0.001 ? 4 : 2);
}

// A bar of `width` cells, filled in eighths.
std::string bar(double ratio, int width) {
  static constexpr std::array<const char*, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::clamp(ratio, 0.0, 1.0) * width * 8 + 0.5);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[static_cast<std::size_t>(eighths % 8)];
  const int filled = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
  return text + std::string(static_cast<std::size_t>(width - filled), ' ');
}

std::string show_value(Metric metric, double value) {
  if (is_latency(metric)) return show_ms(value * 1000);
  if (metric == Metric::requests) return grouped(static_cast<std::uint64_t>(value));
  if (metric == Metric::throughput) return fmt::format("{:.1f}/s", value);
  return fmt::format("{:.5g}", value);
}

std::string label(const Expectation& expectation) {
  std::string text{metric_name(expectation.metric)};
  if (!expectation.backend.empty()) text += ' ' + expectation.backend;
  if (expectation.from) text += fmt::format(" from {}", show_seconds(*expectation.from));
  if (expectation.to) text += fmt::format(" to {}", show_seconds(*expectation.to));
  return text;
}

std::string limits(const Expectation& expectation) {
  std::string text;
  if (expectation.min) text += "≥ " + show_value(expectation.metric, *expectation.min);
  if (expectation.min && expectation.max) text += ", ";
  if (expectation.max) text += "≤ " + show_value(expectation.metric, *expectation.max);
  return text;
}

// By how much an expectation was missed: "over by 1.3 ms (2.2 %)".
std::string miss(const ExpectationResult& result) {
  const Expectation& expectation = result.expectation;
  const bool under = expectation.min && result.value < *expectation.min;
  const bool over = expectation.max && result.value > *expectation.max;
  if (!under && !over) return "no request to judge by";
  const double limit = under ? *expectation.min : *expectation.max;
  const double distance = under ? limit - result.value : result.value - limit;
  std::string text =
      std::string{under ? "under" : "over"} + " by " + show_value(expectation.metric, distance);
  if (limit != 0) text += fmt::format(" ({:.1f} %)", distance / limit * 100);
  return text;
}

// `text` in lines of at most `columns`, broken between words.
std::string wrapped(const std::string& text, std::size_t columns) {
  std::string out;
  std::size_t line = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::size_t word = end - start;
    if (line > 0 && line + 1 + word > columns) {
      out += '\n';
      line = 0;
    } else if (line > 0) {
      out += ' ';
      ++line;
    }
    out += text.substr(start, word);
    line += word;
    start = end + 1;
  }
  return out;
}

std::string rule(int columns) {
  std::string text;
  for (int i = 0; i < columns; ++i) text += "─";
  return text;
}

void append_backends(std::string& out, const Report& report) {
  std::uint64_t answered = 0;
  for (const auto& [_, series] : report.backends) answered += series.answers();
  out += fmt::format("\n  {:<14} {:>10} {:>9}  {:<20} {:>10} {:>10} {:>8}\n", "backend", "answers",
                     "share", "", "mean", "p99", "5xx");
  for (const auto& [id, series] : report.backends) {
    const double share =
        answered == 0 ? 0 : static_cast<double>(series.answers()) / static_cast<double>(answered);
    out += fmt::format("  {:<14} {:>10} {:>9}  {} {:>10} {:>10} {:>8}\n", id,
                       grouped(series.answers()), show_percent(share), bar(share, 20),
                       show_ms(series.latency.mean()), show_ms(series.latency.quantile(0.99)),
                       grouped(series.count(ClientResult::server_error)));
  }
}

void append_expectations(std::string& out, const Report& report) {
  if (report.expectations.empty()) return;
  out += fmt::format("\n  {:<40} {:>14}   {}\n", "expected", "value", "limit");
  for (const ExpectationResult& result : report.expectations) {
    out +=
        fmt::format("  {} {:<38} {:>14}   {}{}\n", result.passed ? "✔" : "✘",
                    label(result.expectation), show_value(result.expectation.metric, result.value),
                    limits(result.expectation), result.passed ? "" : ": " + miss(result));
  }
}

Json latency_json(const Histogram& latency) {
  return {{"count", latency.count()},
          {"mean_ms", milliseconds(latency.mean())},
          {"p50_ms", milliseconds(latency.quantile(0.5))},
          {"p90_ms", milliseconds(latency.quantile(0.9))},
          {"p99_ms", milliseconds(latency.quantile(0.99))},
          {"p999_ms", milliseconds(latency.quantile(0.999))},
          {"max_ms", milliseconds(latency.max())}};
}

Json totals_json(const BalancerTotals& totals) {
  return {{"requests", totals.requests},
          {"attempts", totals.attempts},
          {"retries", totals.retries},
          {"connections_opened", totals.connections_opened},
          {"connections_reused", totals.connections_reused},
          {"outcomes", totals.outcomes}};
}

Json series_json(const Series& series) {
  Json json = {{"requests", series.count()}};
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    json[std::string{to_string(static_cast<ClientResult>(i))}] = series.results[i];
  }
  json["error_ratio"] = series.error_ratio();
  json["latency"] = latency_json(series.latency);
  return json;
}

}  // namespace

std::string to_text(const Report& report) {
  const Series& total = report.total;
  std::string out = wrapped(report.scenario + ": " + report.why, kColumns) + '\n';
  out += fmt::format("{} {}", report.world, show_seconds(report.duration));
  if (report.warmup > Duration::zero()) {
    out += fmt::format(" (the first {} not counted)", show_seconds(report.warmup));
  }
  out += fmt::format(", seed {}", report.seed);
  if (report.digest) out += fmt::format(", digest {}", *report.digest);
  out += '\n';
  out += fmt::format(
      "\n  requests  {}: {} ok, {} 5xx, {} timed out, {} failed\n", grouped(total.count()),
      grouped(total.count(ClientResult::ok)), grouped(total.count(ClientResult::server_error)),
      grouped(total.count(ClientResult::timed_out)), grouped(total.count(ClientResult::failed)));
  out += fmt::format("  errors    {}\n", show_percent(total.error_ratio()));
  const Histogram& latency = total.latency;
  out += fmt::format("  latency   mean {}, p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n",
                     show_ms(latency.mean()), show_ms(latency.quantile(0.5)),
                     show_ms(latency.quantile(0.9)), show_ms(latency.quantile(0.99)),
                     show_ms(latency.quantile(0.999)), show_ms(latency.max()));
  const BalancerTotals& balancer = report.balancer;
  out +=
      fmt::format("  balancer  {} requests, {} attempts, {} retries\n", grouped(balancer.requests),
                  grouped(balancer.attempts), grouped(balancer.retries));
  if (report.client_retries > 0) {
    out += fmt::format("  clients   sent {} of these once more\n", grouped(report.client_retries));
  }
  out += fmt::format("  upstream  {} connections opened, {} reused\n",
                     grouped(balancer.connections_opened), grouped(balancer.connections_reused));
  append_backends(out, report);
  append_expectations(out, report);
  for (const std::string& warning : report.warnings) out += "\n  note: " + warning + '\n';
  return out;
}

Json to_json(const Report& report) {
  Json json = {{"scenario", report.scenario},
               {"why", report.why},
               {"world", report.world},
               {"seed", report.seed},
               {"duration_s", std::chrono::duration<double>(report.duration).count()},
               {"warmup_s", std::chrono::duration<double>(report.warmup).count()},
               {"digest", report.digest ? Json(*report.digest) : Json{}},
               {"loopback_latency_ms",
                report.loopback_latency ? Json(milliseconds(*report.loopback_latency)) : Json{}},
               {"total", series_json(report.total)}};
  std::uint64_t answered = 0;
  for (const auto& [_, series] : report.backends) answered += series.answers();
  Json backends = Json::object();
  for (const auto& [id, series] : report.backends) {
    Json backend = series_json(series);
    backend["share"] =
        answered == 0 ? 0.0 : static_cast<double>(series.answers()) / static_cast<double>(answered);
    backends[id] = std::move(backend);
  }
  json["backends"] = std::move(backends);
  json["client_retries"] = report.client_retries;
  json["balancer"] = totals_json(report.balancer);
  for (const BalancerTotals& daemon : report.daemons) {
    json["daemons"].push_back(totals_json(daemon));
  }
  Json expectations = Json::array();
  for (const ExpectationResult& result : report.expectations) {
    const Expectation& expectation = result.expectation;
    Json entry = {{"metric", metric_name(expectation.metric)}};
    if (!expectation.backend.empty()) entry["backend"] = expectation.backend;
    if (expectation.from) entry["from"] = config::format_duration(*expectation.from);
    if (expectation.to) entry["to"] = config::format_duration(*expectation.to);
    if (expectation.min) entry["min"] = *expectation.min;
    if (expectation.max) entry["max"] = *expectation.max;
    entry["value"] = result.value;
    entry["passed"] = result.passed;
    if (!result.passed) entry["miss"] = miss(result);
    expectations.push_back(std::move(entry));
  }
  json["expect"] = std::move(expectations);
  json["passed"] = report.passed();
  json["warnings"] = report.warnings;
  if (report.series) json["over_time"] = to_json(*report.series);
  return json;
}

std::string comparison_text(const Json& simulated, const Json& measured) {
  const double loopback =
      measured["loopback_latency_ms"].is_null() ? 0 : measured["loopback_latency_ms"].get<double>();
  std::string out =
      wrapped(measured["scenario"].get<std::string>() + ": " + measured["why"].get<std::string>(),
              kColumns) +
      "\n\n";
  out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n  {}\n", "", "simulated", "measured",
                     "difference", rule(70));
  const auto count_row = [&](const std::string& name, double a, double b, bool percent) {
    const auto show = [&](double v) {
      return percent ? show_percent(v) : grouped(static_cast<std::uint64_t>(v));
    };
    const std::string difference =
        percent ? fmt::format("{:+.2f} pts", (b - a) * 100)
                : (a == 0 ? (b == 0 ? std::string{"0"} : fmt::format("{:+.0f}", b))
                          : fmt::format("{:+.1f} %", (b - a) / a * 100));
    out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n", name, show(a), show(b), difference);
  };
  const auto latency_row = [&](const std::string& name, const std::string& key) {
    const double a = simulated["total"]["latency"][key].get<double>();
    const double b = std::max(0.0, measured["total"]["latency"][key].get<double>() - loopback);
    const std::string difference =
        a == 0 ? std::string{"-"} : fmt::format("{:+.1f} %", (b - a) / a * 100);
    out += fmt::format("  {:<24} {:>14} {:>14} {:>14}\n", name, show_ms(a), show_ms(b), difference);
  };
  const auto number = [](const Json& json) { return json.get<double>(); };
  count_row("requests", number(simulated["total"]["requests"]),
            number(measured["total"]["requests"]), false);
  count_row("errors", number(simulated["total"]["error_ratio"]),
            number(measured["total"]["error_ratio"]), true);
  count_row("retries", number(simulated["balancer"]["retries"]),
            number(measured["balancer"]["retries"]), false);
  latency_row("latency mean", "mean_ms");
  latency_row("latency p50", "p50_ms");
  latency_row("latency p90", "p90_ms");
  latency_row("latency p99", "p99_ms");
  for (const auto& [id, backend] : simulated["backends"].items()) {
    if (!measured["backends"].contains(id)) continue;
    count_row("share of " + id, number(backend["share"]), number(measured["backends"][id]["share"]),
              true);
  }
  const auto verdict = [](const Json& report) {
    return report["passed"].get<bool>() ? "met" : "MISSED";
  };
  out += fmt::format("  {:<24} {:>14} {:>14}\n", "expectations", verdict(simulated),
                     verdict(measured));
  if (loopback > 0) {
    out += fmt::format(
        "\n  Measured latencies less {}: what the loopback, the client and lbd add to a request\n"
        "  beyond the scenario's network, measured in this run with a backend that answers at "
        "once.\n",
        show_ms(loopback));
  }
  return out;
}

}  // namespace lb::scenario
