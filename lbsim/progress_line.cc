#include "lbsim/progress_line.h"

#include <unistd.h>

#include <cstdio>

namespace lb::sim {

ProgressLine::ProgressLine(std::size_t total)
    : total_(total),
      wanted_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()) {}  // tidy: for the person who waits; no run sees it

void ProgressLine::show(std::size_t done) {
  if (!wanted_) return;
  const Clock::time_point now = Clock::now();  // tidy: for the person who waits
  if (now - shown_ < std::chrono::milliseconds{100}) return;
  shown_ = now;
  const double passed = std::chrono::duration<double>(now - start_).count();
  const double left = passed / static_cast<double>(done) * static_cast<double>(total_ - done);
  std::fprintf(stderr, "\r%zu of %zu runs, %.0f s left\x1b[K", done, total_, left);
  visible_ = true;
}

void ProgressLine::clear() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
  visible_ = false;
}

}  // namespace lb::sim
