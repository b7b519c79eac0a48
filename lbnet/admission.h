// Admission: who may connect, of all workers together. Asked for each connection, never for a
// request.
//
// A connection holds a Place for as long as it lasts. With all places taken the listeners stop to
// accept: who comes then waits in the kernel's queue, and whoever leaves calls the listeners back.
// A client may be held to fewer places than there are.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lbcore/hash.h"

namespace lb::net {

class Admission;

// Given back when it goes. Empty when there was none.
class Place {
 public:
  Place() = default;
  explicit Place(Admission& admission) : admission_(&admission) {}
  Place(Place&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)),
        client_(std::exchange(other.client_, 0)) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(client_, other.client_);
    return *this;
  }
  ~Place();

  explicit operator bool() const { return admission_ != nullptr; }
  // Counts it as this client's. False when the client has as many as it may have.
  [[nodiscard]] bool assign_to(HashKey client);

 private:
  Admission* admission_ = nullptr;
  HashKey client_ = 0;  // 0 for nobody's.
};

// Any of it from any thread; a lock is taken only for what clients are counted by, and by who
// waits.
class Admission {
 public:
  struct Limits {
    std::uint32_t connections = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t per_client = 0;  // 0 for any number.
    // Descriptors below this number are for connections; see descriptors.h for those beyond.
    std::uint32_t descriptors = std::numeric_limits<std::uint32_t>::max();
  };

  void set(const Limits& limits);

  [[nodiscard]] Place take_place();
  // `call` is called once, on any thread and maybe at once, when there is a place again.
  void call_when_free(std::function<void()> call);

  [[nodiscard]] bool limits_clients() const { return per_client_ > 0; }
  // Whether this new descriptor of ours is one of those that are to be left free.
  [[nodiscard]] bool is_reserved(int fd) const {
    return static_cast<std::uint32_t>(fd) >= descriptors_;
  }

 private:
  friend class Place;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::uint32_t> connections;  // By client.
  };

  [[nodiscard]] bool count(HashKey client);
  void give_back(HashKey client);
  void call_waiters();
  Shard& shard_of(HashKey client) { return shards_[client % shards_.size()]; }

  std::atomic<std::uint32_t> open_{0};
  std::atomic<std::uint32_t> max_{std::numeric_limits<std::uint32_t>::max()};
  std::atomic<std::uint32_t> per_client_{0};
  std::atomic<std::uint32_t> descriptors_{std::numeric_limits<std::uint32_t>::max()};
  std::atomic<bool> somebody_waits_{false};
  std::mutex waiters_mutex_;
  std::vector<std::function<void()>> waiters_;
  std::array<Shard, 16> shards_;
};

}  // namespace lb::net
