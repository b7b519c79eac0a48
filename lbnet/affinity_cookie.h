// The cookie that keeps a client on its backend.
//
// Its value is a keyed digest of cluster and backend (HMAC-SHA-256, RFC 2104, of which 128 bits are
// kept): nobody without the secret can name a backend, and the cookie tells nobody its name. The
// digests are made once for each configuration; a request costs a search among them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/cluster_config.h"

namespace lb::net {

class AffinityCookies {
 public:
  AffinityCookies() = default;
  // For the backends of a plan whose configuration has affinity. Throws std::runtime_error when
  // the digest cannot be made, which has no cause but a broken installation.
  explicit AffinityCookies(const ClusterPlan& plan);

  [[nodiscard]] const std::string& name() const { return name_; }

  // Whom a cookie's value names; nothing for one that this cluster did not make.
  [[nodiscard]] std::optional<BackendId> backend_of(std::string_view value) const;

  // The Set-Cookie field that names a backend, with its line end; empty for one that has left.
  [[nodiscard]] std::string_view field_for(BackendId backend) const;

 private:
  struct Cookie {
    std::string value;
    std::string field;
    BackendId backend;
  };
  std::string name_;
  std::vector<Cookie> cookies_;  // By value.
};

}  // namespace lb::net
