#include "lbnet/affinity_cookie.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace lb::net {
namespace {

constexpr std::size_t kValueBytes = 16;

std::string digest(const std::string& secret, const std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
  const auto secret_size = static_cast<int>(secret.size());
  if (HMAC(EVP_sha256(), secret.data(), secret_size, data, text.size(), bytes.data(), &size) ==
          nullptr ||
      size < kValueBytes) {
    throw std::runtime_error("cannot make the digest of an affinity cookie");
  }
  std::string value;
  for (std::size_t i = 0; i < kValueBytes; ++i) {
    value += kDigits[bytes[i] >> 4U];
    value += kDigits[bytes[i] & 0xfU];
  }
  return value;
}

}  // namespace

AffinityCookies::AffinityCookies(const ClusterPlan& plan) {
  const AffinityCookieConfig& config = plan.config.affinity->cookie;
  name_ = config.name;
  std::string attributes = "; Path=/; HttpOnly; SameSite=Lax";
  if (config.ttl > Duration::zero()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(config.ttl).count();
    attributes += "; Max-Age=" + std::to_string(seconds);
  }
  for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
    // A zero byte cannot be in either name, so that no two pairs look the same.
    const std::string text = plan.config.name + '\0' + plan.config.backends[i].id;
    const std::string value = digest(config.secret, text);
    cookies_.push_back(
        {value, "Set-Cookie: " + name_ + '=' + value + attributes + "\r\n", plan.backend_ids[i]});
  }
  std::sort(cookies_.begin(), cookies_.end(),
            [](const Cookie& a, const Cookie& b) { return a.value < b.value; });
}

std::optional<BackendId> AffinityCookies::backend_of(std::string_view value) const {
  const auto place =
      std::lower_bound(cookies_.begin(), cookies_.end(), value,
                       [](const Cookie& cookie, std::string_view v) { return cookie.value < v; });
  if (place == cookies_.end() || place->value != value) return std::nullopt;
  return place->backend;
}

std::string_view AffinityCookies::field_for(BackendId backend) const {
  for (const Cookie& cookie : cookies_) {
    if (cookie.backend == backend) return cookie.field;
  }
  return {};
}

}  // namespace lb::net
