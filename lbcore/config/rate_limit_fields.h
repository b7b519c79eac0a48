// The keys of a rate limit.
#pragma once

#include <string>

#include "lbcore/config/json.h"
#include "lbcore/config/key_expression.h"
#include "lbcore/config/reader.h"
#include "lbcore/rate_limiter.h"

namespace lb::config {

// Requests a second, within the bounds of RateLimitConfig.
struct Rate {
  double& per_second;
};
struct Writing;
class Definitions;

void read(const Place& place, Rate& value, Range range = {});
[[nodiscard]] Json write(Writing, const Rate& value);
[[nodiscard]] std::string type_words(const Rate& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const Rate& value, Range range = {});

template <class Fields>
void describe(Fields& fields, RateLimitConfig& limit) {
  fields.optional("key", limit.key, "whose requests are counted together");
  Rate rate{limit.rate};
  fields.required("rate", rate, "requests a second of one key, on average");
  fields.required("burst", limit.burst, {.min = 1, .max = RateLimitConfig::kBurstMax},
                  "requests at once of a key that has been quiet");
  fields.optional("max_keys", limit.max_keys, {.min = 1, .max = RateLimitConfig::kKeysMax},
                  "keys that are remembered, in each worker");
}

}  // namespace lb::config
