#include "lbsim/scenario/series.h"

namespace lb::scenario {

std::string_view to_string(ClientResult result) {
  switch (result) {
    case ClientResult::ok: return "ok";
    case ClientResult::server_error: return "server_error";
    case ClientResult::timed_out: return "timed_out";
    case ClientResult::failed: return "failed";
  }
  return "?";
}

void Series::add(const Sample& sample) {
  ++results[static_cast<std::size_t>(sample.result)];
  if (sample.result == ClientResult::ok) latency.add(sample.latency);
}

std::uint64_t Series::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t result : results) sum += result;
  return sum;
}

double Series::error_ratio() const {
  if (count() == 0) return 0;
  return static_cast<double>(count() - count(ClientResult::ok)) / static_cast<double>(count());
}

double Series::ratio(ClientResult result) const {
  return count() == 0 ? 0 : static_cast<double>(count(result)) / static_cast<double>(count());
}

}  // namespace lb::scenario
