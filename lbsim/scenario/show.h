// How figures look in texts for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/metrics.h"

namespace lb::scenario {

inline constexpr std::size_t kColumns = 100;

[[nodiscard]] double to_milliseconds(Duration duration);
[[nodiscard]] double to_seconds(Duration duration);

[[nodiscard]] std::string grouped(std::uint64_t value);  // 1234567 -> "1,234,567"
// With as many digits as mean something.
[[nodiscard]] std::string show_ms(double ms);
[[nodiscard]] std::string show_ms(Duration duration);
[[nodiscard]] std::string show_seconds(Duration duration);
[[nodiscard]] std::string show_percent(double ratio);
[[nodiscard]] std::string show_value(Metric metric, double value);
// " ± 0.3", in the unit and with the digits of the number in front of it; nothing without one.
[[nodiscard]] std::string show_half_width(const Interval& interval, double scale);

// A bar of `width` cells, filled in eighths.
[[nodiscard]] std::string bar(double ratio, int width);
[[nodiscard]] std::string rule(int columns);
// `text` in lines of at most `columns`, broken between words.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t columns);
// A name in a column: what is too long ends with "…".
[[nodiscard]] std::string fitted(std::string_view name, std::size_t columns);

}  // namespace lb::scenario
