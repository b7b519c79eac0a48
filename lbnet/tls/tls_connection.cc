// IMPLEMENTATION  What OpenSSL writes goes to a thread's `outgoing` scratch, and from there to the
//   socket before any function here returns; `unsent_` is what the socket did not take. Reading
//   ahead is OpenSSL's own (see configure() in context.cc), and SSL_MODE_RELEASE_BUFFERS gives its
//   buffers back when nothing is in them.
#include "lbnet/tls/tls_connection.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "lbcore/assert.h"
#include "lbnet/buffer.h"
#include "lbnet/tls/names.h"

namespace lb::net {
namespace {

constexpr std::size_t kRecordMax = SSL3_RT_MAX_PLAIN_LENGTH;
// Encrypted before it is sent. Several records a send, and no more than that kept for a client that
// does not read.
constexpr std::size_t kBatchMax = 4 * kRecordMax;

// One for each thread: nothing in it outlives a call.
struct Scratch {
  std::array<char, kRecordMax> record;  // Pieces put together.
  std::vector<char> outgoing;           // Encrypted.
};
Scratch& scratch() {
  thread_local Scratch scratch;
  return scratch;
}

// The next bytes for one SSL_write: small pieces are put together to fill a record, a large one
// goes as it is. Empty at the end of the pieces.
std::string_view next_chunk(Pieces pieces, std::size_t& first, std::size_t& offset) {
  std::array<char, kRecordMax>& record = scratch().record;
  std::size_t size = 0;
  while (first < pieces.size() && size < kRecordMax) {
    const std::string_view piece = pieces[first].substr(offset);
    const bool whole = size == 0 && (piece.size() >= kRecordMax || first + 1 == pieces.size());
    const std::size_t taken = std::min(piece.size(), whole ? kBatchMax : kRecordMax - size);
    if (!whole && taken > 0) std::memcpy(record.data() + size, piece.data(), taken);
    size += taken;
    offset += taken;
    if (taken == piece.size()) {
      ++first;
      offset = 0;
    }
    if (whole) return piece.substr(0, taken);
  }
  return {record.data(), size};
}

// Sends from the front of `rest`, which it shortens, what the socket takes.
IoError send_all(int fd, std::string_view& rest) {
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
    rest.remove_prefix(static_cast<std::size_t>(sent));
    if (!rest.empty()) return EAGAIN;  // The socket is full: no need to ask again.
  }
  return 0;
}

}  // namespace

struct TlsConnection::BioMethod {
  BioMethod() : method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lbnet socket")) {
    LB_ASSERT(method != nullptr);
    BIO_meth_set_read(method, &TlsConnection::bio_read);
    BIO_meth_set_write(method, &TlsConnection::bio_write);
    BIO_meth_set_ctrl(method, &TlsConnection::bio_control);
  }
  BIO_METHOD* method;
};

TlsConnection::TlsConnection(ssl_st* ssl, std::shared_ptr<const void> context)
    : ssl_(ssl), context_(std::move(context)) {
  static const BioMethod method;  // Of all connections; never freed.
  BIO* bio = BIO_new(method.method);
  LB_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
}

TlsConnection::~TlsConnection() { SSL_free(ssl_); }

// ---------------------------------------------------------------------------------------------
// What OpenSSL sees of the socket

int TlsConnection::bio_read(bio_st* bio, char* bytes, int size) {
  auto& connection = *static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const int got = connection.receive(bytes, size);
  if (got < 0 && connection.socket_error_ == EAGAIN) BIO_set_retry_read(bio);
  return got;
}

int TlsConnection::receive(char* bytes, int size) {
  socket_error_ = EAGAIN;
  if (!may_receive_) return -1;
  ssize_t got = 0;
  do {
    got = ::recv(fd_, bytes, static_cast<std::size_t>(size), 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    socket_error_ = 0;
    // A short read emptied the socket: asking again would be in vain.
    drained_ = got < size && !more_is_known_;
    may_receive_ = !drained_;
  } else if (got == 0) {
    socket_error_ = kTruncated;
    may_receive_ = false;
  } else {
    socket_error_ = errno == EWOULDBLOCK ? EAGAIN : errno;
    drained_ = socket_error_ == EAGAIN;
    may_receive_ = false;
  }
  return static_cast<int>(got);
}

int TlsConnection::bio_write(bio_st* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  std::vector<char>& outgoing = scratch().outgoing;
  outgoing.insert(outgoing.end(), bytes, bytes + size);
  return size;
}

long TlsConnection::bio_control(bio_st*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

IoError TlsConnection::result_of(int returned) {
  const int error = SSL_get_error(ssl_, returned);
  if (error == SSL_ERROR_WANT_READ) return EAGAIN;
  if (error == SSL_ERROR_ZERO_RETURN) return kEndOfStream;
  IoError result = kTlsFailure;
  if (error == SSL_ERROR_SYSCALL && socket_error_ != 0) {
    result = socket_error_;
    failure_ = "TLS: " + describe(result);
  } else {
    failure_ = "TLS: " + tls::last_error();
    const long verified = SSL_get_verify_result(ssl_);
    if (!established_ && verified != X509_V_OK) {
      failure_ = std::string{"TLS: the certificate is refused: "} +=
          X509_verify_cert_error_string(verified);
    }
  }
  ERR_clear_error();
  return result;
}

// ---------------------------------------------------------------------------------------------
// The handshake

IoError TlsConnection::begin() {
  may_receive_ = false;  // Nothing can have come yet.
  if (SSL_is_server(ssl_) == 1) return 0;
  const IoError error = step();
  return error == EAGAIN ? 0 : error;
}

IoError TlsConnection::handshake(bool more_is_known) {
  may_receive_ = true;
  drained_ = false;
  more_is_known_ = more_is_known;
  return step();
}

IoError TlsConnection::step() {
  if (read_end_ != 0) return read_end_;
  ERR_clear_error();
  socket_error_ = 0;
  const int returned = SSL_do_handshake(ssl_);
  IoError error = returned == 1 ? 0 : result_of(returned);
  const IoError sent = flush();
  if (returned == 1 && !std::exchange(established_, true)) gather_facts();
  if (error == 0) error = sent;
  if (error == kEndOfStream) error = kTruncated;  // A session that never began.
  if (error != 0 && error != EAGAIN) read_end_ = error;
  return error;
}

void TlsConnection::gather_facts() {
  facts_.version = SSL_get_version(ssl_);
  facts_.cipher = SSL_get_cipher_name(ssl_);
  facts_.resumed = SSL_session_reused(ssl_) == 1;
  if (const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name)) {
    facts_.sni = tls::normal_name(name);
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &size);
  facts_.alpn = {reinterpret_cast<const char*>(protocol), size};
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return;
  facts_.has_certificate = true;
  facts_.verified =
      SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl_) == X509_V_OK;
  // A backend's is looked at by nobody; a client's goes into headers.
  if (SSL_is_server(ssl_) == 0) return;
  facts_.subject = tls::text_of(X509_get_subject_name(certificate));
  facts_.issuer = tls::text_of(X509_get_issuer_name(certificate));
  facts_.serial = tls::serial_of(certificate);
  facts_.fingerprint = tls::fingerprint_of(certificate);
}

// ---------------------------------------------------------------------------------------------
// Reading

IoError TlsConnection::read(Buffer& buffer, bool more_is_known) {
  may_receive_ = true;
  drained_ = false;
  more_is_known_ = more_is_known;
  return read_some(buffer);
}

IoError TlsConnection::read_received(Buffer& buffer) {
  may_receive_ = false;
  return read_some(buffer);
}

bool TlsConnection::has_received() const { return read_end_ != 0 || SSL_has_pending(ssl_) == 1; }

// Reading may have us say something: an alert.
IoError TlsConnection::read_some(Buffer& buffer) {
  if (read_end_ != 0) return read_end_;
  if (ERR_peek_error() != 0) ERR_clear_error();
  const IoError error = decrypt(buffer);
  if (!scratch().outgoing.empty()) static_cast<void>(flush());
  return error;
}

IoError TlsConnection::decrypt(Buffer& buffer) {
  bool any = false;
  do {
    const std::span<char> room = buffer.room();
    const int got = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
    if (got <= 0) {
      const IoError error = result_of(got);
      if (error != EAGAIN) read_end_ = error;
      return any ? 0 : error;
    }
    any = true;
    buffer.commit(static_cast<std::size_t>(got));
  } while (!buffer.full() && SSL_has_pending(ssl_) == 1);
  return 0;
}

// ---------------------------------------------------------------------------------------------
// Writing

IoError TlsConnection::write(Pieces pieces, std::size_t& first, std::size_t& offset) {
  writing_ = true;
  if (!unsent_.empty()) {
    const IoError error = flush();
    if (error != 0) return error;
  }
  while (first < pieces.size()) {
    IoError error = encrypt(pieces, first, offset);
    const IoError sent = flush();
    if (error == 0) error = sent;
    if (error != 0) return error;
  }
  writing_ = false;
  return 0;
}

// Up to kBatchMax and a record of them.
IoError TlsConnection::encrypt(Pieces pieces, std::size_t& first, std::size_t& offset) {
  if (ERR_peek_error() != 0) ERR_clear_error();
  for (std::size_t taken = 0; taken < kBatchMax && first < pieces.size();) {
    const std::string_view chunk = next_chunk(pieces, first, offset);
    taken += chunk.size();
    if (chunk.empty()) continue;
    socket_error_ = 0;
    const int written = SSL_write(ssl_, chunk.data(), static_cast<int>(chunk.size()));
    if (written <= 0) {
      const IoError error = result_of(written);
      return error == EAGAIN || error == kEndOfStream ? kTlsFailure : error;
    }
  }
  return 0;
}

IoError TlsConnection::flush() {
  std::vector<char>& outgoing = scratch().outgoing;
  const bool waited = !unsent_.empty();
  if (waited) unsent_.append(outgoing.data(), outgoing.size());
  std::string_view rest{outgoing.data(), outgoing.size()};
  if (waited) rest = unsent_;
  const IoError error = send_all(fd_, rest);
  if (error != EAGAIN) {
    unsent_ = {};
  } else if (waited) {
    unsent_.erase(0, unsent_.size() - rest.size());
  } else {
    unsent_ = rest;
  }
  outgoing.clear();
  return error;
}

void TlsConnection::end() {
  if (!established_ || ended_ || writing_ || (read_end_ != 0 && read_end_ != kEndOfStream)) return;
  ended_ = true;
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_));
  ERR_clear_error();
  static_cast<void>(flush());
}

}  // namespace lb::net
