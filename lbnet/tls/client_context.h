// ClientContext: how we speak TLS with the backends of one cluster: whom we trust, whom we ask for,
// and who we are.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lbnet/tls/context.h"

struct ssl_session_st;

namespace lb::net {
class TlsConnection;
}

namespace lb::net::tls {

// The last session with one backend, to resume; one thread's own.
class SessionSlot {
 public:
  SessionSlot() = default;
  ~SessionSlot();
  SessionSlot(const SessionSlot&) = delete;
  SessionSlot& operator=(const SessionSlot&) = delete;

  void keep(ssl_session_st* session);  // Takes it over.
  [[nodiscard]] ssl_session_st* session() const { return session_; }

 private:
  ssl_session_st* session_ = nullptr;
};

struct ClientSetup {
  UpstreamTlsConfig config;
  File ca;           // Unless `config.ca` is empty: then whom the system trusts.
  File certificate;  // Likewise: then we have none.
  File key;
};

class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  // Null with complaints when anything is wrong. When nothing differs from `last`, which may be
  // null, that is the result.
  [[nodiscard]] static std::shared_ptr<const ClientContext> make(
      const ClientSetup& setup, const std::shared_ptr<const ClientContext>& last, Complaints& out);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // Our side of a session that has not begun, with a backend at `address` (host:port), whose last
  // session is resumed. `slot` may be null.
  [[nodiscard]] std::unique_ptr<TlsConnection> connect(std::string_view address,
                                                       std::shared_ptr<SessionSlot> slot) const;

 private:
  ClientContext() = default;

  UpstreamTlsConfig config_;
  Context context_;
  std::string digest_;
};

}  // namespace lb::net::tls
