// Words of reading and writing that Stream and TlsConnection share.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lb::net {

// 0 or an errno. Those below are not the system's.
using IoError = int;
inline constexpr IoError kEndOfStream = -1;  // The peer finished sending.
// The peer, or somebody between us, ended the connection without TLS's word for it: what came is
// not known to be all. No matter where a message says how long it is.
inline constexpr IoError kTruncated = -2;
inline constexpr IoError kTlsFailure = -3;  // What came is not TLS we take.

// Of what this process needs for a connection: no word about who is at the other end.
[[nodiscard]] bool is_own_shortage(IoError error);

// In words.
[[nodiscard]] std::string describe(IoError error);

// Up to this many pieces in one write.
inline constexpr std::size_t kPiecesMax = 8;
using Pieces = std::span<const std::string_view>;

}  // namespace lb::net
