// Makes a JSON Schema (draft 2020-12) by the same describe() that reads: what editors and
// validators know of keys, types, words, bounds and defaults is what the reader knows.
//
// LAW  What the reader accepts, the schema accepts. The other way it is as strict as a schema can
//   be: what only fits together (names that have to exist, addresses, one value below another), the
//   reader alone refuses.
//
// A type with a read() of its own has a schema_of() beside it, which says what that read() takes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"
#include "lbcore/config/writer.h"

namespace lb::config {

// What a schema has once and refers to: its "$defs". First argument of every schema_of(), so that
// the overloads of this namespace are visible wherever a type is declared.
class Definitions {
 public:
  // A reference to what `make` returns; it is called for the first use of the name alone.
  template <class Make>
  Json refer(std::string_view name, Make&& make) {
    if (!made_.contains(name)) {
      Json definition = make();
      made_[std::string{name}] = std::move(definition);
    }
    return {{"$ref", "#/$defs/" + std::string{name}}};
  }

  // `root` with "$schema" and `title` in front and the definitions behind.
  [[nodiscard]] Json whole(std::string_view title, const Json& root) const;

 private:
  Json made_ = Json::object();
};

// A default stands where there is one: of an object, with its keys.
[[nodiscard]] Json schema_of(Definitions& definitions, const std::string& value, Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const bool& value, Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const std::uint16_t& value,
                             Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const std::uint32_t& value,
                             Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const std::uint64_t& value,
                             Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const double& value, Range range = {});
[[nodiscard]] Json schema_of(Definitions& definitions, const Duration& value, Range range = {});

// A text that is not empty.
[[nodiscard]] Json name_schema(Definitions& definitions);

// Any object whose values are of one kind.
[[nodiscard]] Json map_schema(Json values);

// An object with this key alone.
[[nodiscard]] Json one_key_schema(std::string_view key, Json value);

// A list that has something in it.
[[nodiscard]] Json not_empty(Json list);

// What fits one of these.
[[nodiscard]] Json any_of_schemas(std::vector<Json> schemas);

class ObjectSchema {
 public:
  explicit ObjectSchema(Definitions& definitions) : definitions_(definitions) {}

  template <class T>
  void required(std::string_view key, T& value, Range range, std::string_view doc) {
    required_.push_back(key);
    add(key, value, range, doc).erase("default");
  }
  template <class T>
  void required(std::string_view key, T& value, std::string_view doc) {
    required(key, value, Range{}, doc);
  }
  template <class T>
  void optional(std::string_view key, T& value, Range range, std::string_view doc) {
    add(key, value, range, doc);
  }
  template <class T>
  void optional(std::string_view key, T& value, std::string_view doc) {
    add(key, value, Range{}, doc);
  }
  // A key whose value is this word.
  void word(std::string_view key, std::string_view word);

  void any_of(Keys keys, std::string_view words);
  void any_of_when(std::string_view key, std::string_view word, Keys keys, std::string_view words);

  [[nodiscard]] Json take();

 private:
  template <class T>
  Json& add(std::string_view key, T& value, Range range, std::string_view doc) {
    Json& property = properties_[std::string{key}] = schema_of(definitions_, value, range);
    if (!doc.empty()) property["description"] = doc;
    return property;
  }

  Definitions& definitions_;
  Json properties_ = Json::object();
  std::vector<std::string_view> required_;
  Json rules_ = Json::array();
};

template <class Enum>
requires std::is_enum_v<Enum> Json schema_of(Definitions&, const Enum& value, Range = {}) {
  Json words = Json::array();
  for (const auto& [_, word] : EnumWords<Enum>::words) words.push_back(word);
  return {{"enum", std::move(words)}, {"default", write(Writing{}, value)}};
}

template <class T>
requires std::is_class_v<T> Json schema_of(Definitions& definitions, const T& value, Range = {}) {
  ObjectSchema object(definitions);
  T copy = value;  // describe() takes what it may also read into.
  describe_value(object, copy);
  return object.take();
}

template <class T>
Json schema_of(Definitions& definitions, const std::optional<T>&, Range range = {}) {
  Json schema = schema_of(definitions, T{}, range);
  schema.erase("default");
  return schema;
}

template <class T>
Json schema_of(Definitions& definitions, const std::vector<T>&, Range range = {}) {
  Json items = schema_of(definitions, T{}, range);
  items.erase("default");
  return {{"type", "array"}, {"items", std::move(items)}};
}

}  // namespace lb::config
