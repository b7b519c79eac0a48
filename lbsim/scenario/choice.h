// An object with exactly one key, which says what kind of thing the value is: how a scenario writes
// a std::variant, such as {"lognormal": {"mean": "5ms", "sigma": 0.8}}.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lbcore/config/reader.h"
#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"

namespace lb::scenario {

struct Choice {
  std::size_t index = 0;
  const config::Node* value = nullptr;
};

// Nothing after reporting what was expected.
inline std::optional<Choice> read_choice(const config::Place& place,
                                         std::span<const std::string_view> kinds) {
  using config::Node;
  if (place.node.kind == Node::Kind::map && place.node.entries.size() == 1) {
    const Node::Entry& entry = place.node.entries.front();
    const auto kind = std::find(kinds.begin(), kinds.end(), entry.key);
    if (kind != kinds.end()) {
      return Choice{static_cast<std::size_t>(kind - kinds.begin()), &entry.value};
    }
    place.problems.push_back({entry.at, place.path,
                              "expected " + config::one_of(kinds) + ", found \"" + entry.key + '"' +
                                  config::did_you_mean(entry.key, kinds)});
    return std::nullopt;
  }
  place.problem("expected an object with one key, " + config::one_of(kinds) + ", found " +
                config::describe_found(place.node));
  return std::nullopt;
}

template <class T, class Variant>
void read_alternative(const config::Place& place, Variant& value) {
  using config::read;
  T alternative{};
  read(place, alternative);
  value = std::move(alternative);
}

// `kinds` has one word for each alternative, in their order.
template <class... Ts>
void read_variant(const config::Place& place, std::variant<Ts...>& value,
                  std::span<const std::string_view> kinds) {
  const auto choice = read_choice(place, kinds);
  if (!choice) return;
  const config::Place inner =
      place.child(*choice->value, place.path + '.' + std::string{kinds[choice->index]});
  std::size_t index = 0;
  ((index++ == choice->index ? read_alternative<Ts>(inner, value) : void()), ...);
}

template <class... Ts>
config::Json write_variant(const std::variant<Ts...>& value,
                           std::span<const std::string_view> kinds) {
  config::Json object = config::Json::object();
  const auto write_it = [&](const auto& alternative) {
    object[std::string{kinds[value.index()]}] = write(config::Writing{}, alternative);
  };
  std::visit(write_it, value);
  return object;
}

template <class... Ts>
config::Json variant_schema(config::Definitions& definitions, const std::variant<Ts...>&,
                            std::span<const std::string_view> kinds) {
  std::vector<config::Json> schemas;
  const auto add = [&](auto alternative) {
    config::ObjectSchema object(definitions);
    object.required(kinds[schemas.size()], alternative, "");
    schemas.push_back(object.take());
  };
  (add(Ts{}), ...);
  return config::any_of_schemas(std::move(schemas));
}

}  // namespace lb::scenario
