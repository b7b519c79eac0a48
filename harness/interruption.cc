#include "harness/interruption.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "harness/errors.h"

namespace lb::harness {

Interruption::Interruption() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, &mask_before_);
  descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0) throw HarnessError(kExitEnvironment, "cannot watch for signals: signalfd");
}

Interruption::~Interruption() {
  // Take what is pending, or unblocking would end the process after all.
  signalfd_siginfo info{};
  while (::read(descriptor_, &info, sizeof info) > 0) {
  }
  ::close(descriptor_);
  ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Interruption::check() const {
  // Not read, so that every later check sees it too.
  pollfd poll{descriptor_, POLLIN, 0};
  if (::poll(&poll, 1, 0) > 0) throw Interrupted{};
}

}  // namespace lb::harness
