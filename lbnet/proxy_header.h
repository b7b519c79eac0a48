// The PROXY protocol, versions 1 and 2: a header in front of the first byte of a connection, in
// which a proxy says whose connection it passes on. Source: proxy-protocol.txt in HAProxy's
// documentation. Nothing here does I/O.
//
// Reading is as strict as the specification allows. The header is looked at before anything is
// known of who sent it, and what one receiver skips and another takes is a way past both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lbcore/client_identity.h"
#include "lbcore/ip_address.h"

namespace lb::net {

// Whose a connection is, and where it was going to.
struct ProxiedWay {
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;

  bool operator==(const ProxiedWay&) const = default;
};

struct ProxyHeader {
  enum class State : std::uint8_t {
    incomplete,  // So far so good, and all of it belongs to the header.
    malformed,   // It will never be one.
    complete
  };

  State state = State::incomplete;
  std::size_t size = 0;  // Of a complete one, in bytes: what follows is the connection's own.
  // Nothing: the socket's own addresses count. The proxy speaks for itself (LOCAL: a health check),
  // or does not know (UNKNOWN, UNSPEC), or speaks of something else than TCP.
  std::optional<ProxiedWay> way;
};

// No header is longer. Version 1 has 107 bytes at most; of version 2, 64 KiB are possible, and more
// than this is never meant well.
inline constexpr std::size_t kProxyHeaderMax = 4096;

// The header that `bytes` begin with. REQUIRES: accepted is not none.
// COST: O(1) until it is complete, but for a look for the end of a line of version 1.
[[nodiscard]] ProxyHeader read_proxy_header(std::string_view bytes, AcceptedProxyHeader accepted);

class ProxyHeaderText {
 public:
  // Of somebody's connection. Nothing: of somebody whose address this protocol does not know, a
  // client of a unix socket.
  ProxyHeaderText(SentProxyHeader version, const std::optional<ProxiedWay>& way);
  // Of a connection of our own, such as a health check's.
  [[nodiscard]] static ProxyHeaderText local(SentProxyHeader version);

  // Empty for SentProxyHeader::none.
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  ProxyHeaderText() = default;
  void append(std::string_view text);
  void append_byte(unsigned byte) { bytes_[size_++] = static_cast<char>(byte); }
  void append_number(unsigned number) {
    append_byte(number >> 8U);
    append_byte(number & 0xffU);
  }
  void append_address(const IpAddress& address, bool v4);
  void append_address_text(const IpAddress& address, bool v4);
  void write_v1(const std::optional<ProxiedWay>& way);
  void write_v2(unsigned command, const std::optional<ProxiedWay>& way);

  std::array<char, 108> bytes_{};  // Version 1 has the longer ones.
  std::size_t size_ = 0;
};

}  // namespace lb::net
