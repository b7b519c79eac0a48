// The clock of the measured world.
#pragma once

#include <chrono>

#include "lbcore/time.h"

namespace lb::harness {

using Clock = std::chrono::steady_clock;

}  // namespace lb::harness
