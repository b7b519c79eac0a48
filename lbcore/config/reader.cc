#include "lbcore/config/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lb::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 6> kDurationUnits{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000}}};
constexpr std::array<Unit, 8> kSizeUnits{{{"", 1},
                                          {"B", 1},
                                          {"KiB", 1 << 10},
                                          {"MiB", 1 << 20},
                                          {"GiB", 1 << 30},
                                          {"KB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000}}};

// Below the greatest of 64 bits, so that a duration may be added to an instant.
constexpr std::int64_t kCountMax = 9'000'000'000'000'000'000;

// A decimal number and a unit, in whole smallest units. No sign: neither has a use for one.
std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  const std::string_view unit_name = digits == std::string_view::npos ? "" : text.substr(digits);
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& candidate) {
    return candidate.name == unit_name;
  });
  if (unit == units.end()) return std::nullopt;
  const char* const number_end = number.data() + number.size();
  std::int64_t whole = 0;  // A double would round the last digits of a long one.
  if (const auto [end, error] = std::from_chars(number.data(), number_end, whole);
      error == std::errc{} && end == number_end) {
    return whole <= kCountMax / unit->size ? std::optional{whole * unit->size} : std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number_end, value);
  if (error != std::errc{} || end != number_end) return std::nullopt;
  const double scaled = std::round(value * static_cast<double>(unit->size));
  if (!(scaled <= static_cast<double>(kCountMax))) return std::nullopt;
  return static_cast<std::int64_t>(scaled);
}

std::string show(std::int64_t value, bool as_duration) {
  return as_duration ? format_duration(Duration{value}) : std::to_string(value);
}

std::string bounds(Range range, bool as_duration = false) {
  const bool has_max = range.max != Range{}.max;
  if (range.min == 1 && !has_max) return " above zero";
  if (has_max) {
    return " from " + show(range.min, as_duration) + " to " + show(range.max, as_duration);
  }
  if (range.min != Range{}.min) return " of at least " + show(range.min, as_duration);
  return "";
}

void expected(const Place& place, const std::string& what) {
  place.problem("expected " + what + ", found " + describe_found(place.node));
}

template <class Integer>
void read_integer(const Place& place, Integer& value, Range range) {
  const Range whole{
      std::max<std::int64_t>(range.min, 0),
      static_cast<std::int64_t>(std::min<std::uint64_t>(std::numeric_limits<Integer>::max(),
                                                        static_cast<std::uint64_t>(range.max)))};
  const std::string& text = place.node.text;
  std::int64_t parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  const bool ok = place.node.kind == Node::Kind::scalar && !place.node.quoted &&
                  error == std::errc{} && end == text.data() + text.size() && parsed >= whole.min &&
                  parsed <= whole.max;
  if (!ok) return expected(place, "a whole number" + bounds(whole));
  value = static_cast<Integer>(parsed);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  std::string_view nearest;
  std::size_t least = word.size() / 2 + 1;  // Farther than half the word is another word.
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) least = distance, nearest = candidate;
  }
  return nearest.empty() ? "" : "; did you mean \"" + std::string{nearest} + "\"?";
}

std::string one_of(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += '"' + std::string{words[i]} + '"';
  }
  return out;
}

std::string describe_found(const Node& node) {
  constexpr std::size_t kShownMax = 60;
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "an object";
    case Node::Kind::scalar: break;
  }
  std::string shown{"\""};
  shown.append(node.text, 0, kShownMax);
  if (node.text.size() > kShownMax) shown += "…";
  return shown + '"';
}

void read(const Place& place, std::string& value, Range range) {
  const bool wants_content = range.min >= 1;
  if (place.node.kind != Node::Kind::scalar || (wants_content && place.node.text.empty())) {
    return expected(place, wants_content ? "a text that is not empty" : "a text");
  }
  value = place.node.text;
}

void read(const Place& place, bool& value, Range) {
  const bool plain = place.node.kind == Node::Kind::scalar && !place.node.quoted;
  if (plain && (place.node.text == "true" || place.node.text == "false")) {
    value = place.node.text == "true";
    return;
  }
  expected(place, "true or false");
}

void read(const Place& place, std::uint16_t& value, Range range) {
  read_integer(place, value, range);
}
void read(const Place& place, std::uint32_t& value, Range range) {
  read_integer(place, value, range);
}
void read(const Place& place, std::uint64_t& value, Range range) {
  read_integer(place, value, range);
}

void read(const Place& place, double& value, Range range) {
  const std::string& text = place.node.text;
  double parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  const bool ok = place.node.kind == Node::Kind::scalar && !place.node.quoted &&
                  error == std::errc{} && end == text.data() + text.size() &&
                  parsed >= static_cast<double>(range.min) &&
                  parsed <= static_cast<double>(range.max);
  if (!ok) return expected(place, "a number" + bounds(range));
  value = parsed;
}

void read(const Place& place, Duration& value, Range range) {
  const auto parsed =
      place.node.kind == Node::Kind::scalar ? parse_duration(place.node.text) : std::nullopt;
  if (!parsed || parsed->count() < range.min || parsed->count() > range.max) {
    return expected(place, "a duration" + bounds(range, true) + ", such as \"250ms\" or \"5s\"");
  }
  value = *parsed;
}

std::optional<std::size_t> read_word(const Place& place, std::span<const std::string_view> words) {
  if (place.node.kind == Node::Kind::scalar) {
    const auto found = std::find(words.begin(), words.end(), place.node.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  place.problem(
      "expected " + one_of(words) + ", found " + describe_found(place.node) +
      (place.node.kind == Node::Kind::scalar ? did_you_mean(place.node.text, words) : ""));
  return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const auto count = parse_with_unit(text, kDurationUnits);
  if (!count) return std::nullopt;
  return Duration{*count};
}

std::string format_duration(Duration duration) {
  const std::int64_t count = duration.count();
  for (auto unit = kDurationUnits.rbegin(); unit != kDurationUnits.rend(); ++unit) {
    if (count % unit->size == 0 && (count != 0 || unit->name == "s")) {
      return std::to_string(count / unit->size) + std::string{unit->name};
    }
  }
  return std::to_string(count) + "ns";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto count = parse_with_unit(text, kSizeUnits);
  if (!count) return std::nullopt;
  return static_cast<std::uint64_t>(*count);
}

ObjectReader::ObjectReader(const Place& place)
    : place_(place), is_map_(place.node.kind == Node::Kind::map) {
  if (!is_map_) expected(place, "an object");
}

std::string ObjectReader::path_of(std::string_view key) const {
  return place_.path.empty() ? std::string{key} : place_.path + '.' + std::string{key};
}

void ObjectReader::any_of(Keys keys, std::string_view words) {
  const bool found =
      std::any_of(keys.begin(), keys.end(), [&](auto key) { return find(key) != nullptr; });
  if (is_map_ && !found) place_.problem(std::string{words});
}

void ObjectReader::any_of_when(std::string_view key, std::string_view word, Keys keys,
                               std::string_view words) {
  const Node* node = find(key);
  if (node != nullptr && node->text == word) any_of(keys, words);
}

void ObjectReader::problem_at(std::string_view key, std::string words) const {
  const Node* node = find(key);
  if (node != nullptr) place_.child(*node, path_of(key)).problem(std::move(words));
}

void ObjectReader::finish() {
  // What only editors need ("$schema") is nothing to suggest.
  std::vector<std::string_view> words = known_;
  std::erase_if(words, [](std::string_view key) { return key.starts_with('$'); });
  for (const Node::Entry& entry : place_.node.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    place_.problems.push_back(
        {entry.at, path_of(entry.key),
         "unknown key; expected one of " + one_of(words) + did_you_mean(entry.key, words)});
  }
}

}  // namespace lb::config
