#include "lbcore/config/reference.h"

namespace lb::config {
namespace {

std::string number(const std::string& kind, Range range) {
  const std::string from = kind + " from " + std::to_string(range.min);
  return range.max == Range{}.max ? from : from + " to " + std::to_string(range.max);
}

}  // namespace

std::string type_words(const std::string&, Range) { return "text"; }

std::string type_words(const bool&, Range) { return "true or false"; }

std::string type_words(const std::uint16_t&, Range range) {
  return type_words(std::uint32_t{}, range);
}

std::string type_words(const std::uint32_t&, Range range) { return number("whole number", range); }

std::string type_words(const std::uint64_t&, Range range) { return number("whole number", range); }

std::string type_words(const double&, Range range) { return number("number", range); }

std::string type_words(const Duration&, Range range) {
  return range.min >= 1 ? "duration above zero" : "duration";
}

std::string type_words(const std::vector<std::string>&, Range) { return "list of texts"; }

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
