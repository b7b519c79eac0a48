// Refusal: the end of a connection whose client has too many of them.
#pragma once

#include "lbnet/listener.h"
#include "lbnet/stream.h"

namespace lb::net {

class Worker;

// An HTTP client reads 429, if it reads soon; any other, and one that speaks TLS, which would have
// to be shaken hands with first, finds its connection reset.
void refuse_connection(Worker& worker, const ListenerSetup& setup, Stream down);

}  // namespace lb::net
