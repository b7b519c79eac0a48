#include "lbcore/connection_pool.h"

#include "lbcore/assert.h"
#include "lbcore/subject.h"

namespace lb {

ConnectionId ConnectionPool::open(BackendSlot backend) {
  if (backend >= idle_.size()) idle_.resize(backend + 1);
  return connections_.insert(Connection{backend, false, {}, {}, {}});
}

std::optional<ConnectionId> ConnectionPool::check_out(BackendSlot backend) {
  if (idle_count(backend) == 0) return std::nullopt;
  const ConnectionId id = idle_[backend].newest;
  leave_idle(id);
  return id;
}

std::optional<ConnectionId> ConnectionPool::check_in(ConnectionId id, Instant expires,
                                                     std::uint32_t max_idle) {
  Connection& connection = connections_.at(id);
  LB_ASSERT(!connection.idle);
  IdleList& list = idle_[connection.backend];
  connection.idle = true;
  connection.older = list.newest;
  connection.newer = {};
  (list.newest ? connections_.at(list.newest).newer : list.oldest) = id;
  list.newest = id;
  ++list.count;
  connection.deadline = deadlines_.set(DeadlineKind::pooled, expires, subject_of(id));
  if (list.count <= max_idle) return std::nullopt;
  return close_oldest_idle(connection.backend);
}

void ConnectionPool::close(ConnectionId id) {
  if (!connections_.contains(id)) return;
  if (connections_.at(id).idle) leave_idle(id);
  connections_.erase(id);
}

std::optional<ConnectionId> ConnectionPool::close_oldest_idle(BackendSlot backend) {
  if (idle_count(backend) == 0) return std::nullopt;
  const ConnectionId oldest = idle_[backend].oldest;
  close(oldest);
  return oldest;
}

std::vector<ConnectionId> ConnectionPool::idle_connections() {
  std::vector<ConnectionId> idle;
  connections_.for_each([&](ConnectionId id, const Connection& connection) {
    if (connection.idle) idle.push_back(id);
  });
  return idle;
}

void ConnectionPool::leave_idle(ConnectionId id) {
  Connection& connection = connections_.at(id);
  IdleList& list = idle_[connection.backend];
  (connection.older ? connections_.at(connection.older).newer : list.oldest) = connection.newer;
  (connection.newer ? connections_.at(connection.newer).older : list.newest) = connection.older;
  --list.count;
  connection.idle = false;
  deadlines_.cancel(connection.deadline);
}

}  // namespace lb
