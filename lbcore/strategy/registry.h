// The strategies there are, in the order the documentation lists them. One line each.
#pragma once

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbcore/strategy/first.h"
#include "lbcore/strategy/ip_hash.h"
#include "lbcore/strategy/least_connections.h"
#include "lbcore/strategy/least_dynamic_score.h"
#include "lbcore/strategy/least_ewma_latency.h"
#include "lbcore/strategy/least_request.h"
#include "lbcore/strategy/maglev.h"
#include "lbcore/strategy/peak_ewma.h"
#include "lbcore/strategy/prequal.h"
#include "lbcore/strategy/random.h"
#include "lbcore/strategy/rendezvous.h"
#include "lbcore/strategy/ring_hash.h"
#include "lbcore/strategy/round_robin.h"
#include "lbcore/strategy/weighted_round_robin.h"

namespace lb {

using StrategyConfig = std::variant<RoundRobinConfig,          //
                                    WeightedRoundRobinConfig,  //
                                    RandomConfig,              //
                                    LeastRequestConfig,        //
                                    LeastConnectionsConfig,    //
                                    LeastEwmaLatencyConfig,    //
                                    LeastDynamicScoreConfig,   //
                                    PeakEwmaConfig,            //
                                    PrequalConfig,             //
                                    IpHashConfig,              //
                                    RingHashConfig,            //
                                    MaglevConfig,              //
                                    RendezvousConfig,          //
                                    FirstConfig>;

// Every strategy with its defaults.
[[nodiscard]] std::vector<StrategyConfig> all_strategies();

[[nodiscard]] std::string_view strategy_name(const StrategyConfig& config);

[[nodiscard]] std::unique_ptr<Strategy> make_strategy(const StrategyConfig& config);

// What the key of a request is made from: of a strategy that hashes what it is told to; the
// client's address otherwise.
[[nodiscard]] const KeyExpression& key_expression(const StrategyConfig& config);

}  // namespace lb
