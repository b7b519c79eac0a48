#include "lbcore/config/rate_limit_fields.h"

#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"

namespace lb::config {
namespace {

constexpr std::string_view kWords = "number from 0.001 to 1000000 requests a second";
static_assert(RateLimitConfig::kRateMin == 0.001 && RateLimitConfig::kRateMax == 1'000'000);

}  // namespace

void read(const Place& place, Rate& value, Range) {
  std::vector<Problem> ignored;
  double parsed = 0;
  read(Place{place.node, place.path, ignored}, parsed, Range{});
  const bool in_bounds = parsed >= RateLimitConfig::kRateMin && parsed <= RateLimitConfig::kRateMax;
  if (!ignored.empty() || !in_bounds) {
    std::string message = "expected a ";
    message += kWords;
    message += ", found ";
    message += describe_found(place.node);
    return place.problem(std::move(message));
  }
  value.per_second = parsed;
}

Json write(Writing, const Rate& value) { return value.per_second; }

std::string type_words(const Rate&, Range) { return std::string{kWords}; }

Json schema_of(Definitions&, const Rate&, Range) {
  return {{"type", "number"},
          {"minimum", RateLimitConfig::kRateMin},
          {"maximum", RateLimitConfig::kRateMax}};
}

}  // namespace lb::config
