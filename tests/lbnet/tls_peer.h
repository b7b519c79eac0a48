// A client with TLS that a test speaks for, which decides what bytes go out when; and certificates
// made for the test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lbnet/tls/context.h"
#include "tests/lbnet/sockets.h"

struct ssl_st;

namespace lb::net::testing {

// A new one, signed by itself, for "a.example" and 127.0.0.1; certificate and key in one file.
[[nodiscard]] tls::File make_certificate();

class TlsPeer {
 public:
  enum class Version { tls_1_2, tls_1_3 };
  explicit TlsPeer(Peer peer, Version version = Version::tls_1_3);
  TlsPeer(TlsPeer&&) noexcept;
  ~TlsPeer();

  // False when it fails.
  bool handshake();
  // The same, but the client's last flight and this text leave together.
  bool handshake_and_send(std::string_view text);

  // What goes over the wire to say this.
  [[nodiscard]] std::string encrypt(std::string_view text);
  void send(std::string_view text) { peer_.send(encrypt(text)); }
  void send_raw(std::string_view bytes) { peer_.send(bytes); }
  void say_end();  // close_notify.

  // Like Peer's.
  std::string read_until(std::string_view end);
  std::string read_to_end();
  // Records with data that have come so far.
  [[nodiscard]] int records() const { return records_; }
  // The other side said that nothing more comes.
  [[nodiscard]] bool was_told_the_end() const;
  [[nodiscard]] Peer& peer() { return peer_; }

 private:
  bool fill();
  [[nodiscard]] std::string outgoing();
  bool step();

  Peer peer_;
  ssl_st* ssl_;
  std::string in_;
  int records_ = 0;
};

}  // namespace lb::net::testing
