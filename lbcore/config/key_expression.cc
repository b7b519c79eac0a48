#include "lbcore/config/key_expression.h"

#include <algorithm>
#include <array>

#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"

namespace lb::config {
namespace {

using Source = KeyExpression::Source;

struct SourceWord {
  Source source;
  std::string_view word;
};
constexpr std::array<SourceWord, 2> kPlain{
    {{Source::client_ip, "client_ip"}, {Source::path, "path"}}};
constexpr std::array<SourceWord, 3> kNamed{
    {{Source::header, "header"}, {Source::cookie, "cookie"}, {Source::query, "query"}}};

constexpr std::string_view kExpected =
    R"(expected "client_ip", "path", {header: name}, {cookie: name} or {query: name}, found )";

const SourceWord* find_word(std::span<const SourceWord> words, std::string_view word) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const SourceWord& each) { return each.word == word; });
  return found == words.end() ? nullptr : &*found;
}

std::string suggestion(std::span<const SourceWord> words, std::string_view word) {
  std::vector<std::string_view> known;
  for (const SourceWord& each : words) known.push_back(each.word);
  return did_you_mean(word, known);
}

void report(const Place& place, const std::string& found, const std::string& hint = "") {
  std::string message{kExpected};
  message += found;
  message += hint;
  place.problem(std::move(message));
}

void read_named(const Place& place, KeyExpression& value) {
  if (place.node.entries.size() != 1) return report(place, describe_found(place.node));
  const Node::Entry& entry = place.node.entries.front();
  const SourceWord* word = find_word(kNamed, entry.key);
  if (word == nullptr) {
    return report(place, '"' + entry.key + '"', suggestion(kNamed, entry.key));
  }
  value.source = word->source;
  read(place.child(entry.value, place.path + '.' + entry.key), value.name, kAboveZero);
}

}  // namespace

void read(const Place& place, KeyExpression& value, Range) {
  if (place.node.kind == Node::Kind::map) return read_named(place, value);
  const SourceWord* word =
      place.node.kind == Node::Kind::scalar ? find_word(kPlain, place.node.text) : nullptr;
  if (word == nullptr) {
    return report(place, describe_found(place.node), suggestion(kPlain, place.node.text));
  }
  value = {word->source, ""};
}

Json write(Writing, const KeyExpression& value) {
  for (const SourceWord& each : kPlain) {
    if (each.source == value.source) return each.word;
  }
  for (const SourceWord& each : kNamed) {
    if (each.source == value.source) return Json{{each.word, value.name}};
  }
  return nullptr;
}

std::string type_words(const KeyExpression&, Range) {
  return "`client_ip`, `path`, `{header: …}`, `{cookie: …}` or `{query: …}`";
}

Json schema_of(Definitions& definitions, const KeyExpression& value, Range) {
  std::vector<Json> kinds(1);
  for (const SourceWord& each : kPlain) kinds.front()["enum"].push_back(each.word);
  for (const SourceWord& each : kNamed) {
    std::string name;
    ObjectSchema object(definitions);
    object.required(each.word, name, kAboveZero, "");
    kinds.push_back(object.take());
  }
  Json schema = any_of_schemas(std::move(kinds));
  schema["default"] = write(Writing{}, value);
  return schema;
}

}  // namespace lb::config
