// The lines of a text.
#pragma once

#include <algorithm>
#include <string_view>

namespace lb::scenario {

// Calls take(number, line) for every line, from 1 on, without blanks and line ends around it.
template <class Take>
void for_each_line(std::string_view text, Take&& take) {
  constexpr std::string_view kBlanks = " \t\r";
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
    take(number, line);
  }
}

}  // namespace lb::scenario
