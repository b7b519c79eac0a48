// TicketKeys: what session tickets of one listener are encrypted with. Every worker uses the same,
// so a session begun with one is resumed with another; a new key takes over every 12 hours, and
// what the two before it encrypted is still read: see RFC 5077, section 5.5.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "lbcore/time.h"

namespace lb::net::tls {

struct TicketKey {
  std::array<unsigned char, 16> name{};  // In clear in every ticket.
  std::array<unsigned char, 32> encryption{};
  std::array<unsigned char, 32> signature{};
  Instant since;
};

class TicketKeys {
 public:
  static constexpr Duration kRotation = std::chrono::hours{12};
  static constexpr std::size_t kKept = 3;  // The current one and two old ones.

  TicketKeys() = default;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // -- From any thread; once a handshake, under a lock
  // What a new ticket is encrypted with.
  [[nodiscard]] TicketKey current(Instant now);
  struct Found {
    TicketKey key;
    bool current = false;  // Otherwise the client should get a new ticket.
  };
  [[nodiscard]] std::optional<Found> find(Instant now, std::span<const unsigned char> name);

 private:
  void rotate(Instant now);

  std::mutex mutex_;
  std::vector<TicketKey> keys_;  // The newest first.
};

}  // namespace lb::net::tls
