#include "lbnet/tls/server_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "lbcore/assert.h"
#include "lbnet/clock.h"
#include "lbnet/tls/names.h"
#include "lbnet/tls/ticket_keys.h"
#include "lbnet/tls/tls_connection.h"

namespace lb::net::tls {
namespace {

// A chain of a client's certificate has no more links than this.
constexpr int kDepthMax = 8;

const ServerContext& context_of(const SSL* ssl) {
  return *static_cast<const ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// What OpenSSL asks us during a handshake

struct ServerContext::Callbacks {
  static int choose_certificate(SSL* ssl, int* alert, void*) {
    const ServerContext& self = context_of(ssl);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const auto index = name == nullptr ? std::nullopt : self.find(name);
    if (!index && self.config_.strict_sni) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (index && *index != 0) SSL_set_SSL_CTX(ssl, self.served_[*index].context.get());
    return index ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
  }

  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void*) {
    const std::string& ours = context_of(ssl).protocols_;
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  static int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv,
                            EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypting) {
    static EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    TicketKeys& keys = *context_of(ssl).ticket_keys_;
    TicketKey key;
    bool current = true;
    if (encrypting != 0) {
      key = keys.current(now());
      std::ranges::copy(key.name, name);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kCipher)) != 1) return -1;
    } else {
      const auto found = keys.find(now(), {name, key.name.size()});
      if (!found) return 0;
      key = found->key;
      current = found->current;
    }
    std::string hash = "SHA256";
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.signature.data(),
                                          key.signature.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1) return -1;
    const int good =
        EVP_CipherInit_ex(cipher, kCipher, nullptr, key.encryption.data(), iv, encrypting);
    if (good != 1) return -1;
    return current ? 1 : 2;
  }

  // A resumed session shows no certificate again: the one it was begun with still has to be good.
  // If it is not, the handshake is a full one, and asks.
  static SSL_TICKET_RETURN admit_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*,
                                        std::size_t, SSL_TICKET_STATUS status, void*) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const auto& asked = context_of(ssl).config_.client_certificates;
    const X509* shown = SSL_SESSION_get0_peer(session);
    const bool needed = asked && asked->mode == ClientCertificateMode::required;
    const bool expired = shown != nullptr && X509_cmp_current_time(X509_get0_notAfter(shown)) < 0;
    if (expired || (needed && shown == nullptr)) return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
  }
};

// ---------------------------------------------------------------------------------------------
// Making one

std::shared_ptr<const ServerContext> ServerContext::make(const ServerSetup& setup,
                                                         const ServerContext* last,
                                                         Complaints& out) {
  const std::size_t complaints = out.size();
  std::shared_ptr<ServerContext> made(new ServerContext);
  made->config_ = setup.config;
  for (std::size_t i = 0; i < setup.certificates.size(); ++i) {
    const ServerSetup::Files& files = setup.certificates[i];
    std::string at = "certificates[";
    at.append(std::to_string(i)).append("].");
    const auto identity = load_identity(files.certificate, files.key, at, out);
    if (!identity) continue;
    made->add(*identity, at, out);
    made->expiries_[files.certificate.name] = ends_at(*identity);
  }
  if (setup.config.client_certificates) {
    made->client_authorities_ = load_authorities(setup.client_ca, "client_certificates.ca", out);
    made->client_ca_ = setup.client_ca.text;
  }
  if (out.size() > complaints || made->served_.empty()) return nullptr;
  made->finish(setup);
  const bool same = last != nullptr && last->session_id_ == made->session_id_;
  made->ticket_keys_ = same ? last->ticket_keys_ : std::make_shared<TicketKeys>();
  return made;
}

ServerContext::~ServerContext() = default;

void ServerContext::add(const Identity& identity, const std::string& at, Complaints& out) {
  std::vector<std::string> names = dns_names(identity.chain.front().get());
  const int kind = EVP_PKEY_get_base_id(identity.key.get());
  for (Served& served : served_) {
    const bool has_kind =
        std::find(served.kinds.begin(), served.kinds.end(), kind) != served.kinds.end();
    if (served.names != names || has_kind) continue;
    if (use_identity(served.context.get(), identity, at, out)) served.kinds.push_back(kind);
    return;
  }
  Context context = make_context(Role::server, config_.min_version, config_.max_version);
  if (!use_identity(context.get(), identity, at, out)) return;
  served_.push_back({std::move(names), {kind}, std::move(context)});
}

void ServerContext::finish(const ServerSetup& setup) {
  for (const std::string& protocol : setup.protocols) {
    protocols_ += static_cast<char>(protocol.size());
    protocols_ += protocol;
  }
  const std::string mode = !config_.client_certificates ? "none"
                           : config_.client_certificates->mode == ClientCertificateMode::required
                               ? "required"
                               : "optional";
  const std::array<std::string_view, 3> identity{setup.listener, mode, client_ca_};
  session_id_ = digest(identity);
  for (const Served& served : served_) {
    SSL_CTX* context = served.context.get();
    allow_ciphers(context, config_.ciphers);
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_tlsext_servername_callback(context, &Callbacks::choose_certificate);
    if (!protocols_.empty()) {
      SSL_CTX_set_alpn_select_cb(context, &Callbacks::choose_protocol, nullptr);
    }
    // Sessions are in the tickets, not with us.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context,
                                   reinterpret_cast<const unsigned char*>(session_id_.data()),
                                   static_cast<unsigned>(session_id_.size()));
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::use_ticket_key);
    SSL_CTX_set_session_ticket_cb(context, nullptr, &Callbacks::admit_ticket, nullptr);
    if (config_.client_certificates) ask_for_certificates(context);
  }
}

void ServerContext::ask_for_certificates(ssl_ctx_st* context) const {
  const bool required = config_.client_certificates->mode == ClientCertificateMode::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_verify_depth(context, kDepthMax);
  SSL_CTX_set1_cert_store(context, client_authorities_.get());
  const std::unique_ptr<BIO, int (*)(BIO*)> in(
      BIO_new_mem_buf(client_ca_.data(), static_cast<int>(client_ca_.size())), &BIO_free);
  while (X509* authority = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    const Certificate owned(authority);
    SSL_CTX_add_client_CA(context, authority);
  }
  ERR_clear_error();
}

// ---------------------------------------------------------------------------------------------
// Using it

std::unique_ptr<TlsConnection> ServerContext::accept() const {
  SSL* ssl = SSL_new(served_.front().context.get());
  LB_ASSERT(ssl != nullptr);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsConnection>(ssl, shared_from_this());
}

// A name of its own goes before a wildcard, which stands for one label.
std::optional<std::size_t> ServerContext::find(std::string_view name) const {
  const std::string exact = normal_name(name);
  const std::size_t dot = exact.find('.');
  const std::string wildcard = dot == std::string::npos ? std::string{} : '*' + exact.substr(dot);
  for (const std::string& wanted : {exact, wildcard}) {
    for (std::size_t i = 0; i < served_.size() && !wanted.empty(); ++i) {
      if (std::ranges::binary_search(served_[i].names, wanted)) return i;
    }
  }
  return std::nullopt;
}

bool ServerContext::same_certificate(std::string_view a, std::string_view b) const {
  return find(a).value_or(0) == find(b).value_or(0);
}

}  // namespace lb::net::tls
