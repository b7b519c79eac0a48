// IpAddress: an address of IPv4 or IPv6, without port and without zone.
//
// An address of IPv4 in the form of IPv6 (::ffff:192.0.2.1; RFC 4291, section 2.5.5.2) is that
// address of IPv4: a socket that takes both shows its clients so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lb {

// The text of an address, at most 39 characters.
class IpText {
 public:
  [[nodiscard]] std::string_view view() const { return {characters_.data(), size_}; }

 private:
  friend class IpAddress;
  std::array<char, 40> characters_{};
  std::uint8_t size_ = 0;
};

class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;  // In network order.

  constexpr IpAddress() = default;  // 0.0.0.0
  [[nodiscard]] static constexpr IpAddress v4(std::uint32_t bits) {
    IpAddress address;
    for (std::size_t i = 0; i < 4; ++i) {
      address.bytes_[15 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
    return address;
  }
  [[nodiscard]] static constexpr IpAddress v6(const Bytes& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    return address;
  }

  // "192.0.2.1" with four decimal numbers and no leading zeros, or IPv6 as RFC 4291, section 2.2,
  // writes it, without brackets. Nothing for anything else.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  // Of IPv6 as RFC 5952 wants it.
  [[nodiscard]] IpText text() const;

  [[nodiscard]] bool is_v4() const;
  // The last four bytes: all there is of an address of IPv4.
  [[nodiscard]] std::uint32_t v4_bits() const;
  // In the form of IPv6.
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Bytes bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
};

}  // namespace lb
