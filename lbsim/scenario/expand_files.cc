#include "lbsim/scenario/expand_files.h"

#include <charconv>
#include <string_view>

#include "lbcore/config/reader.h"
#include "lbsim/scenario/lines.h"

namespace lb::scenario {
namespace {

using config::Node;
using config::Problem;

// A number alone is milliseconds.
std::optional<Duration> parse_value(std::string_view text) {
  const auto duration = config::parse_duration(text);
  if (duration) return duration;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  constexpr double kCentury = 100 * 365.25 * 86'400 * 1e3;
  if (!(number >= 0 && number <= kCentury)) return std::nullopt;
  return Duration{static_cast<Duration::rep>(number * 1e6 + 0.5)};
}

Node scalar_of(std::string text, config::Position at) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.at = at;
  node.text = std::move(text);
  node.quoted = true;
  return node;
}

// The values in the text, or what is wrong with it.
std::string read_values(std::string_view text, config::Position at, Node& list) {
  std::string wrong;
  for_each_line(text, [&](int number, std::string_view line) {
    if (line.empty() || line.front() == '#' || !wrong.empty()) return;
    const auto value = parse_value(line);
    if (value) {
      list.items.push_back(scalar_of(config::format_duration(*value), at));
    } else {
      wrong = "line " + std::to_string(number) +
              ": expected a duration such as \"5ms\", or a number of milliseconds, found \"" +
              std::string{line.substr(0, 40)} + '"';
    }
  });
  if (wrong.empty() && list.items.empty()) wrong = "has no values";
  return wrong;
}

void expand(Node& empirical, const std::string& path, const ReadFile& read_file,
            std::vector<Problem>& problems) {
  if (empirical.kind != Node::Kind::map || empirical.entries.size() != 1) return;
  Node::Entry& entry = empirical.entries.front();
  if (entry.key != "file" || entry.value.kind != Node::Kind::scalar) return;
  const std::string name = entry.value.text;
  const auto report = [&](const std::string& words) {
    problems.push_back({entry.value.at, path + ".file", words});
  };
  Node list;
  list.kind = Node::Kind::list;
  list.at = entry.value.at;
  if (const auto text = read_file(name)) {
    const std::string wrong = read_values(*text, list.at, list);
    if (!wrong.empty()) report('"' + name + "\" " + wrong);
  } else {
    report("cannot read \"" + name + '"');
  }
  // Something to read, so that what was reported is not reported again.
  if (list.items.empty()) list.items.push_back(scalar_of("0s", list.at));
  entry.key = "values";
  entry.value = std::move(list);
}

}  // namespace

void expand_files(Node& node, const std::string& path, const ReadFile& read_file,
                  std::vector<Problem>& problems) {
  for (Node::Entry& entry : node.entries) {
    const std::string below = path.empty() ? entry.key : path + '.' + entry.key;
    if (entry.key == "empirical") {
      expand(entry.value, below, read_file, problems);
    } else {
      expand_files(entry.value, below, read_file, problems);
    }
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    expand_files(node.items[i], path + '[' + std::to_string(i) + ']', read_file, problems);
  }
}

}  // namespace lb::scenario
