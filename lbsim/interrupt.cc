#include "lbsim/interrupt.h"

#include <csignal>

namespace lb::sim {
namespace {

std::atomic<bool> g_interrupted = false;
std::atomic<int> g_signal = SIGINT;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a handler may touch nothing else");

void handle(int signal) {
  g_signal = signal;
  g_interrupted = true;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = static_cast<int>(SA_RESETHAND | static_cast<unsigned>(SA_RESTART));
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& interrupted() { return g_interrupted; }

int interrupted_exit_code() { return 128 + g_signal; }

}  // namespace lb::sim
