// ServerContext: how one listener speaks TLS: its certificates, and which of them a client gets;
// what clients have to show; which sessions may be resumed.
//
// One is shared by all workers and never changed: a reload makes another, and handshakes that begin
// from then on go by that one. Sessions stay resumable over a reload as long as the listener asks
// the same of its clients: see make().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbnet/tls/context.h"

namespace lb::net {
class TlsConnection;
}

namespace lb::net::tls {

class TicketKeys;

struct ServerSetup {
  struct Files {
    File certificate;
    File key;
  };
  std::string listener;  // Its name: no other listener resumes its sessions.
  ListenerTlsConfig config;
  std::vector<Files> certificates;     // In the order of the configuration.
  File client_ca;                      // Where clients are asked for a certificate.
  std::vector<std::string> protocols;  // For ALPN, the best first; none: ALPN is not answered.
};

class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  // Null with complaints when anything is wrong. The keys of session tickets are those of `last`,
  // which may be null, unless what it asks of clients differs.
  [[nodiscard]] static std::shared_ptr<const ServerContext> make(const ServerSetup& setup,
                                                                 const ServerContext* last,
                                                                 Complaints& out);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // The server's side of a session that has not begun.
  [[nodiscard]] std::unique_ptr<TlsConnection> accept() const;

  [[nodiscard]] bool asks_for_certificates() const {
    return config_.client_certificates.has_value();
  }

  // When each certificate ends (see ends_at), by the name of its file.
  [[nodiscard]] const std::map<std::string, std::int64_t>& expiries() const { return expiries_; }

  // Whether clients that ask for these two names get the same certificate: one that has asked for
  // the first may then speak of the second (RFC 9110, section 7.4).
  [[nodiscard]] bool same_certificate(std::string_view a, std::string_view b) const;

 private:
  struct Callbacks;
  struct Served {  // One certificate, or several of different kinds of key for the same names.
    std::vector<std::string> names;
    std::vector<int> kinds;
    Context context;
  };

  ServerContext() = default;
  void add(const Identity& identity, const std::string& at, Complaints& out);
  void finish(const ServerSetup& setup);
  void ask_for_certificates(ssl_ctx_st* context) const;
  // Which certificate is for this name; nothing when none is.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

  ListenerTlsConfig config_;
  std::vector<Served> served_;  // The first is the default.
  std::map<std::string, std::int64_t> expiries_;
  Store client_authorities_;
  std::string client_ca_;   // The file's text, for the list of names in the request.
  std::string protocols_;   // As they go over the wire.
  std::string session_id_;  // Of what its sessions are worth: see RFC 5077 and CVE-2025-23419.
  std::shared_ptr<TicketKeys> ticket_keys_;
};

}  // namespace lb::net::tls
