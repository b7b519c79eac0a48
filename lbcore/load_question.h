// What a strategy that asks backends for their load wants them to be asked. Whoever carries the
// question looks here and need not know which strategies ask.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "lbcore/strategy/registry.h"

namespace lb {

template <class Config>
concept AsksForLoad = requires(Config& config) {
  config.path;
  config.probe_max_age;
};

struct LoadQuestion {
  std::string path;    // What is asked for, over HTTP.
  Duration max_age{};  // An answer that takes longer would not be believed.
  bool operator==(const LoadQuestion&) const = default;
};

// Nothing for a strategy that does not ask.
[[nodiscard]] inline std::optional<LoadQuestion> load_question(const StrategyConfig& config) {
  return std::visit(
      []<class Config>(const Config& each) -> std::optional<LoadQuestion> {
        if constexpr (AsksForLoad<const Config>) {
          return LoadQuestion{each.path, each.probe_max_age};
        } else {
          return std::nullopt;
        }
      },
      config);
}

}  // namespace lb
