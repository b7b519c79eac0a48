#include "lbsim/experiment/figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace lb::experiment {
namespace {

using config::Json;

void append(Figures& figures, const Json& json, const std::string& path) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      append(figures, value, path.empty() ? key : path + '.' + key);
    }
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (json[i].is_object()) append(figures, json[i], path + '[' + std::to_string(i) + ']');
    }
  } else if (json.is_boolean()) {
    figures.push_back({path, json.get<bool>() ? 1.0 : 0.0});
  } else if (json.is_number()) {
    figures.push_back({path, json.get<double>()});
  }
}

}  // namespace

Figures figures_of(const Json& report) {
  Figures figures;
  append(figures, report, "");
  return figures;
}

std::optional<double> find(const Figures& figures, std::string_view name, std::size_t guess) {
  if (guess < figures.size() && figures[guess].name == name) return figures[guess].value;
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  if (found == figures.end()) return std::nullopt;
  return found->value;
}

Better better_direction(std::string_view name) {
  constexpr std::array<std::string_view, 17> kLower{
      "error_ratio",     "server_error",  "server_error_ratio", "timed_out",
      "timed_out_ratio", "failed",        "failed_ratio",       "retries",
      "retry_ratio",     "refused_ratio", "amplification",      "in_system_mean",
      "queue_mean",      "queue_max",     "ejections",          "out_s"};
  constexpr std::array<std::string_view, 5> kHigher{"ok", "ok_ratio", "throughput", "fairness",
                                                    "passed"};
  const std::size_t dot = name.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  if (last.ends_with("_ms")) return Better::lower;
  if (std::find(kLower.begin(), kLower.end(), last) != kLower.end()) return Better::lower;
  if (std::find(kHigher.begin(), kHigher.end(), last) != kHigher.end()) return Better::higher;
  return Better::neither;
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  const bool integer = std::abs(value) < kExactIntegers && value == std::floor(value);
  const auto end =
      integer ? std::to_chars(text.data(), text.data() + text.size(), static_cast<long long>(value))
              : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

}  // namespace lb::experiment
