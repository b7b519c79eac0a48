#include "lbnet/tls/client_context.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "lbcore/assert.h"
#include "lbnet/tls/names.h"
#include "lbnet/tls/tls_connection.h"

namespace lb::net::tls {
namespace {

// What a connection keeps alive.
struct Held {
  std::shared_ptr<const ClientContext> context;
  std::shared_ptr<SessionSlot> slot;
};

// 1: the session is ours now.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<SessionSlot*>(SSL_get_app_data(ssl));
  if (slot == nullptr) return 0;
  slot->keep(session);
  return 1;
}

std::string host_in(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string{host};
}

}  // namespace

SessionSlot::~SessionSlot() { SSL_SESSION_free(session_); }

void SessionSlot::keep(ssl_session_st* session) {
  SSL_SESSION_free(session_);
  session_ = session;
}

std::shared_ptr<const ClientContext> ClientContext::make(
    const ClientSetup& setup, const std::shared_ptr<const ClientContext>& last, Complaints& out) {
  const std::array<std::string_view, 3> texts{setup.ca.text, setup.certificate.text,
                                              setup.key.text};
  std::string digest = tls::digest(texts);
  if (last && last->digest_ == digest && last->config_ == setup.config) return last;
  const UpstreamTlsConfig& config = setup.config;
  std::shared_ptr<ClientContext> made(new ClientContext);
  made->config_ = config;
  made->digest_ = std::move(digest);
  made->context_ = make_context(Role::client, config.min_version, TlsVersion::tls_1_3);
  SSL_CTX* context = made->context_.get();
  const std::size_t complaints = out.size();
  if (!config.certificate.empty()) {
    const auto identity = load_identity(setup.certificate, setup.key, "", out);
    if (identity) static_cast<void>(use_identity(context, *identity, "", out));
  }
  if (!config.ca.empty()) {
    const Store store = load_authorities(setup.ca, "ca", out);
    if (store) SSL_CTX_set1_cert_store(context, store.get());
  } else if (config.verify) {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (out.size() > complaints) return nullptr;
  SSL_CTX_set_verify(context, config.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &keep_session);
  return made;
}

ClientContext::~ClientContext() = default;

std::unique_ptr<TlsConnection> ClientContext::connect(std::string_view address,
                                                      std::shared_ptr<SessionSlot> slot) const {
  SSL* ssl = SSL_new(context_.get());
  LB_ASSERT(ssl != nullptr);
  const std::string name = config_.server_name.empty() ? host_in(address) : config_.server_name;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  if (is_ip_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size());
    SSL_set_tlsext_host_name(ssl, name.c_str());
  }
  if (slot && slot->session() != nullptr) SSL_set_session(ssl, slot->session());
  SSL_set_app_data(ssl, slot.get());
  SSL_set_connect_state(ssl);
  return std::make_unique<TlsConnection>(
      ssl, std::make_shared<Held>(Held{shared_from_this(), std::move(slot)}));
}

}  // namespace lb::net::tls
