#include "lbcore/connection_pool.h"

#include <algorithm>

#include "lbcore/assert.h"
#include "lbcore/subject.h"

namespace lb {

ConnectionId ConnectionPool::insert(const Connection& connection) {
  if (connection.backend >= idle_.size()) idle_.resize(connection.backend + 1);
  if (connection.opening) ++idle_[connection.backend].spares_opening;
  return connections_.insert(connection);
}

void ConnectionPool::opened(Connection& connection) {
  if (connection.opening) --idle_[connection.backend].spares_opening;
  connection.opening = false;
}

ConnectionId ConnectionPool::check_out(BackendSlot backend) {
  if (idle_count(backend) == 0) return {};
  const ConnectionId id = idle_[backend].newest;
  Connection& connection = connections_.at(id);
  leave_idle(connection);
  ++connection.requests;
  return id;
}

std::optional<ConnectionId> ConnectionPool::check_in(Instant now, ConnectionId id,
                                                     const ConnectionPoolConfig& config) {
  Connection& connection = connections_.at(id);
  LB_ASSERT(!connection.idle);
  opened(connection);
  const bool limited = config.max_age > Duration::zero();
  const bool worn_out = config.max_requests > 0 && connection.requests >= config.max_requests;
  if (worn_out || (limited && now - connection.opened >= config.max_age)) {
    close(id);
    return id;
  }
  Instant expires = now + config.idle_timeout;
  if (limited) expires = std::min(expires, connection.opened + config.max_age);
  IdleList& list = idle_[connection.backend];
  connection.idle = true;
  connection.older = list.newest;
  connection.newer = {};
  (list.newest ? connections_.at(list.newest).newer : list.oldest) = id;
  list.newest = id;
  ++list.count;
  connection.deadline = deadlines_.set(DeadlineKind::pooled, expires, subject_of(id));
  if (list.count <= config.max_idle_per_backend) return std::nullopt;
  return close_oldest_idle(connection.backend);
}

void ConnectionPool::close(ConnectionId id) {
  if (!connections_.contains(id)) return;
  opened(connections_.at(id));
  if (connections_.at(id).idle) leave_idle(connections_.at(id));
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

void ConnectionPool::leave_idle(Connection& connection) {
  IdleList& list = idle_[connection.backend];
  (connection.older ? connections_.at(connection.older).newer : list.oldest) = connection.newer;
  (connection.newer ? connections_.at(connection.newer).older : list.newest) = connection.older;
  --list.count;
  connection.idle = false;
  deadlines_.cancel(connection.deadline);
}

}  // namespace lb
