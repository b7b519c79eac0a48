// IpSet: addresses, given as prefixes (CIDR, RFC 4632): who is trusted.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/ip_address.h"

namespace lb {

// All addresses of one family that begin with the same bits.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 32;  // Bits, of the address's own family: up to 32 or 128.

  // "10.0.0.0/8", "2001:db8::/32"; an address without a length is that address alone. Bits behind
  // the length may be set: see canonical().
  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] IpAddress first() const;
  [[nodiscard]] IpAddress last() const;
  // With no bit set behind its length.
  [[nodiscard]] IpPrefix canonical() const { return {first(), length}; }

  bool operator==(const IpPrefix&) const = default;
};

class IpSet {
 public:
  IpSet() = default;
  explicit IpSet(std::span<const IpPrefix> prefixes);

  [[nodiscard]] bool empty() const { return v4_.empty() && v6_.empty(); }
  // An address of IPv4 is in prefixes of IPv4 alone: ::/0 does not take it. O(log n).
  [[nodiscard]] bool contains(const IpAddress& address) const;

  bool operator==(const IpSet&) const = default;

 private:
  struct Range {
    IpAddress first;
    IpAddress last;
    bool operator==(const Range&) const = default;
  };
  using Ranges = std::vector<Range>;  // In order, none in another.
  static void merge(Ranges& ranges);

  Ranges v4_;
  Ranges v6_;
};

}  // namespace lb
