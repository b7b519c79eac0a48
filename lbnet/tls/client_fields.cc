#include "lbnet/tls/client_fields.h"

#include "lbcore/routing/header_rules.h"

namespace lb::net::tls {

std::string client_fields(const TlsFacts& facts) {
  std::string lines;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty() || !is_field_value(value)) return;
    lines.append("X-SSL-Client-").append(name).append(": ").append(value).append("\r\n");
  };
  add("Verify", facts.has_certificate && facts.verified ? "SUCCESS" : "NONE");
  if (!facts.has_certificate) return lines;
  add("DN", facts.subject);
  add("Issuer-DN", facts.issuer);
  add("Serial", facts.serial);
  add("SHA256", facts.fingerprint);
  return lines;
}

}  // namespace lb::net::tls
