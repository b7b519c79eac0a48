#include "tests/lbnet/tls_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace lb::net::testing {
namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void add_names(X509* certificate) {
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:a.example,IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
}

}  // namespace

tls::File make_certificate() {
  const tls::Key key(EVP_EC_gen("P-256"));
  const tls::Certificate made(X509_new());
  X509* certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("a.example"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  add_names(certificate);
  EXPECT_GT(X509_sign(certificate, key.get(), EVP_sha256()), 0);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  tls::File file{"made.pem", text_of(out)};
  BIO_free(out);
  return file;
}

TlsPeer::TlsPeer(Peer peer, Version version) : peer_(std::move(peer)) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  const int number = version == Version::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, number);
  SSL_CTX_set_max_proto_version(context, number);
  ssl_ = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(ssl_), -1);
  SSL_set_connect_state(ssl_);
}

TlsPeer::TlsPeer(TlsPeer&& other) noexcept
    : peer_(std::move(other.peer_)),
      ssl_(std::exchange(other.ssl_, nullptr)),
      in_(std::move(other.in_)),
      records_(other.records_) {}

TlsPeer::~TlsPeer() { SSL_free(ssl_); }

std::string TlsPeer::outgoing() {
  BIO* bio = SSL_get_wbio(ssl_);
  std::string bytes = text_of(bio);
  BIO_reset(bio);
  return bytes;
}

// What has come, at least a byte, goes to OpenSSL. False at the end.
bool TlsPeer::fill() {
  const std::string bytes = peer_.read_some();
  if (bytes.empty()) return false;
  BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
  return true;
}

// True when the handshake is done; its last flight is not sent then.
bool TlsPeer::step() {
  for (;;) {
    ERR_clear_error();  // Of other peers on this thread.
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) return true;
    if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) return false;
    peer_.send(outgoing());
    if (!fill()) return false;
  }
}

bool TlsPeer::handshake() {
  const bool done = step();
  if (done) peer_.send(outgoing());
  return done;
}

bool TlsPeer::handshake_and_send(std::string_view text) {
  if (!step()) return false;
  peer_.send(encrypt(text));
  return true;
}

std::string TlsPeer::encrypt(std::string_view text) {
  EXPECT_EQ(SSL_write(ssl_, text.data(), static_cast<int>(text.size())),
            static_cast<int>(text.size()));
  return outgoing();
}

void TlsPeer::say_end() {
  SSL_shutdown(ssl_);
  peer_.send(outgoing());
}

std::string TlsPeer::read_until(std::string_view end) {
  for (;;) {
    const std::size_t place = in_.find(end);
    if (place != std::string::npos) {
      const std::string text = in_.substr(0, place + end.size());
      in_.erase(0, text.size());
      return text;
    }
    ERR_clear_error();
    std::array<char, 20000> bytes{};
    const int got = SSL_read(ssl_, bytes.data(), bytes.size());
    if (got > 0) {
      in_.append(bytes.data(), static_cast<std::size_t>(got));
      ++records_;  // A read gives one at a time, and all of it.
    } else if (SSL_get_error(ssl_, got) != SSL_ERROR_WANT_READ || !fill()) {
      return std::exchange(in_, {});
    }
  }
}

std::string TlsPeer::read_to_end() {
  std::string all;
  for (std::string more = read_until("\n"); !more.empty(); more = read_until("\n")) all += more;
  return all;
}

bool TlsPeer::was_told_the_end() const {
  return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

}  // namespace lb::net::testing
