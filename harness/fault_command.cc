#include "harness/fault_command.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "lbcore/assert.h"
#include "lbcore/config/reader.h"

namespace lb::harness {
namespace {

using scenario::Fault;
using scenario::FaultKind;

std::optional<double> parse_number(std::string_view text, double max) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 0 && number <= max)) return std::nullopt;  // "nan" fails here too.
  return number;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

// "4" or "4 20ms"
std::optional<Fault> parse_slow(std::string_view text) {
  const std::size_t blank = std::min(text.find(' '), text.size());
  const auto factor = parse_number(text.substr(0, blank), 1'000'000);
  const std::string_view rest = trimmed(text.substr(blank));
  const auto add = rest.empty() ? Duration{} : config::parse_duration(rest);
  if (!factor || !add) return std::nullopt;
  return Fault{.backend = {}, .kind = FaultKind::slow, .factor = *factor, .add = *add};
}

// "0.5" or "0.5 reset"
std::optional<Fault> parse_truncate(std::string_view text) {
  const std::size_t blank = std::min(text.find(' '), text.size());
  const auto ratio = parse_number(text.substr(0, blank), 1);
  const std::string_view rest = trimmed(text.substr(blank));
  if (!ratio || (!rest.empty() && rest != "reset")) return std::nullopt;
  return Fault{.backend = {}, .kind = FaultKind::truncate, .ratio = *ratio, .reset = !rest.empty()};
}

}  // namespace

std::optional<Fault> parse_fault(std::string_view text) {
  text = trimmed(text);
  const std::size_t separator = text.find_first_of(" =");
  const std::string_view word = text.substr(0, separator);
  if (separator == std::string_view::npos) {
    if (word == "refuse") return Fault{.backend = {}, .kind = FaultKind::refuse};
    if (word == "reset") return Fault{.backend = {}, .kind = FaultKind::reset};
    if (word == "fail_probes") return Fault{.backend = {}, .kind = FaultKind::fail_probes};
    if (word == "hang") return Fault{.backend = {}, .kind = FaultKind::hang};
    if (word == "recover") return Fault{.backend = {}, .kind = FaultKind::recover};
    return std::nullopt;
  }
  const std::string_view number_text = trimmed(text.substr(separator + 1));
  if (word == "slow") return parse_slow(number_text);
  if (word == "truncate") return parse_truncate(number_text);
  if (word == "drip") {
    const auto over = config::parse_duration(number_text);
    if (over > Duration::zero()) {
      return Fault{.backend = {}, .kind = FaultKind::drip, .over = *over};
    }
  }
  if (word == "black_hole") {
    const auto in = config::parse_duration(number_text);
    if (in) return Fault{.backend = {}, .kind = FaultKind::black_hole, .in = *in};
  }
  if (word == "error_ratio") {
    const auto ratio = parse_number(number_text, 1);
    if (ratio) return Fault{.backend = {}, .kind = FaultKind::error_ratio, .ratio = *ratio};
  }
  return std::nullopt;
}

std::string format_fault(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::slow:
      return fault.add == Duration{}
                 ? fmt::format("slow {}", fault.factor)
                 : fmt::format("slow {} {}", fault.factor, config::format_duration(fault.add));
    case FaultKind::black_hole: return "black_hole " + config::format_duration(fault.in);
    case FaultKind::truncate:
      return fmt::format("truncate {}{}", fault.ratio, fault.reset ? " reset" : "");
    case FaultKind::drip: return "drip " + config::format_duration(fault.over);
    case FaultKind::fail_probes: return "fail_probes";
    case FaultKind::error_ratio: return fmt::format("error_ratio {}", fault.ratio);
    case FaultKind::refuse: return "refuse";
    case FaultKind::reset: return "reset";
    case FaultKind::hang: return "hang";
    case FaultKind::recover: return "recover";
    case FaultKind::crash:
    case FaultKind::loss:
    case FaultKind::partition: break;
  }
  LB_ASSERT(false);
  return {};
}

}  // namespace lb::harness
