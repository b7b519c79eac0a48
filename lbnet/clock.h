// The steady clock as an Instant of the brain. The only reader of it in the project.
#pragma once

#include <chrono>

#include "lbcore/time.h"

namespace lb::net {

[[nodiscard]] inline Instant now() {
  return Instant{
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace lb::net
