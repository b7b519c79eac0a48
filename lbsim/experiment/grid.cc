#include "lbsim/experiment/grid.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "lbcore/config/reader.h"

namespace lb::experiment {
namespace {

constexpr std::size_t kAxisValuesMax = 100'000;
constexpr const char* kHowTo = "write FROM..TO:STEP or FROM..TO:xFACTOR, such as 1ms..10ms:1ms";

// A number with its unit as it was written.
struct Quantity {
  double number = 0;
  std::string unit;
};

std::optional<Quantity> parse_quantity(std::string_view text) {
  Quantity quantity;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quantity.number);
  if (error != std::errc{} || !std::isfinite(quantity.number)) return std::nullopt;
  quantity.unit.assign(rest, end);
  const bool letters = std::all_of(quantity.unit.begin(), quantity.unit.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%';
  });
  return letters ? std::optional(quantity) : std::nullopt;
}

std::string twelve_digits(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 12);
  return {text.data(), end.ptr};
}

// How the numbers of a range are written. Ends in different units are brought to one first.
enum class Writing { same_unit, nanoseconds, bytes };

struct Range {
  double from = 0;
  double to = 0;
  double step = 0;
  bool geometric = false;
  Writing writing = Writing::same_unit;
  std::string unit;

  [[nodiscard]] std::string write(double value) const {
    if (writing == Writing::nanoseconds) {
      return config::format_duration(Duration{static_cast<std::int64_t>(std::llround(value))});
    }
    if (writing == Writing::bytes) return std::to_string(std::llround(value));
    return twelve_digits(value) + unit;
  }
};

// The texts of FROM, TO and, unless it is a factor, STEP, in one unit.
bool read_numbers(Range& range, const std::array<std::string_view, 3>& texts) {
  const std::size_t count = range.geometric ? 2 : 3;
  const std::array<double*, 3> targets{&range.from, &range.to, &range.step};
  const auto read_as = [&](Writing writing, auto&& number_of) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::optional<double> number = number_of(texts[i]);
      if (!number) return false;
      *targets[i] = *number;
    }
    range.writing = writing;
    return true;
  };
  const auto first = parse_quantity(texts[0]);
  range.unit = first ? first->unit : "";
  return read_as(Writing::same_unit,
                 [&](std::string_view text) -> std::optional<double> {
                   const auto quantity = parse_quantity(text);
                   if (!quantity || quantity->unit != range.unit) return std::nullopt;
                   return quantity->number;
                 }) ||
         read_as(Writing::nanoseconds,
                 [](std::string_view text) -> std::optional<double> {
                   const auto duration = config::parse_duration(text);
                   if (!duration) return std::nullopt;
                   return static_cast<double>(duration->count());
                 }) ||
         read_as(Writing::bytes, [](std::string_view text) -> std::optional<double> {
           const auto size = config::parse_size(text);
           if (!size) return std::nullopt;
           return static_cast<double>(*size);
         });
}

std::string wrong(std::string_view text, const std::string& why) {
  std::string out = "\"";
  return out.append(text).append("\" ").append(why);
}

// Whether a value is meant as a range: it has ".." in it and begins like a number.
bool looks_like_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  return dots != std::string_view::npos && dots > 0 && parse_quantity(text.substr(0, dots));
}

// The problem, or an empty text after the values have been added.
std::string add_range(std::string_view text, std::vector<std::string>& values) {
  const std::size_t dots = text.find("..");
  const std::size_t colon = text.find(':', dots);
  if (colon == std::string_view::npos) {
    return wrong(text, std::string{"has no step: "} + kHowTo);
  }
  Range range;
  std::string_view step = text.substr(colon + 1);
  range.geometric = step.starts_with('x');
  if (range.geometric) {
    step.remove_prefix(1);
    const auto factor = parse_quantity(step);
    if (!factor || !factor->unit.empty()) return wrong(text, std::string{"is no range: "} + kHowTo);
    range.step = factor->number;
  }
  if (!read_numbers(range, {text.substr(0, dots), text.substr(dots + 2, colon - dots - 2), step})) {
    return wrong(text, std::string{"is no range, or its units do not go together: "} + kHowTo);
  }
  if (range.from > range.to) return wrong(text, "goes down: write the smaller end first");
  if (range.geometric && (range.from <= 0 || range.step <= 1)) {
    return wrong(text, "never arrives: it has to begin above 0 and multiply by more than 1");
  }
  if (!range.geometric && range.step <= 0)
    return wrong(text, "never arrives: its step is not above 0");
  // What rounding leaves of the last step is not a reason to leave the end out.
  const double end = range.to + (range.geometric ? range.to : range.step) * 1e-9;
  double value = range.from;
  for (std::size_t i = 1; value <= end; ++i) {
    if (i > kAxisValuesMax) return wrong(text, "has more than 100000 values");
    values.push_back(range.write(value));
    value = range.geometric ? value * range.step : range.from + static_cast<double>(i) * range.step;
  }
  return "";
}

}  // namespace

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      values.emplace_back();
      continue;
    }
    values.back() += c;
  }
  return values;
}

ParsedAxis parse_axis(std::string_view text) {
  ParsedAxis parsed;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    parsed.problem = "expected PATH=VALUE,… or PATH=FROM..TO:STEP, found \"";
    parsed.problem.append(text).append("\"");
    return parsed;
  }
  parsed.axis.path = text.substr(0, equals);
  for (const std::string& value : split_values(text.substr(equals + 1))) {
    if (value.empty()) {
      parsed.problem = "a value is missing";
    } else if (looks_like_range(value)) {
      parsed.problem = add_range(value, parsed.axis.values);
    } else {
      parsed.axis.values.push_back(value);
    }
    if (!parsed.problem.empty()) {
      parsed.problem = parsed.axis.path + ": " + parsed.problem;
      return parsed;
    }
  }
  return parsed;
}

std::size_t Grid::points() const {
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.values.size();
    if (count > kGridPointsMax) return kGridPointsMax + 1;
  }
  return count;
}

std::vector<scenario::Override> Grid::point(std::size_t index) const {
  std::vector<scenario::Override> overrides(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const std::vector<std::string>& values = axes[i].values;
    overrides[i] = {axes[i].path, values[index % values.size()]};
    index /= values.size();
  }
  return overrides;
}

std::string Grid::problem() const {
  std::set<std::string> paths;
  for (const Axis& axis : axes) {
    if (axis.path == "seed") return "seeds are given by --seed and --seeds, not by --set";
    if (!paths.insert(axis.path).second) return axis.path + " is set twice";
  }
  if (points() > kGridPointsMax) return "these are more than a million combinations";
  return "";
}

}  // namespace lb::experiment
