#include "harness/service_time.h"

#include <charconv>

#include "lbcore/config/reader.h"

namespace lb::harness {
namespace {

std::optional<scenario::Distribution> parse_lognormal(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto mean = config::parse_duration(text.substr(0, comma));
  const std::string_view sigma_text = text.substr(comma + 1);
  double sigma = 0;
  const auto [end, error] =
      std::from_chars(sigma_text.data(), sigma_text.data() + sigma_text.size(), sigma);
  const bool whole = error == std::errc{} && end == sigma_text.data() + sigma_text.size();
  // The bounds of the scenario file. Written so that "nan" fails too.
  if (!mean || !whole || !(sigma >= 0 && sigma <= 5)) return std::nullopt;
  return scenario::Lognormal{*mean, sigma};
}

}  // namespace

std::optional<scenario::Distribution> parse_service_time(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (kind == "lognormal") return parse_lognormal(rest);
  const auto duration = config::parse_duration(rest);
  if (!duration) return std::nullopt;
  if (kind == "constant") return scenario::Constant{*duration};
  if (kind == "exponential") return scenario::Exponential{*duration};
  return std::nullopt;
}

}  // namespace lb::harness
