#include "lbnet/admission.h"

namespace lb::net {

Place::~Place() {
  if (admission_ != nullptr) admission_->give_back(client_);
}

bool Place::assign_to(HashKey client) {
  if (!admission_->count(client)) return false;
  client_ = client;
  return true;
}

void Admission::set(const Limits& limits) {
  max_ = limits.connections;
  per_client_ = limits.per_client;
  descriptors_ = limits.descriptors;
  call_waiters();
}

Place Admission::take_place() {
  std::uint32_t open = open_;
  while (open < max_) {
    if (open_.compare_exchange_weak(open, open + 1)) return Place(*this);
  }
  return {};
}

bool Admission::count(HashKey client) {
  const std::uint32_t most = per_client_;
  Shard& shard = shard_of(client);
  const std::lock_guard lock(shard.mutex);
  std::uint32_t& count = shard.connections[client];
  if (most > 0 && count >= most) return false;
  ++count;
  return true;
}

void Admission::give_back(HashKey client) {
  if (client != 0) {
    Shard& shard = shard_of(client);
    const std::lock_guard lock(shard.mutex);
    const auto place = shard.connections.find(client);
    if (--place->second == 0) shard.connections.erase(place);
  }
  --open_;
  // In this order, as call_when_free() has it the other way round: one of the two sees the other.
  if (somebody_waits_) call_waiters();
}

void Admission::call_when_free(std::function<void()> call) {
  {
    const std::lock_guard lock(waiters_mutex_);
    waiters_.push_back(std::move(call));
    somebody_waits_ = true;
  }
  if (open_ < max_) call_waiters();
}

// All of them: who is called may have nobody in its queue.
void Admission::call_waiters() {
  std::vector<std::function<void()>> waiters;
  {
    const std::lock_guard lock(waiters_mutex_);
    waiters.swap(waiters_);
    somebody_waits_ = false;
  }
  for (const auto& call : waiters) call();
}

}  // namespace lb::net
