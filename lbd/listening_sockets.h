// Sockets that listen: one a worker for each address. The files of unix sockets are ours to keep
// while a listener has them, and to remove when none has them any more.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lbnet/endpoint.h"

namespace lb::daemon {

// Of one listener, one a worker, until the workers take them over. Those of a unix socket are one
// and the same.
struct OpenedSockets {
  std::vector<int> fds;
  std::string path;  // Of the unix socket that was made for it.
};
using OpenedByListener = std::map<std::string, OpenedSockets>;

// Closes them all, and removes what was made for them.
void discard(OpenedByListener opened);

class ListeningSockets {
 public:
  // Opens `count` of them. `ours`: a listener of ours has the address, and gives it up when this
  // one takes over. False with errno set, and what was opened in `sockets`.
  [[nodiscard]] bool open(const net::Endpoint& endpoint, std::uint32_t count, bool ours,
                          OpenedSockets& sockets) const;

  // Takes unix sockets that were opened into its keeping, and drops those whose path nobody uses.
  void keep(const OpenedByListener& opened, const std::set<std::string>& paths);

  // Who connects to a unix socket from now on is refused, and the next lbd finds nothing in its
  // way.
  void remove_all();

 private:
  std::map<std::string, int, std::less<>>
      unix_sockets_;  // By path: a descriptor of our own of each.
};

}  // namespace lb::daemon
