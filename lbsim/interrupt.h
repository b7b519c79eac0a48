// Ctrl-C and TERM end what takes long in good order; a second one ends it at once.
#pragma once

#include <atomic>

namespace lb::sim {

// From now on the signals only set what interrupted() gives.
void catch_interrupts();
[[nodiscard]] const std::atomic<bool>& interrupted();
// 128 + the signal that came, as shells have it: 130 for Ctrl-C.
[[nodiscard]] int interrupted_exit_code();

}  // namespace lb::sim
