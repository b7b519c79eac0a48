#include "lbcore/strategy/registry.h"

#include <utility>

namespace lb {
namespace {

template <std::size_t... I>
std::vector<StrategyConfig> defaults(std::index_sequence<I...>) {
  return {StrategyConfig{std::in_place_index<I>}...};
}

}  // namespace

std::vector<StrategyConfig> all_strategies() {
  return defaults(std::make_index_sequence<std::variant_size_v<StrategyConfig>>{});
}

std::string_view strategy_name(const StrategyConfig& config) {
  return std::visit([](const auto& c) { return c.kName; }, config);
}

std::unique_ptr<Strategy> make_strategy(const StrategyConfig& config) {
  return std::visit([](const auto& c) { return make_strategy(c); }, config);
}

const KeyExpression& key_expression(const StrategyConfig& config) {
  static const KeyExpression client_ip;
  return std::visit(
      [](const auto& c) -> const KeyExpression& {
        if constexpr (requires { c.key; }) {
          return c.key;
        } else {
          return client_ip;
        }
      },
      config);
}

}  // namespace lb
