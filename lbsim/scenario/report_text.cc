// How a report looks as text for people.
#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "lbsim/scenario/report.h"
#include "lbsim/scenario/report_table.h"
#include "lbsim/scenario/show.h"

namespace lb::scenario {
namespace {

std::string label(const Expectation& expectation) {
  std::string text{metric_name(expectation.metric)};
  for (const std::string* name :
       {&expectation.outcome, &expectation.cluster, &expectation.load, &expectation.backend}) {
    if (!name->empty()) text.append(" ").append(*name);
  }
  if (!expectation.window.empty()) text.append(" in ").append(expectation.window);
  const auto time = [&](const char* word, const std::optional<Duration>& at) {
    if (at) text += fmt::format(" {} {}", word, show_seconds(*at));
  };
  time("from", expectation.from);
  time("after", expectation.after);
  time("to", expectation.to);
  return text;
}

std::string limits(const Expectation& expectation) {
  std::string text;
  if (expectation.min) text += "≥ " + show_value(expectation.metric, *expectation.min);
  if (expectation.min && expectation.max) text += ", ";
  if (expectation.max) text += "≤ " + show_value(expectation.metric, *expectation.max);
  return text;
}

void append_expectations(std::string& out, const Report& report) {
  if (report.expectations.empty()) return;
  constexpr std::size_t kLabelColumns = 44;
  out += fmt::format("\n  {:<46} {:>12}   {}\n", "expected", "value", "limit");
  for (const ExpectationResult& result : report.expectations) {
    const char* mark = !result.measured ? "–" : result.passed ? "✔" : "✘";
    const bool told = result.measured && result.passed;
    out += fmt::format("  {} {:<44} {:>12}   {}{}\n", mark,
                       fitted(label(result.expectation), kLabelColumns),
                       show_value(result.expectation.metric, result.value),
                       limits(result.expectation), told ? "" : ": " + miss_text(result));
  }
}

void append_clients(std::string& out, const Report& report) {
  const Series& total = report.total;
  const Summary& summary = report.summary;
  out += fmt::format(
      "\n  requests  {}: {} ok, {} 5xx, {} timed out, {} failed\n", grouped(total.count()),
      grouped(total.count(ClientResult::ok)), grouped(total.count(ClientResult::server_error)),
      grouped(total.count(ClientResult::timed_out)), grouped(total.count(ClientResult::failed)));
  out += fmt::format("  errors    {}{}, {:.1f} good answers a second\n",
                     show_percent(total.error_ratio()),
                     show_half_width(summary.clients.error_ratio, 100), summary.throughput.value);
  const Histogram& latency = total.latency;
  out += fmt::format("  latency   mean {}{}, p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n",
                     show_ms(latency.mean()), show_half_width(summary.clients.mean_latency, 1000),
                     show_ms(latency.quantile(0.5)), show_ms(latency.quantile(0.9)),
                     show_ms(latency.quantile(0.99)), show_ms(latency.quantile(0.999)),
                     show_ms(latency.max()));
  switch (summary.clients.mean_latency.confidence) {
    case Confidence::told: break;
    case Confidence::too_few: out += "            no ±: too few requests to tell\n"; break;
    case Confidence::correlated:
      out += "            no ±: parts of the run depend on each other; a longer one would tell\n";
      break;
    case Confidence::not_steady:
      out += "            no ±: events or loads change this run on its way\n";
      break;
  }
}

void append_inside(std::string& out, const Report& report) {
  out += fmt::format("  clients   {:.4g} waiting on average", report.summary.in_system_mean.value);
  if (const auto& levels = report.summary.levels) {
    out += fmt::format("; {:.4g} in flight", levels->in_flight_mean.value);
    if (levels->utilisation) {
      out += fmt::format(", backends {:.1f} % busy", levels->utilisation->value * 100);
    }
    if (levels->queue.max > 0) {
      out += fmt::format("\n            {:.4g} queued in lbd, at most {}", levels->queue.mean.value,
                         grouped(levels->queue.max));
    }
  }
  out += '\n';
  if (report.client_retries > 0) {
    out += fmt::format("            sent {} of their requests once more\n",
                       grouped(report.client_retries));
  }
}

void append_balancer(std::string& out, const Report& report) {
  const BalancerTotals& balancer = report.balancer;
  out +=
      fmt::format("  balancer  {} requests, {} attempts, {} retries\n", grouped(balancer.requests),
                  grouped(balancer.attempts), grouped(balancer.retries));
  if (balancer.refused_ratio() > 0 || report.amplification > 1) {
    out += fmt::format("            {} refused; {:.4g} attempts for each request of a client\n",
                       show_percent(balancer.refused_ratio()), report.amplification);
  }
  std::string outcomes;
  for (const auto& [name, count] : balancer.outcomes) {
    if (count == 0 || count == balancer.requests) continue;
    if (!outcomes.empty()) outcomes += ", ";
    outcomes.append(name).append(" ").append(grouped(count));
  }
  if (!outcomes.empty()) {
    std::string lines = wrapped(outcomes, kColumns - 12);
    for (std::size_t end = lines.find('\n'); end != std::string::npos;
         end = lines.find('\n', end + 1)) {
      lines.insert(end + 1, "            ");
    }
    out += "  outcomes  " + lines + '\n';
  }
  out += fmt::format("  upstream  {} connections opened, {} reused\n",
                     grouped(balancer.connections_opened), grouped(balancer.connections_reused));
  if (report.summary.fairness.size() == 1) {
    out += fmt::format("  fairness  {:.4f} of answers by weight (Jain's index)\n",
                       report.summary.fairness.begin()->second.value);
  }
}

}  // namespace

std::string miss_text(const ExpectationResult& result) {
  const Expectation& expectation = result.expectation;
  if (!result.remark.empty()) return result.remark;
  if (std::isinf(result.value)) return "it never came";
  const bool under = expectation.min && result.value < *expectation.min;
  const double limit = under ? *expectation.min : expectation.max.value_or(0);
  const double distance = under ? limit - result.value : result.value - limit;
  std::string text =
      std::string{under ? "under" : "over"} + " by " + show_value(expectation.metric, distance);
  if (limit != 0) text += fmt::format(" ({:.1f} %)", distance / limit * 100);
  return text;
}

std::string to_text(const Report& report) {
  std::string out = wrapped(report.scenario + ": " + report.why, kColumns) + '\n';
  out += fmt::format("{} {}", report.world, show_seconds(report.duration));
  if (report.warmup > Duration::zero()) {
    out += fmt::format(" (the first {} not counted)", show_seconds(report.warmup));
  }
  out += fmt::format(", seed {}", report.seed);
  if (report.digest) out += fmt::format(", digest {}", *report.digest);
  out += '\n';
  append_clients(out, report);
  append_inside(out, report);
  append_balancer(out, report);
  out += backends_table(report);
  out += loads_table(report);
  out += windows_table(report);
  out += standing_table(report);
  append_expectations(out, report);
  for (const std::string& warning : report.warnings) {
    out += "\n  " + wrapped("note: " + warning, kColumns - 2) + '\n';
  }
  return out;
}

}  // namespace lb::scenario
