#include "lbcore/routing/cors.h"

#include <algorithm>
#include <chrono>

#include "lbcore/assert.h"
#include "lbcore/routing/host.h"

namespace lb {
namespace {

constexpr std::string_view kAny = "*";

std::string list_of(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) {
    if (!list.empty()) list += ", ";
    list += item;
  }
  return list;
}

void add_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Cors::Cors(const CorsConfig& config) {
  for (const std::string& origin : config.origins) {
    LB_ASSERT(is_origin_pattern(origin));
    const std::size_t star = origin.find('*');
    if (origin == kAny) {
      any_origin_ = true;
    } else if (star == std::string::npos) {
      origins_.push_back(to_lower(origin));
    } else {
      suffixes_.push_back(to_lower(origin.substr(0, star)));
      suffixes_.push_back(to_lower(origin.substr(star + 1)));
    }
  }
  if (config.credentials) add_field("Access-Control-Allow-Credentials", "true", with_answers_);
  with_preflights_ = with_answers_;
  if (!config.expose.empty()) {
    add_field("Access-Control-Expose-Headers", list_of(config.expose), with_answers_);
  }
  add_field("Access-Control-Allow-Methods", list_of(config.methods), with_preflights_);
  if (!config.headers.empty()) {
    add_field("Access-Control-Allow-Headers", list_of(config.headers), with_preflights_);
  }
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(config.max_age).count();
  add_field("Access-Control-Max-Age", std::to_string(age), with_preflights_);
}

bool Cors::is_preflight(const RequestAttributes& request) {
  return request.method == "OPTIONS" && request.header("origin") &&
         request.header("access-control-request-method");
}

bool Cors::allows(std::string_view origin) const {
  if (any_origin_) return true;
  for (const std::string& allowed : origins_) {
    if (equal_in_any_case(allowed, origin)) return true;
  }
  for (std::size_t i = 0; i < suffixes_.size(); i += 2) {
    const std::string& scheme = suffixes_[i];
    const std::string& domain = suffixes_[i + 1];
    if (origin.size() <= scheme.size() + domain.size()) continue;
    const std::string_view below =
        origin.substr(scheme.size(), origin.size() - scheme.size() - domain.size());
    const bool fits = equal_in_any_case(origin.substr(0, scheme.size()), scheme) &&
                      equal_in_any_case(origin.substr(origin.size() - domain.size()), domain);
    if (fits && is_host_name(below)) return true;
  }
  return false;
}

// False without an origin, or with one that may not see the answer. Caches have to know in any case
// that another origin would get another answer.
bool Cors::write_origin(const RequestAttributes& request, std::string& out) const {
  out.clear();
  if (any_origin_) {
    add_field("Access-Control-Allow-Origin", kAny, out);
    return true;
  }
  add_field("Vary", "Origin", out);
  const auto origin = request.header("origin");
  if (!origin || !allows(*origin)) return false;
  add_field("Access-Control-Allow-Origin", *origin, out);
  return true;
}

void Cors::write_fields(const RequestAttributes& request, std::string& out) const {
  if (write_origin(request, out)) out += with_answers_;
}

bool Cors::write_preflight_fields(const RequestAttributes& request, std::string& out) const {
  if (!write_origin(request, out)) return false;
  out += with_preflights_;
  return true;
}

bool is_origin_pattern(std::string_view text) {
  if (text == kAny) return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view authority = text.substr(scheme.size());
    if (authority.starts_with("*.")) authority.remove_prefix(2);
    return is_authority(authority);
  }
  return false;
}

}  // namespace lb
