#include "lbsim/progress_line.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lb::sim {
namespace {

constexpr int kBarCells = 20;

std::string bar(double share) {
  std::string text;
  const int filled = static_cast<int>(share * kBarCells + 0.5);
  for (int n = 0; n < kBarCells; ++n) text += n < filled ? "█" : "░";
  return text;
}

}  // namespace

ProgressLine::ProgressLine(bool wanted)
    : wanted_(wanted && isatty(STDERR_FILENO) != 0),
      start_(Clock::now()) {}  // tidy: for the person who waits; no run sees it

void ProgressLine::show_runs(std::size_t done, std::size_t total) {
  if (!due()) return;
  const double share = static_cast<double>(done) / static_cast<double>(total);
  print(fmt::format("{} of {} runs, {}", done, total, time_left(share)));
}

void ProgressLine::show_time(Duration simulated, Duration duration, std::uint64_t events) {
  if (!due()) return;
  const auto seconds = [](Duration of) { return std::chrono::duration<double>(of).count(); };
  const double share = std::min(seconds(simulated) / seconds(duration), 1.0);
  const double passed = std::chrono::duration<double>(now_ - start_).count();
  print(fmt::format("{} {:3.0f} %  {:.3g} s of {:.3g} s  {:.1f} M events/s  {}", bar(share),
                    share * 100, seconds(simulated), seconds(duration),
                    static_cast<double>(events) / passed / 1e6, time_left(share)));
}

void ProgressLine::clear() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
  visible_ = false;
}

bool ProgressLine::due() {
  if (!wanted_) return false;
  const Clock::time_point now = Clock::now();  // tidy: for the person who waits
  if (now - std::max(now_, start_) < std::chrono::milliseconds{100}) return false;
  now_ = now;
  return true;
}

void ProgressLine::print(const std::string& text) {
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  visible_ = true;
}

std::string ProgressLine::time_left(double share) const {
  if (share <= 0) return "";
  const double passed = std::chrono::duration<double>(now_ - start_).count();
  return fmt::format("{:.0f} s left", passed / share * (1 - share));
}

}  // namespace lb::sim
