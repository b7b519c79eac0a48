// What certificates say, as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

struct X509_name_st;
struct x509_st;

namespace lb::net::tls {

// A host name as it is compared: in lower case, without a final dot.
[[nodiscard]] std::string normal_name(std::string_view name);

// The DNS names a certificate is for, normal and sorted, without doubles: those of its subject
// alternative names, or for want of any its common name.
[[nodiscard]] std::vector<std::string> dns_names(const x509_st* certificate);

[[nodiscard]] std::string text_of(const X509_name_st* name);  // RFC 2253.
[[nodiscard]] std::string serial_of(const x509_st* certificate);
[[nodiscard]] std::string fingerprint_of(const x509_st* certificate);  // SHA-256, in hex.

[[nodiscard]] bool is_ip_address(std::string_view host);

// The reason of OpenSSL's last error on this thread.
[[nodiscard]] std::string last_error();

}  // namespace lb::net::tls
