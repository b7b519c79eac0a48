#include "lbcore/routing/header_rules.h"

#include <algorithm>
#include <array>

#include "lbcore/assert.h"
#include "lbcore/routing/host.h"

namespace lb {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Fields that say where a message ends or what becomes of its connection: an extra one could make
// the next hop see another message than we do.
constexpr std::array<std::string_view, 10> kFraming{
    "connection",         "content-length",   "expect", "keep-alive",
    "proxy-authenticate", "proxy-connection", "te",     "trailer",
    "transfer-encoding",  "upgrade"};

}  // namespace

HeaderRules::HeaderRules(const HeaderRulesConfig& config) {
  for (const NamedValues* values : {&config.set, &config.add}) {
    for (const NamedValue& field : values->items) {
      LB_ASSERT(is_token(field.name) && is_field_value(field.value) && !why_reserved(field.name));
      lines_ += field.name + ": " + field.value + "\r\n";
    }
  }
  for (const NamedValue& field : config.defaults.items) {
    LB_ASSERT(is_token(field.name) && is_field_value(field.value) && !why_reserved(field.name));
    defaults_.push_back({field.name, field.name + ": " + field.value + "\r\n"});
  }
  for (const NamedValue& field : config.set.items) dropped_.push_back(to_lower(field.name));
  for (const std::string& name : config.remove) {
    LB_ASSERT(!why_reserved(name));
    dropped_.push_back(to_lower(name));
  }
}

// A handful of names: a walk is faster than anything clever.
bool HeaderRules::drops(std::string_view name) const {
  return std::any_of(dropped_.begin(), dropped_.end(),
                     [&](const std::string& dropped) { return equal_in_any_case(dropped, name); });
}

NamedValues security_headers(bool secure) {
  NamedValues fields{{{"X-Content-Type-Options", "nosniff"},
                      {"X-Frame-Options", "DENY"},
                      {"Referrer-Policy", "strict-origin-when-cross-origin"}}};
  if (secure) fields.items.push_back({"Strict-Transport-Security", "max-age=31536000"});
  return fields;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::optional<std::string> why_reserved(std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower == "host") return "Host is set by \"rewrite: {host: …}\"";
  if (lower.starts_with("x-forwarded-")) return "the proxy writes X-Forwarded-* itself";
  if (lower == "forwarded") return "the proxy writes Forwarded itself: see \"forwarded\"";
  if (std::find(kFraming.begin(), kFraming.end(), lower) != kFraming.end()) {
    return "the proxy writes the fields that frame a message itself";
  }
  return std::nullopt;
}

}  // namespace lb
