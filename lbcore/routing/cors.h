// Cors: which pages of other origins may use what a route answers, by the Fetch standard, section
// "CORS protocol". Browsers keep the rules; a server says what they are: in the answer to a
// preflight before a request that is not simple, and with every answer.
//
// GUARANTEES   What is written is made of the configuration, and of an Origin that it allows,
// letter
//   by letter. Nothing allocates but `out`, once it has grown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbcore/routing/route_config.h"

namespace lb {

class Cors {
 public:
  // REQUIRES: check_route() found nothing wrong.
  explicit Cors(const CorsConfig& config);

  // A browser asks what it may do; the server behind should not be bothered with it.
  [[nodiscard]] static bool is_preflight(const RequestAttributes& request);

  [[nodiscard]] bool allows(std::string_view origin) const;

  // The fields of an answer, each with its line end, in place of what is in `out`.
  void write_fields(const RequestAttributes& request, std::string& out) const;
  // Those of the answer to a preflight. False when its origin is none that may ask.
  [[nodiscard]] bool write_preflight_fields(const RequestAttributes& request,
                                            std::string& out) const;

 private:
  [[nodiscard]] bool write_origin(const RequestAttributes& request, std::string& out) const;

  bool any_origin_ = false;
  std::vector<std::string> origins_;   // In lower case.
  std::vector<std::string> suffixes_;  // "https://" and ".example.com", one after the other.
  std::string with_answers_;
  std::string with_preflights_;
};

// "https://example.com", "https://*.example.com" for every name below it, or "*".
[[nodiscard]] bool is_origin_pattern(std::string_view text);

}  // namespace lb
