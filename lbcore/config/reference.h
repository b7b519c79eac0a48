// Lists the keys of a configuration with their types, defaults and meanings, by the same describe()
// that reads them: docs/configuration.md is made from it, and a test sees that it stays so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/writer.h"

namespace lb::config {

struct Key {
  std::string path;  // Such as clusters[].backends[].weight
  std::string type;
  std::string default_value;  // As JSON; empty where there is none.
  bool required = false;
  std::string doc;
};

class KeyLister : public WithoutRules {
 public:
  // `doc_prefix` goes before the meaning of every key.
  KeyLister(std::vector<Key>& keys, std::string prefix, std::string doc_prefix = {})
      : keys_(keys), prefix_(std::move(prefix)), doc_prefix_(std::move(doc_prefix)) {}

  template <class T>
  void required(std::string_view key, T& value, Range range, std::string_view doc) {
    list(key, value, range, doc, true);
  }
  template <class T>
  void required(std::string_view key, T& value, std::string_view doc) {
    list(key, value, Range{}, doc, true);
  }
  template <class T>
  void optional(std::string_view key, T& value, Range range, std::string_view doc) {
    list(key, value, range, doc, false);
  }
  template <class T>
  void optional(std::string_view key, T& value, std::string_view doc) {
    list(key, value, Range{}, doc, false);
  }

 private:
  template <class T>
  void list(std::string_view key, T& value, Range range, std::string_view doc, bool required);

  std::vector<Key>& keys_;
  std::string prefix_;
  std::string doc_prefix_;
};

// The type of a value in words.
[[nodiscard]] std::string type_words(const std::string&, Range range);
[[nodiscard]] std::string type_words(const bool&, Range range);
[[nodiscard]] std::string type_words(const std::uint16_t&, Range range);
[[nodiscard]] std::string type_words(const std::uint32_t&, Range range);
[[nodiscard]] std::string type_words(const std::uint64_t&, Range range);
[[nodiscard]] std::string type_words(const double&, Range range);
[[nodiscard]] std::string type_words(const Duration&, Range range);
[[nodiscard]] std::string type_words(const std::vector<std::string>&, Range range);

template <class T>
std::string type_words(const std::optional<T>&, Range range) {
  return type_words(T{}, range);
}

template <class Enum>
requires std::is_enum_v<Enum> std::string type_words(const std::vector<Enum>&, Range range);

template <class Enum>
requires std::is_enum_v<Enum> std::string type_words(const Enum&, Range) {
  std::vector<std::string_view> words;
  for (const auto& [_, word] : EnumWords<Enum>::words) words.push_back(word);
  return one_of(words);
}

// An object with keys of its own; one that may be absent and a list of them are taken apart too.
template <class Enum>
requires std::is_enum_v<Enum> std::string type_words(const std::vector<Enum>&, Range range) {
  return "list of " + type_words(Enum{}, range);
}

template <class T>
concept HasKeys = DescribesItself<T> || requires(T& value, KeyLister& lister) {
  describe(lister, value);
};

template <class T>
struct Inside {
  using Type = T;
  static constexpr const char* kWords = "object";
  static constexpr const char* kPath = ".";
};
template <class T>
struct Inside<std::optional<T>> : Inside<T> {};
template <class T>
struct Inside<std::vector<T>> {
  using Type = T;
  static constexpr const char* kWords = "list";
  static constexpr const char* kPath = "[].";
};

template <class T>
void KeyLister::list(std::string_view key, T& value, Range range, std::string_view doc,
                     bool required) {
  const std::string path = prefix_ + std::string{key};
  using Inner = Inside<T>;
  if constexpr (HasKeys<typename Inner::Type>) {
    keys_.push_back({path, Inner::kWords, "", required, doc_prefix_ + std::string{doc}});
    typename Inner::Type inner{};
    KeyLister lister(keys_, path + Inner::kPath);
    describe_value(lister, inner);
  } else {
    const Json written = write(Writing{}, value);
    keys_.push_back({path, type_words(value, range),
                     required || written.is_null() ? "" : written.dump(), required,
                     doc_prefix_ + std::string{doc}});
    if constexpr (requires { list_options(keys_, path, value); }) {
      list_options(keys_, path + '.', value);
    }
  }
}

// Every key of lbd's configuration, parents before children.
[[nodiscard]] std::vector<Key> configuration_keys();

// The same as a Markdown table.
[[nodiscard]] std::string configuration_reference();

}  // namespace lb::config
