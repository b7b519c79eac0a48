// INT and TERM as something that can be waited for and asked about, so that a run can be unwound
// in order: every child ended, the temporary folder removed.
#pragma once

#include <csignal>
#include <exception>

namespace lb::harness {

// Carries an interruption to main. Not a HarnessError: nothing went wrong.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

// While it lives, INT and TERM do not end the process; they make descriptor() readable.
// One at a time.
class Interruption {
 public:
  // Throws HarnessError when the system refuses.
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  // Throws Interrupted once either signal has come.
  void check() const;

 private:
  int descriptor_ = -1;
  sigset_t mask_before_{};
};

}  // namespace lb::harness
