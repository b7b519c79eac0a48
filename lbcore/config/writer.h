// Writes typed structs as JSON, by the same describe() that reads them. What was written reads
// back as the same value.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"

namespace lb::config {

// First argument of every write(): it makes the overloads of this namespace visible to the
// templates below, wherever a type is declared.
struct Writing {};

inline Json write(Writing, const std::string& value) { return value; }
inline Json write(Writing, bool value) { return value; }
inline Json write(Writing, std::uint16_t value) { return value; }
inline Json write(Writing, std::uint32_t value) { return value; }
inline Json write(Writing, std::uint64_t value) { return value; }
inline Json write(Writing, double value) { return value; }
inline Json write(Writing, Duration value) { return format_duration(value); }

class ObjectWriter : public WithoutRules {
 public:
  template <class T>
  void required(std::string_view key, const T& value, Range, std::string_view) {
    put(key, value);
  }
  template <class T>
  void required(std::string_view key, const T& value, std::string_view) {
    put(key, value);
  }
  template <class T>
  void optional(std::string_view key, const T& value, Range, std::string_view) {
    put(key, value);
  }
  template <class T>
  void optional(std::string_view key, const T& value, std::string_view) {
    put(key, value);
  }

  // Where a list is optional, an empty one is no list.
  template <class T>
  void optional(std::string_view key, const std::vector<T>& list, Range, std::string_view) {
    if (!list.empty()) put(key, list);
  }
  template <class T>
  void optional(std::string_view key, const std::vector<T>& list, std::string_view doc) {
    optional(key, list, Range{}, doc);
  }

  Json take() { return std::move(object_); }

 private:
  template <class T>
  void put(std::string_view key, const T& value);

  Json object_ = Json::object();
};

template <class Enum>
requires std::is_enum_v<Enum> Json write(Writing, Enum value) {
  for (const auto& [candidate, word] : EnumWords<Enum>::words) {
    if (candidate == value) return word;
  }
  return nullptr;
}

template <class T>
requires std::is_class_v<T> Json write(Writing, const T& value) {
  ObjectWriter writer;
  T copy = value;  // describe() takes what it may also read into.
  describe_value(writer, copy);
  return writer.take();
}

template <class T>
Json write(Writing, const std::optional<T>& value) {
  return value ? write(Writing{}, *value) : Json{};
}

template <class T>
Json write(Writing, const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(write(Writing{}, value));
  return list;
}

template <class T>
void ObjectWriter::put(std::string_view key, const T& value) {
  Json written = write(Writing{}, value);
  if (!written.is_null()) object_[std::string{key}] = std::move(written);
}

}  // namespace lb::config
