#include "lbcore/config/reference.h"

namespace lb::config {

std::string type_words(const std::string&, Range) { return "text"; }

std::string type_words(const bool&, Range) { return "true or false"; }

std::string type_words(const std::uint32_t&, Range range) {
  return "whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

std::string type_words(const Duration&, Range range) {
  return range.min >= 1 ? "duration above zero" : "duration";
}

std::string configuration_reference() {
  std::string table = "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const Key& key : configuration_keys()) {
    const std::string value = key.required                ? "required"
                              : key.default_value.empty() ? ""
                                                          : '`' + key.default_value + '`';
    table += "| `" + key.path + "` | " + key.type + " | " + value + " | " + key.doc + " |\n";
  }
  return table;
}

}  // namespace lb::config
