#include "lbnet/io.h"

#include <cstring>

namespace lb::net {

std::string describe(IoError error) {
  switch (error) {
    case kEndOfStream: return "the other side closed";
    case kTruncated: return "the other side closed without TLS's word for it";
    case kTlsFailure: return "TLS failed";
    default: return std::strerror(error);
  }
}

}  // namespace lb::net
