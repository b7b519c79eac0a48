// What backends are told of a client's certificate.
#pragma once

#include <string>

#include "lbnet/tls/tls_connection.h"

namespace lb::net::tls {

// X-SSL-Client-Verify (SUCCESS, or NONE without a certificate), -DN, -Issuer-DN, -Serial and
// -SHA256, each with its line end. A value that cannot stand in a field is left out with its name.
[[nodiscard]] std::string client_fields(const TlsFacts& facts);

}  // namespace lb::net::tls
