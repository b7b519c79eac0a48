#include "lbnet/http/head_writer.h"

#include <charconv>
#include <cstring>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

// Appends to a buffer until it is full; then remembers that it did not fit.
class Writer {
 public:
  explicit Writer(Buffer& out) : out_(out), room_(out.room()) {}

  Writer& operator<<(std::string_view text) {
    if (text.size() > room_.size() - used_) {
      fits_ = false;
    } else if (!text.empty()) {  // memcpy takes no null pointer, though there is nothing to copy.
      std::memcpy(room_.data() + used_, text.data(), text.size());
      used_ += text.size();
    }
    return *this;
  }

  Writer& operator<<(std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto [end, _] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return *this << std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
  }

  bool finish() {
    if (fits_) out_.commit(used_);
    return fits_;
  }

 private:
  Buffer& out_;
  std::span<char> room_;
  std::size_t used_ = 0;
  bool fits_ = true;
};

bool drops(const HeaderRules* rules, std::string_view name) {
  return rules != nullptr && rules->drops(name);
}

std::string_view lines_of(const HeaderRules* rules) {
  return rules == nullptr ? std::string_view{} : rules->lines();
}

bool has_connection_field(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (field.id == FieldId::connection) return true;
  }
  return false;
}

}  // namespace

bool write_request_head(const RequestHead& request, std::string_view client, Buffer& out,
                        const RequestChanges& changes) {
  Writer writer(out);
  writer << request.method << " " << (changes.target.empty() ? request.target : changes.target)
         << " HTTP/1.1\r\n";
  // HTTP/1.0 may have no host; HTTP/1.1 must.
  const bool own_host = request.host.empty() || !changes.host.empty();
  if (own_host) writer << "Host: " << changes.host << "\r\n";
  for (const Field& field : request.fields) {
    switch (field.id) {
      case FieldId::host:
        if (own_host) continue;
        break;
      case FieldId::content_length:
      case FieldId::expect:  // We answer it: see HttpSession.
      case FieldId::x_forwarded_for:
      case FieldId::x_forwarded_host:
      case FieldId::x_forwarded_proto: continue;
      default: break;
    }
    if (is_hop_by_hop(field, request.fields) || drops(changes.rules, field.name)) continue;
    writer << field.name << ": " << field.value << "\r\n";
  }
  if (request.framing.kind == Framing::Kind::length) {
    writer << "Content-Length: " << request.framing.length << "\r\n";
  } else if (request.framing.kind == Framing::Kind::chunked) {
    writer << "Transfer-Encoding: chunked\r\n";
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    writer << "Content-Length: 0\r\n";  // RFC 9110, 8.6: these are expected to say so.
  }
  // A client of a unix socket has no address to tell.
  if (client != "unix:") writer << "X-Forwarded-For: " << client << "\r\n";
  writer << "X-Forwarded-Proto: http\r\n";
  if (!request.host.empty()) writer << "X-Forwarded-Host: " << request.host << "\r\n";
  writer << lines_of(changes.rules) << "\r\n";
  return writer.finish();
}

BodyCoding coding_for_client(const ResponseHead& response, int client_minor_version) {
  switch (response.framing.kind) {
    case Framing::Kind::none: return BodyCoding::none;
    case Framing::Kind::length: return BodyCoding::as_is;
    case Framing::Kind::chunked:
    case Framing::Kind::until_close:
      return client_minor_version >= 1 ? BodyCoding::chunked : BodyCoding::as_is;
  }
  return BodyCoding::none;
}

bool write_response_head(const ResponseHead& response, const ResponseOptions& options,
                         Buffer& out) {
  Writer writer(out);
  writer << "HTTP/1.1 " << static_cast<std::uint64_t>(response.status) << " " << response.reason
         << "\r\n";
  const bool named_by_connection = has_connection_field(response.fields);
  const bool may_have_length = !response.interim() && response.status != 204;
  for (const Field& field : response.fields) {
    // A length stays as it was said: for HEAD and 304 it is about a body that is not here. Where
    // there never is a body there may not be one (RFC 9110, section 8.6).
    if (field.id == FieldId::content_length && !may_have_length) continue;
    const bool hop = field.id == FieldId::other
                         ? named_by_connection && is_hop_by_hop(field, response.fields)
                         : is_hop_by_hop(field, response.fields);
    if (hop || drops(options.rules, field.name)) continue;
    writer << field.name << ": " << field.value << "\r\n";
  }
  if (options.coding == BodyCoding::chunked) writer << "Transfer-Encoding: chunked\r\n";
  if (options.close) writer << "Connection: close\r\n";
  if (options.keep_alive) writer << "Connection: keep-alive\r\n";
  writer << lines_of(options.rules) << options.session_field << "\r\n";
  return writer.finish();
}

void write_own_response(int status, bool close, bool without_body, Buffer& out,
                        std::uint64_t retry_after_seconds) {
  const std::string_view reason = reason_phrase(status);
  Writer writer(out);
  writer << "HTTP/1.1 " << static_cast<std::uint64_t>(status) << " " << reason
         << "\r\nContent-Type: text/plain\r\nContent-Length: " << reason.size() + 5 << "\r\n";
  if (retry_after_seconds > 0) writer << "Retry-After: " << retry_after_seconds << "\r\n";
  if (close) writer << "Connection: close\r\n";
  writer << "\r\n";
  if (!without_body) writer << static_cast<std::uint64_t>(status) << " " << reason << "\n";
  static_cast<void>(writer.finish());
}

bool write_route_answer(const RouteAnswer& answer, Buffer& out) {
  // RFC 9110, section 8.6: these have no body, so a length would be about another one.
  const bool bodiless = answer.status == 204 || answer.status == 304;
  Writer writer(out);
  writer << "HTTP/1.1 " << static_cast<std::uint64_t>(answer.status) << " "
         << reason_phrase(answer.status) << "\r\n";
  if (!answer.location.empty()) writer << "Location: " << answer.location << "\r\n";
  const bool has_type = answer.body_size > 0 && !drops(answer.rules, "content-type");
  if (has_type) writer << "Content-Type: " << answer.content_type << "\r\n";
  if (!bodiless) writer << "Content-Length: " << answer.body_size << "\r\n";
  if (answer.close) writer << "Connection: close\r\n";
  writer << lines_of(answer.rules) << "\r\n";
  return writer.finish();
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return status < 400 ? "OK" : "Error";
  }
}

}  // namespace lb::net::http
