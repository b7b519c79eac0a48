// TlsConnection: one TLS session over one non-blocking socket, for a Stream to read and write by.
//
// OpenSSL does its reads and writes through a BIO of ours. A read takes all that the socket has, up
// to several records, and knows when that was all, so that no read is made that is bound to fail.
// What OpenSSL writes is gathered and leaves in one send, whatever number of records it is; what
// the socket does not take is kept here, so that OpenSSL never waits for it. A connection on which
// nothing is under way holds no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lbnet/io.h"

struct ssl_st;
struct bio_st;

namespace lb::net {

class Buffer;

// What was agreed on when the session began.
struct TlsFacts {
  std::string_view version;  // "TLSv1.3"
  std::string_view cipher;   // OpenSSL's name of it.
  std::string sni;           // In lower case; empty when the client named no server.
  std::string_view alpn;     // "http/1.1"; empty when nothing was agreed on.
  bool resumed = false;
  // Of the peer's certificate, when it sent one; it has been verified then, unless `verified` says
  // otherwise: a backend's need not be.
  bool has_certificate = false;
  bool verified = false;
  std::string subject;      // RFC 2253.
  std::string issuer;       // Likewise.
  std::string serial;       // Hex digits.
  std::string fingerprint;  // SHA-256 of the certificate, 64 hex digits.
};

class TlsConnection {
 public:
  // Takes over `ssl`, which knows its role. `context` is what its callbacks refer to.
  TlsConnection(ssl_st* ssl, std::shared_ptr<const void> context);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // The socket it goes over. It stays its owner's.
  void attach(int fd) { fd_ = fd; }

  // Says the first word, if it is ours to say. 0 or an error; what waits then is unsent().
  [[nodiscard]] IoError begin();
  // The next step, now that something came. 0 when the handshake is done. EAGAIN: come again when
  // the socket can be read, or written while unsent(). Anything else: it failed, and the peer was
  // told why if that was possible. `more_is_known`: by what epoll has told, a short read
  // is not the last.
  [[nodiscard]] IoError handshake(bool more_is_known);
  [[nodiscard]] bool established() const { return established_; }
  // REQUIRES: established().
  [[nodiscard]] const TlsFacts& facts() const { return facts_; }
  // Why it failed, in words for an operator; empty while it did not.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  // Adds to the buffer what has come, as much as there is room for: 0. EAGAIN when nothing has;
  // kEndOfStream after a close_notify, kTruncated when the peer ended without one.
  [[nodiscard]] IoError read(Buffer& buffer, bool more_is_known);
  // Likewise, without asking the socket: of what has been received before.
  [[nodiscard]] IoError read_received(Buffer& buffer);
  // Whether read_received() may have something. Such bytes do not announce themselves again.
  [[nodiscard]] bool has_received() const;
  // The last read took all the socket had.
  [[nodiscard]] bool drained() const { return drained_; }

  // Sends the pieces from `first` and `offset` on, which it moves. EAGAIN: come again with the same
  // pieces when the socket can be written. REQUIRES: established().
  [[nodiscard]] IoError write(Pieces pieces, std::size_t& first, std::size_t& offset);
  // Something waits to be sent.
  [[nodiscard]] bool unsent() const { return !unsent_.empty(); }
  // Sends what waits.
  [[nodiscard]] IoError flush();

  // Tells the peer that nothing more comes from us, once; what of it the socket does not take is
  // unsent(). Not after a write that was given up: what the peer has is not all.
  void end();

 private:
  static int bio_read(bio_st* bio, char* bytes, int size);
  static int bio_write(bio_st* bio, const char* bytes, int size);
  static long bio_control(bio_st* bio, int command, long number, void* pointer);
  struct BioMethod;

  int receive(char* bytes, int size);
  IoError step();
  IoError read_some(Buffer& buffer);
  IoError decrypt(Buffer& buffer);
  IoError encrypt(Pieces pieces, std::size_t& first, std::size_t& offset);
  // What the last call of OpenSSL's came to, given what it returned.
  IoError result_of(int returned);
  void gather_facts();

  ssl_st* ssl_;
  std::shared_ptr<const void> context_;
  int fd_ = -1;
  bool established_ = false;
  bool writing_ = false;      // A write has begun and not ended.
  bool ended_ = false;        // We have said that nothing more comes.
  bool may_receive_ = false;  // During this call, and until the socket is found empty.
  bool drained_ = false;
  bool more_is_known_ = false;
  IoError read_end_ = 0;      // Reading is over, for this reason.
  IoError socket_error_ = 0;  // Of the last read of the socket.
  std::string unsent_;        // Encrypted.
  std::string failure_;
  TlsFacts facts_;
};

}  // namespace lb::net
