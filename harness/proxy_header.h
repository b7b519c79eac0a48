// The PROXY header in front of a connection, as a backend that expects one reads it. Source:
// proxy-protocol.txt of HAProxy, sections 2.1 and 2.2. What lbd writes is held against this, so
// nothing of it comes from there.
#pragma once

#include <cstddef>
#include <string_view>

#include "lbcore/client_identity.h"

namespace lb::harness {

struct ProxyHeader {
  enum class State { more, whole, bad };
  State state = State::more;
  std::size_t size = 0;  // Of a whole one, in bytes.
};

// What `bytes` begin with. Addresses have to be there, and be ones, wherever the header says that
// it has some: of TCP, of one family, with ports. Of extensions in version 2 only the length is
// looked at. REQUIRES: version is not none.
[[nodiscard]] ProxyHeader read_proxy_header(std::string_view bytes, SentProxyHeader version);

}  // namespace lb::harness
