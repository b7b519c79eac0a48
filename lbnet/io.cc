#include "lbnet/io.h"

#include <cerrno>
#include <cstring>

namespace lb::net {

bool is_own_shortage(IoError error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

std::string describe(IoError error) {
  switch (error) {
    case kEndOfStream: return "the other side closed";
    case kTruncated: return "the other side closed without TLS's word for it";
    case kTlsFailure: return "TLS failed";
    default: return std::strerror(error);
  }
}

}  // namespace lb::net
