#include "lbnet/access_log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>

namespace lb::net {
namespace {

constexpr std::size_t kQueuedLinesMax = 8192;
constexpr std::size_t kTargetMax = 2048;  // What a line may cost, whatever a client sends.
constexpr std::size_t kNameMax = 128;

// Writes one flat JSON object.
class LineEncoder {
 public:
  LineEncoder() { text_.reserve(512); }

  void add(std::string_view key, std::string_view value, std::size_t length_max = kNameMax) {
    start(key);
    text_ += '"';
    for (const char c : value.substr(0, length_max)) add_escaped(c);
    text_ += '"';
  }
  void add(std::string_view key, std::uint64_t value) {
    start(key);
    fmt::format_to(std::back_inserter(text_), "{}", value);
  }
  void add(std::string_view key, bool value) {
    start(key);
    text_ += value ? "true" : "false";
  }
  void add(std::string_view key, Duration value) {
    start(key);
    fmt::format_to(std::back_inserter(text_), "{:.3f}",
                   std::chrono::duration<double, std::milli>(value).count());
  }

  std::string take() { return std::move(text_) + '}'; }

 private:
  void start(std::string_view key) {
    text_ += text_.empty() ? '{' : ',';
    text_ += '"';
    text_ += key;
    text_ += "\":";
  }
  // Anything but printable ASCII is escaped: bytes of no known encoding, and characters that some
  // reader of logs takes for a line's end.
  void add_escaped(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text_ += c;
    } else {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", byte);
    }
  }

  std::string text_;
};

std::string timestamp_now() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     milliseconds % 1000);
}

}  // namespace

std::string to_json_line(const AccessRecord& record, std::string_view timestamp) {
  LineEncoder line;
  line.add("time", timestamp);
  line.add("listener", record.listener);
  line.add("client", record.client);
  if (!record.method.empty()) {
    line.add("method", record.method, 32);
    // A query may carry secrets: it is not logged.
    line.add("path", record.target.substr(0, record.target.find('?')), kTargetMax);
    line.add("host", record.host);
  }
  if (!record.route.empty()) line.add("route", record.route);
  if (!record.request_id.empty()) line.add("request_id", record.request_id);
  if (!record.trace_id.empty()) line.add("trace_id", record.trace_id);
  line.add("status", static_cast<std::uint64_t>(record.status));
  line.add("outcome", record.outcome);
  line.add("cluster", record.cluster);
  line.add("backend", record.backend);
  line.add("attempts", std::uint64_t{record.attempts});
  if (record.attempts > 0) {
    line.add("reason", to_string(record.reason));
    line.add("eligible", std::uint64_t{record.eligible});
    line.add("reused", record.reused_connection);
  }
  if (!record.error.empty()) line.add("error", record.error);
  if (!record.tls_version.empty()) {
    line.add("tls_version", record.tls_version);
    line.add("tls_cipher", record.tls_cipher);
    line.add("sni", record.sni);
  }
  line.add("bytes_in", record.bytes_in);
  line.add("bytes_out", record.bytes_out);
  line.add("request_ms", record.times.request);
  line.add("queue_ms", record.times.queue);
  line.add("connect_ms", record.times.connect);
  line.add("response_ms", record.times.response);
  line.add("total_ms", record.times.total);
  return line.take();
}

struct AccessLog::Queue {
  std::shared_ptr<spdlog::details::thread_pool> threads =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1);
};

AccessLog::AccessLog(const std::string& target) {
  if (target == "off") return;
  spdlog::sink_ptr sink;
  if (target == "-") {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(target);
  }
  queue_ = std::make_unique<Queue>();
  logger_ = std::make_shared<spdlog::async_logger>("access", std::move(sink), queue_->threads,
                                                   spdlog::async_overflow_policy::overrun_oldest);
  logger_->set_pattern("%v");
}

AccessLog::~AccessLog() {
  if (!logger_) return;
  logger_->flush();
  queue_.reset();  // Joins the thread, after it has written what is queued.
  logger_.reset();
}

void AccessLog::write(const AccessRecord& record) {
  logger_->info(to_json_line(record, timestamp_now()));
}

void AccessLog::flush() {
  if (logger_) logger_->flush();
}

std::uint64_t AccessLog::dropped() const { return queue_ ? queue_->threads->overrun_counter() : 0; }

}  // namespace lb::net
