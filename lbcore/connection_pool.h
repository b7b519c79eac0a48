// ConnectionPool: which upstream connections of one data brain are in use, idle or gone.
//
// It keeps handles, not sockets. A connection is opened in use, checked in when its request is
// done, checked out again newest first (the newest is the least likely to be closed by its peer
// and the others can age out), and closed. Every operation is O(1) and, once grown, free of
// allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lbcore/cluster_config.h"
#include "lbcore/deadline_table.h"
#include "lbcore/ids.h"
#include "lbcore/slab.h"
#include "lbcore/time.h"

namespace lb {

// Where a backend stands in its Balancer's table; small and dense, reused after a removal.
using BackendSlot = std::uint32_t;

class ConnectionPool {
 public:
  // Idle deadlines are kept in the owner's table; their subject is subject_of(connection).
  explicit ConnectionPool(DeadlineTable& deadlines) : deadlines_(deadlines) {}

  // A new connection, in use by a request.
  [[nodiscard]] ConnectionId open(Instant now, BackendSlot backend) {
    return insert({.backend = backend, .opened = now, .requests = 1});
  }
  // A new connection nobody uses yet; it is opening, and idle when it is checked in.
  [[nodiscard]] ConnectionId open_spare(Instant now, BackendSlot backend) {
    return insert({.backend = backend, .opening = true, .opened = now});
  }

  // The newest idle connection of this backend, now in use; an empty id when there is none.
  [[nodiscard]] ConnectionId check_out(BackendSlot backend);

  // Back to idle after a request, until its idle timeout or the end of its life, whichever comes
  // first. What the configuration does not let live is closed and returned, and the caller must
  // close its socket: this one when it has served enough or is too old, or the oldest idle one
  // when there are too many. REQUIRES: the connection is in use.
  [[nodiscard]] std::optional<ConnectionId> check_in(Instant now, ConnectionId id,
                                                     const ConnectionPoolConfig& config);

  // Gone, whether it was idle or in use. An id already gone is ignored.
  void close(ConnectionId id);

  // Closes the oldest idle connection of a backend; call until it returns nothing.
  [[nodiscard]] std::optional<ConnectionId> close_oldest_idle(BackendSlot backend);

  [[nodiscard]] bool is_idle(ConnectionId id) const {
    return connections_.contains(id) && connections_.at(id).idle;
  }
  // Whose it is; nothing for one that is gone.
  [[nodiscard]] std::optional<BackendSlot> backend_of(ConnectionId id) const {
    return connections_.contains(id) ? std::optional{connections_.at(id).backend} : std::nullopt;
  }
  [[nodiscard]] std::uint32_t idle_count(BackendSlot backend) const {
    return backend < idle_.size() ? idle_[backend].count : 0;
  }
  // Those that nobody has said of yet whether they are open.
  [[nodiscard]] std::uint32_t spares_opening(BackendSlot backend) const {
    return backend < idle_.size() ? idle_[backend].spares_opening : 0;
  }
  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] std::vector<ConnectionId> idle_connections();  // All of them; O(size()).

 private:
  struct Connection {
    BackendSlot backend = 0;
    bool idle = false;
    bool opening = false;  // A spare one.
    Instant opened;
    std::uint64_t requests = 0;  // It was used for.
    DeadlineId deadline;
    ConnectionId older, newer;
  };
  struct IdleList {
    ConnectionId oldest, newest;
    std::uint32_t count = 0;
    std::uint32_t spares_opening = 0;
  };

  ConnectionId insert(const Connection& connection);
  void opened(Connection& connection);
  void leave_idle(Connection& connection);

  DeadlineTable& deadlines_;
  Slab<Connection, ConnectionId> connections_;
  std::vector<IdleList> idle_;  // By BackendSlot.
};

}  // namespace lb
