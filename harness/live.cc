#include "harness/live.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

namespace lb::harness {

std::string LiveSecond::finish(std::uint64_t second) {
  using scenario::ClientResult;
  const scenario::Series series = std::exchange(series_, {});
  const std::uint64_t good = series.count(ClientResult::ok);
  const std::uint64_t answered = good + series.count(ClientResult::server_error);
  const auto p99_us = std::chrono::duration<double, std::micro>(series.latency.quantile(0.99));
  const std::string p99 =
      good == 0 ? std::string{"-"} : fmt::format("{:.1f} ms", p99_us.count() / 1000);
  std::string line = fmt::format("{:>4} s {:>8}/s {:>6} errors   p99 {:>10}", second, answered,
                                 series.count() - good, p99);
  for (const std::string& event : std::exchange(events_, {})) line += "   " + event;
  return line;
}

}  // namespace lb::harness
