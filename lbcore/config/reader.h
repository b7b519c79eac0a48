// Reads a document into typed structs and collects every problem on the way.
//
// A struct says once what its keys are, in a function template `describe(fields, value)` (or a
// member describe(fields)), and the same words serve to read it (ObjectReader) and to write it
// (ObjectWriter, in writer.h):
//
//   template <class Fields>
//   void describe(Fields& fields, BackendConfig& backend) {
//     fields.required("id", backend.id, "name, unique in its cluster");
//     fields.optional("weight", backend.weight, {.min = 1, .max = 65535}, "share of the traffic");
//   }
//
// An optional key that is absent leaves the member at its default. Keys nobody asked for are
// problems, with the nearest known key as a suggestion. What else has to hold, describe() cannot
// say: a function `check(const ObjectReader&, const T&)` beside it does, and reports it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/node.h"
#include "lbcore/time.h"

namespace lb::config {

// Bounds of a number, both allowed. For a duration they are nanoseconds.
struct Range {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
inline constexpr Range kAboveZero{.min = 1};
inline constexpr Range kFromZero{.min = 0};

using Keys = std::initializer_list<std::string_view>;

// The words of an enum: specialise with `static constexpr std::array<std::pair<E, const char*>,
// N>`.
template <class Enum>
struct EnumWords;

// A value and where it stands: what every read() works on.
struct Place {
  const Node& node;
  std::string path;
  std::vector<Problem>& problems;

  void problem(std::string message) const {
    problems.push_back({node.at, path, std::move(message)});
  }
  [[nodiscard]] Place child(const Node& child, std::string child_path) const {
    return {child, std::move(child_path), problems};
  }
};

// The word of `known` closest to `word`, when it is close enough to be a slip.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);
// "a", "b" or "c"
[[nodiscard]] std::string one_of(std::span<const std::string_view> words);
// What a value looks like, for "expected …, found …".
[[nodiscard]] std::string describe_found(const Node& node);

void read(const Place& place, std::string& value, Range range = {});
void read(const Place& place, bool& value, Range range = {});
void read(const Place& place, std::uint16_t& value, Range range = {});
void read(const Place& place, std::uint32_t& value, Range range = {});
void read(const Place& place, std::uint64_t& value, Range range = {});
void read(const Place& place, double& value, Range range = {});
void read(const Place& place, Duration& value, Range range = {});

// Reads a word out of `words`; the index of the word, or nothing after reporting.
[[nodiscard]] std::optional<std::size_t> read_word(const Place& place,
                                                   std::span<const std::string_view> words);

// "250ms", "1.5s", "2m", "1h", "100us", "0s".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration duration);
// "64KiB", "10MB", "512": bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// The keys of one object.
class ObjectReader {
 public:
  ObjectReader(const Place& place);
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  template <class T>
  void required(std::string_view key, T& value, Range range, std::string_view doc) {
    if (!read_key(key, value, range) && is_map_) {
      place_.problem("\"" + std::string{key} + "\" is missing: " + std::string{doc});
    }
  }
  template <class T>
  void required(std::string_view key, T& value, std::string_view doc) {
    required(key, value, Range{}, doc);
  }
  template <class T>
  void optional(std::string_view key, T& value, Range range, std::string_view) {
    read_key(key, value, range);
  }
  template <class T>
  void optional(std::string_view key, T& value, std::string_view doc) {
    optional(key, value, Range{}, doc);
  }
  // A key that was read by other means.
  void known(std::string_view key) { known_.push_back(key); }

  // Which keys have to be there together; `words` say what is wrong otherwise.
  void any_of(Keys keys, std::string_view words);
  // Where `key` has this value.
  void any_of_when(std::string_view key, std::string_view word, Keys keys, std::string_view words);

  // The value under `key`, for checks that need its place. Null when absent.
  [[nodiscard]] const Node* find(std::string_view key) const { return place_.node.find(key); }
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::string path_of(std::string_view key) const;

  // Reports `words` at the value of `key`, when it is there.
  void problem_at(std::string_view key, std::string words) const;
  // Reports the keys nobody asked for.
  void finish();

 private:
  template <class T>
  bool read_key(std::string_view key, T& value, Range range);

  const Place& place_;
  bool is_map_ = false;
  std::vector<std::string_view> known_;
};

// For those to whom rules between keys mean nothing.
struct WithoutRules {
  void any_of(Keys, std::string_view) {}
};

template <class T>
concept DescribesItself = requires(T& value, ObjectReader& reader) {
  value.describe(reader);
};

template <class T>
concept HasChecks = requires(const T& value, const ObjectReader& reader) {
  check(reader, value);
};

template <class T>
void describe_value(auto& fields, T& value) {
  if constexpr (DescribesItself<T>) {
    value.describe(fields);
  } else {
    describe(fields, value);
  }
}

template <class Enum>
requires std::is_enum_v<Enum>
void read(const Place& place, Enum& value, Range = {}) {
  std::vector<std::string_view> words;
  for (const auto& [_, word] : EnumWords<Enum>::words) words.push_back(word);
  if (const auto index = read_word(place, words)) value = EnumWords<Enum>::words[*index].first;
}

template <class T>
requires std::is_class_v<T>
void read(const Place& place, T& value, Range = {}) {
  ObjectReader reader(place);
  describe_value(reader, value);
  if constexpr (HasChecks<T>) check(reader, value);
  reader.finish();
}

template <class T>
void read(const Place& place, std::optional<T>& value, Range range = {}) {
  T present{};
  read(place, present, range);
  value = std::move(present);
}

template <class T>
void read(const Place& place, std::vector<T>& value, Range range = {}) {
  if (place.node.kind != Node::Kind::list) {
    place.problem("expected a list, found " + describe_found(place.node));
    return;
  }
  value.clear();
  for (std::size_t i = 0; i < place.node.items.size(); ++i) {
    T item{};
    read(place.child(place.node.items[i], place.path + '[' + std::to_string(i) + ']'), item, range);
    value.push_back(std::move(item));
  }
}

template <class T>
bool ObjectReader::read_key(std::string_view key, T& value, Range range) {
  known_.push_back(key);
  const Node* node = find(key);
  if (node == nullptr) return false;
  read(place_.child(*node, path_of(key)), value, range);
  return true;
}

}  // namespace lb::config
