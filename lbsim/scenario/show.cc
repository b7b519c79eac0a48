#include "lbsim/scenario/show.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lb::scenario {

double to_milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

std::string show_ms(double ms) {
  if (ms >= 100) return fmt::format("{:.0f} ms", ms);
  if (ms >= 10) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.2f} ms", ms);
}

std::string show_ms(Duration duration) { return show_ms(to_milliseconds(duration)); }

std::string show_seconds(Duration duration) { return fmt::format("{:g} s", to_seconds(duration)); }

std::string show_percent(double ratio) {
  return fmt::format("{:.{}f} %", ratio * 100, ratio > 0 && ratio < 0.001 ? 4 : 2);
}

std::string show_value(Metric metric, double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return "never";
  switch (traits(metric).unit) {
    case Unit::duration: return show_ms(value * 1000);
    case Unit::count: return grouped(static_cast<std::uint64_t>(value));
    case Unit::per_second: return fmt::format("{:.1f}/s", value);
    case Unit::ratio: break;
  }
  return fmt::format("{:.5g}", value);
}

std::string show_half_width(const Interval& interval, double scale) {
  if (interval.confidence != Confidence::told) return "";
  return fmt::format(" ± {:.2g}", interval.half_width * scale);
}

std::string bar(double ratio, int width) {
  static constexpr std::array<const char*, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::clamp(ratio, 0.0, 1.0) * width * 8 + 0.5);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[static_cast<std::size_t>(eighths % 8)];
  const int filled = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
  return text + std::string(static_cast<std::size_t>(width - filled), ' ');
}

std::string rule(int columns) {
  std::string text;
  for (int i = 0; i < columns; ++i) text += "─";
  return text;
}

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

std::string fitted(std::string_view name, std::size_t columns) {
  if (name.size() <= columns) return std::string{name}.append(columns - name.size(), ' ');
  return std::string{name.substr(0, columns - 1)}.append("…");
}

}  // namespace lb::scenario
