// GoogleTest prints the name of a strategy where it would print the bytes of its configuration.
#pragma once

#include <ostream>

#include "lbcore/strategy/registry.h"

namespace lb {

inline void PrintTo(const StrategyConfig& config, std::ostream* out) {
  *out << strategy_name(config);
}

}  // namespace lb
