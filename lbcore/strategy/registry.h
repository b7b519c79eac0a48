// The strategies there are, in the order the documentation lists them. One line each.
#pragma once

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "lbcore/strategy/ip_hash.h"
#include "lbcore/strategy/least_connections.h"
#include "lbcore/strategy/least_request.h"
#include "lbcore/strategy/random.h"
#include "lbcore/strategy/round_robin.h"
#include "lbcore/strategy/weighted_round_robin.h"

namespace lb {

using StrategyConfig = std::variant<RoundRobinConfig,          //
                                    WeightedRoundRobinConfig,  //
                                    RandomConfig,              //
                                    LeastRequestConfig,        //
                                    LeastConnectionsConfig,    //
                                    IpHashConfig>;

// Every strategy with its defaults.
[[nodiscard]] std::vector<StrategyConfig> all_strategies();

[[nodiscard]] std::string_view strategy_name(const StrategyConfig& config);

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const StrategyConfig& config);

}  // namespace lb
