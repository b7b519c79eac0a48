// How the harness ends, and the exception that carries it from where something went wrong to main.
#pragma once

#include <stdexcept>
#include <string>

namespace lb::harness {

inline constexpr int kExitDone = 0;
inline constexpr int kExitNotHeld = 1;      // It ran, and what was asked did not hold.
inline constexpr int kExitBadInput = 2;     // Bad usage or an invalid file; nothing was started.
inline constexpr int kExitEnvironment = 3;  // A port is taken, a program is missing, …
inline constexpr int kExitInterrupted = 130;

// what() is for people: where, what was expected, what to do instead.
class HarnessError : public std::runtime_error {
 public:
  HarnessError(int exit_code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace lb::harness
