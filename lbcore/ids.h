// Strong integer ids: two kinds of id never compare, convert or swap places by accident.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace lb {

template <class Tag>
struct Id {
  std::uint32_t value = 0;
  auto operator<=>(const Id&) const = default;
};

// An id of a slab entry. The generation tells a reused slot from the entry that had it before, so
// a late message about an ended request is recognised instead of hitting a stranger.
template <class Tag>
struct SlotId {
  static constexpr std::uint32_t kNone = 0xffffffffU;
  std::uint32_t slot = kNone;
  std::uint32_t generation = 0;
  auto operator<=>(const SlotId&) const = default;
  explicit operator bool() const { return slot != kNone; }
};

// Handed out by the control brain, never reused while the daemon lives: counts and health belong
// to the id, so they survive every reload that keeps the backend.
using ClusterId = Id<struct ClusterTag>;
using BackendId = Id<struct BackendTag>;

// Handed out by a Balancer, and only meaningful to that one.
using RequestId = SlotId<struct RequestTag>;
using ConnectionId = SlotId<struct ConnectionTag>;
using DeadlineId = SlotId<struct DeadlineTag>;

}  // namespace lb
