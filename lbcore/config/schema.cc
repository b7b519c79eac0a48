#include "lbcore/config/schema.h"

#include <algorithm>
#include <limits>

namespace lb::config {
namespace {

constexpr std::string_view kNumber = "([0-9]+\\.?[0-9]*|\\.[0-9]+)";

std::string duration_pattern(std::string_view before) {
  std::string pattern{"^"};
  return pattern.append(before).append(kNumber).append("(ns|us|ms|s|m|h)$");
}

template <class Integer>
Json integer_schema(Integer value, Range range) {
  constexpr auto kGreatest = std::min<std::uint64_t>(std::numeric_limits<Integer>::max(),
                                                     std::numeric_limits<std::int64_t>::max());
  return {{"type", "integer"},
          {"minimum", std::max<std::int64_t>(range.min, 0)},
          {"maximum", std::min<std::int64_t>(range.max, kGreatest)},
          {"default", value}};
}

// A number or a word in place of a text is one, as it stands there.
Json text_schema(Definitions& definitions) {
  return definitions.refer("text", [] {
    return Json{{"type", Json::array({"string", "number", "boolean"})}};
  });
}

Json list_of(Keys keys) {
  return {{"required", std::vector<std::string>(keys.begin(), keys.end())}};
}

Json one_each(Keys keys) {
  Json list = Json::array();
  for (const std::string_view key : keys) list.push_back(list_of({key}));
  return list;
}

}  // namespace

Json Definitions::whole(std::string_view title, const Json& root) const {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(root);
  schema["$defs"] = made_;
  return schema;
}

Json name_schema(Definitions& definitions) {
  return definitions.refer("name", [] {
    return Json{{"type", Json::array({"string", "number", "boolean"})}, {"minLength", 1}};
  });
}

Json map_schema(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

Json one_key_schema(std::string_view key, Json value) {
  return {{"type", "object"},
          {"properties", {{std::string{key}, std::move(value)}}},
          {"required", Json::array({key})},
          {"additionalProperties", false}};
}

Json not_empty(Json list) {
  list["minItems"] = 1;
  return list;
}

Json any_of_schemas(std::vector<Json> schemas) { return {{"anyOf", std::move(schemas)}}; }

Json schema_of(Definitions& definitions, const std::string& value, Range range) {
  Json schema = range.min >= 1 ? name_schema(definitions) : text_schema(definitions);
  if (!value.empty()) schema["default"] = value;
  return schema;
}

Json schema_of(Definitions&, const bool& value, Range) {
  return {{"type", "boolean"}, {"default", value}};
}

Json schema_of(Definitions&, const std::uint16_t& value, Range range) {
  return integer_schema(value, range);
}

Json schema_of(Definitions&, const std::uint32_t& value, Range range) {
  return integer_schema(value, range);
}

Json schema_of(Definitions&, const std::uint64_t& value, Range range) {
  return integer_schema(value, range);
}

Json schema_of(Definitions&, const double& value, Range range) {
  Json schema = {{"type", "number"}};
  if (range.min != Range{}.min) schema["minimum"] = range.min;
  if (range.max != Range{}.max) schema["maximum"] = range.max;
  schema["default"] = value;
  return schema;
}

// Bounds other than above zero are not in the pattern: the reader alone knows them.
Json schema_of(Definitions& definitions, const Duration& value, Range range) {
  Json schema = range.min >= 1
                    ? definitions.refer(
                          "length",
                          [] {
                            return Json{{"type", "string"},
                                        {"pattern", duration_pattern("(?=[0-9.]*[1-9])")},
                                        {"description", "a duration above zero, such as 250ms"}};
                          })
                    : definitions.refer("duration", [] {
                        return Json{{"type", "string"},
                                    {"pattern", duration_pattern("")},
                                    {"description", "a duration, such as 250ms or 5s"}};
                      });
  schema["default"] = format_duration(value);
  return schema;
}

void ObjectSchema::word(std::string_view key, std::string_view word) {
  required_.push_back(key);
  properties_[std::string{key}] = {{"const", word}};
}

void ObjectSchema::any_of(Keys keys, std::string_view) {
  rules_.push_back({{"anyOf", one_each(keys)}});
}

void ObjectSchema::any_of_when(std::string_view key, std::string_view word, Keys keys,
                               std::string_view) {
  const Json when = {{"properties", {{std::string{key}, {{"const", word}}}}},
                     {"required", Json::array({key})}};
  rules_.push_back({{"if", when}, {"then", {{"anyOf", one_each(keys)}}}});
}

Json ObjectSchema::take() {
  Json object = {{"type", "object"}, {"properties", std::move(properties_)}};
  if (!required_.empty()) {
    object["required"] = std::vector<std::string>(required_.begin(), required_.end());
  }
  object["additionalProperties"] = false;
  if (!rules_.empty()) object["allOf"] = std::move(rules_);
  return object;
}

}  // namespace lb::config
