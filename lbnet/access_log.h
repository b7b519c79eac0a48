// The access log: one JSON object a line for each request or TCP session, written by an encoder so
// that nothing a client sends can break a line or forge a field.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lbcore/outcome.h"
#include "lbcore/strategy/strategy.h"
#include "lbcore/time.h"

namespace spdlog {
class logger;
}

namespace lb::net {

// The five times operators read first. Zero where a request did not get that far.
struct RequestTimes {
  Duration request{};   // From the first byte of the head to its last.
  Duration queue{};     // Waiting before the last attempt: for a place, and between attempts.
  Duration connect{};   // Opening the connection of the last attempt; zero on a reused one.
  Duration response{};  // From the request's last byte to the first of the answer.
  Duration total{};     // From the first byte of the head to the last of the answer.
};

struct AccessRecord {
  std::string_view listener;
  std::string_view client;
  std::string_view method;  // Empty for a TCP session and for what was not HTTP.
  std::string_view target;
  std::string_view host;
  std::string_view route;       // That was taken; empty where there are none, or none fits.
  std::string_view request_id;  // Where the listener gives them; likewise.
  std::string_view trace_id;
  int status = 0;  // 0: none was sent.
  std::string_view cluster;
  std::string_view backend;  // Of the last attempt; empty when there was none.
  std::uint32_t attempts = 0;
  bool reused_connection = false;
  PickReason reason = PickReason::in_turn;
  std::uint32_t eligible = 0;
  std::string_view outcome;
  std::string_view error;  // Of the last handshake with a backend that failed; empty: none did.
  // Of a client with TLS.
  std::string_view tls_version;
  std::string_view tls_cipher;
  std::string_view sni;
  std::uint64_t bytes_in = 0;   // Of body, from the client.
  std::uint64_t bytes_out = 0;  // Of body, to the client.
  RequestTimes times;
};

// The record as one line of JSON, without its newline.
[[nodiscard]] std::string to_json_line(const AccessRecord& record, std::string_view timestamp);

// Shared by all workers. Lines are queued for a thread of its own and the queue is bounded: when
// the disk cannot keep up, the oldest are dropped and counted, and no request waits.
class AccessLog {
 public:
  // "-" is standard output, "off" is nothing, anything else a file. Throws spdlog::spdlog_ex
  // when the file cannot be opened.
  explicit AccessLog(const std::string& target);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  [[nodiscard]] bool enabled() const { return logger_ != nullptr; }
  void write(const AccessRecord& record);
  void flush();
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct Queue;
  std::unique_ptr<Queue> queue_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace lb::net
