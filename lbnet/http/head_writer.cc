#include "lbnet/http/head_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "lbnet/http/head_parser.h"
#include "lbnet/http/origin.h"

namespace lb::net::http {
namespace {

// Appends to a buffer as much as a head may have; then remembers that it did not fit.
class Writer {
 public:
  explicit Writer(Buffer& out)
      : out_(out), room_(out.room().first(std::min(out.room().size(), kHeadMax))) {}

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
    std::array<char, 20> digits;
    const auto [end, _] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return *this << std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
  }

  // A line of its own. Most stand as they came.
  Writer& operator<<(const Field& field) {
    if (!field.is_plain) return *this << field.name << ": " << field.value << "\r\n";
    return *this << std::string_view{field.name.data(), field.name.size() + field.value.size() + 4};
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

// Most messages have no Connection, and then nothing has to be looked up in it.
bool goes_no_further(const Field& field, const std::vector<Field>& fields,
                     bool has_connection_field) {
  if (field.id == FieldId::other && !has_connection_field) return false;
  return is_hop_by_hop(field, fields);
}

// RFC 9110, section 7.8: what Connection says of a message that asks for more than its delivery.
void write_request_options(const RequestHead& request, Writer& writer) {
  const bool upgrades = !request.upgrade.empty();
  if (!upgrades && !request.takes_trailers) return;
  writer << "Connection: " << (upgrades ? "Upgrade" : "")
         << (upgrades && request.takes_trailers ? ", " : "") << (request.takes_trailers ? "TE" : "")
         << "\r\n";
  if (upgrades) writer << "Upgrade: " << request.upgrade << "\r\n";
  if (request.takes_trailers) writer << "TE: trailers\r\n";
}

bool writes_x_forwarded(ForwardedFields fields) {
  return fields == ForwardedFields::x_forwarded || fields == ForwardedFields::both;
}
bool writes_forwarded(ForwardedFields fields) {
  return fields == ForwardedFields::rfc7239 || fields == ForwardedFields::both;
}

// Whether a field does not go on as it came: because it is not to be believed, or is written anew.
bool is_replaced(FieldId id, const RequestChanges& changes) {
  switch (id) {
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
      return !changes.peer_trusted || writes_x_forwarded(changes.forwarded);
    case FieldId::forwarded: return !changes.peer_trusted || writes_forwarded(changes.forwarded);
    case FieldId::x_request_id: return !changes.request_id.empty();
    case FieldId::traceparent:
    case FieldId::tracestate: return !changes.traceparent.empty();
    default: return tells_origin(id) && !changes.peer_trusted;
  }
}

// A field with a list. One without an element is not written.
class ListField {
 public:
  ListField(std::string_view name, Writer& writer) : name_(name), writer_(writer) {}

  // What is written next belongs to this element, too.
  void add(std::string_view element) {
    if (any_) {
      writer_ << ", ";
    } else {
      writer_ << name_ << ": ";
    }
    any_ = true;
    writer_ << element;
  }
  void end() {
    if (any_) writer_ << "\r\n";
  }

 private:
  std::string_view name_;
  Writer& writer_;
  bool any_ = false;
};

// A client of a unix socket has no address to tell.
constexpr std::string_view kNoAddress = "unix:";

void write_x_forwarded(const RequestHead& request, std::string_view peer,
                       const RequestChanges& changes, Writer& writer) {
  std::string_view proto = changes.secure ? "https" : "http";
  std::string_view host = request.host;
  ListField hops("X-Forwarded-For", writer);
  if (changes.peer_trusted) {
    const std::string_view proto_before = forwarded_proto(request.fields);
    const std::string_view host_before = forwarded_host(request.fields);
    if (!proto_before.empty()) proto = proto_before;
    if (!host_before.empty()) host = host_before;
    for (const Field& field : request.fields) {
      if (field.id == FieldId::x_forwarded_for && !field.value.empty()) hops.add(field.value);
    }
  }
  if (peer != kNoAddress) hops.add(peer);
  hops.end();
  writer << "X-Forwarded-Proto: " << proto << "\r\n";
  if (!host.empty()) writer << "X-Forwarded-Host: " << host << "\r\n";
}

// RFC 7239, section 4: an address of IPv6 is in brackets and in quotes; what a Host may have in it
// beside a token's characters needs them, too. What came is left out where nobody could read what
// we add to it.
void write_forwarded(const RequestHead& request, std::string_view peer,
                     const RequestChanges& changes, Writer& writer) {
  ListField hops("Forwarded", writer);
  if (changes.peer_trusted) {
    for (const Field& field : request.fields) {
      if (field.id == FieldId::forwarded && is_forwarded(field.value)) hops.add(field.value);
    }
  }
  const bool v6 = peer.find(':') != std::string_view::npos;
  hops.add("for=");
  if (peer == kNoAddress) {
    writer << "unknown";
  } else {
    writer << (v6 ? "\"[" : "") << peer << (v6 ? "]\"" : "");
  }
  if (!request.host.empty()) writer << ";host=\"" << request.host << "\"";
  writer << ";proto=" << (changes.secure ? "https" : "http");
  hops.end();
}

// What the route says of them instead comes with its own lines.
void write_ids(const RequestChanges& changes, Writer& writer) {
  if (!changes.request_id.empty() && !drops(changes.rules, "x-request-id")) {
    writer << "X-Request-Id: " << changes.request_id << "\r\n";
  }
  if (!changes.traceparent.empty() && !drops(changes.rules, "traceparent")) {
    writer << "traceparent: " << changes.traceparent << "\r\n";
  }
}

// RFC 9110, section 7.6.3.
void write_via(std::string_view name, int minor_version, Writer& writer) {
  if (name.empty()) return;
  writer << "Via: 1." << (minor_version == 0 ? "0 " : "1 ") << name << "\r\n";
}

void write_defaults(const HeaderRules* rules, const std::vector<Field>& fields, Writer& writer) {
  if (rules == nullptr) return;
  for (const HeaderRules::Default& field : rules->defaults()) {
    const bool there = std::any_of(fields.begin(), fields.end(), [&](const Field& other) {
      return equal_ignoring_case(other.name, field.name);
    });
    if (!there) writer << field.line;
  }
}

bool is_cors(std::string_view name) {
  constexpr std::string_view kPrefix = "access-control-";
  return equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

// What a recipient has to know before the body: how it is framed, whose it is, what is done with
// it, and what a client does with the answer.
bool may_trail(const Field& field) {
  constexpr std::array<std::string_view, 22> kForbidden = {"age",
                                                           "authentication-info",
                                                           "authorization",
                                                           "cache-control",
                                                           "content-encoding",
                                                           "content-range",
                                                           "content-type",
                                                           "cookie",
                                                           "date",
                                                           "expires",
                                                           "forwarded",
                                                           "location",
                                                           "pragma",
                                                           "range",
                                                           "retry-after",
                                                           "set-cookie",
                                                           "strict-transport-security",
                                                           "vary",
                                                           "via",
                                                           "warning",
                                                           "www-authenticate",
                                                           "x-request-id"};
  if (field.id != FieldId::other) return false;
  return std::none_of(kForbidden.begin(), kForbidden.end(),
                      [&](std::string_view name) { return equal_ignoring_case(field.name, name); });
}

}  // namespace

bool write_request_head(const RequestHead& request, std::string_view peer, Buffer& out,
                        const RequestChanges& changes) {
  Writer writer(out);
  writer << request.method << " " << (changes.target.empty() ? request.target : changes.target)
         << " HTTP/1.1\r\n";
  // HTTP/1.0 may have no host; HTTP/1.1 must.
  const bool own_host = request.host.empty() || !changes.host.empty();
  const bool named_by_connection = has_connection_field(request.fields);
  if (own_host) writer << "Host: " << changes.host << "\r\n";
  for (const Field& field : request.fields) {
    switch (field.id) {
      case FieldId::host:
        if (own_host) continue;
        break;
      case FieldId::content_length:
      case FieldId::expect:  // We answer it: see HttpSession.
      case FieldId::x_ssl_client: continue;
      case FieldId::max_forwards:
        if (request.max_forwards) {
          writer << "Max-Forwards: " << std::uint64_t{*request.max_forwards - 1} << "\r\n";
          continue;
        }
        break;
      default:
        if (field.id != FieldId::other && is_replaced(field.id, changes)) continue;
        break;
    }
    if (goes_no_further(field, request.fields, named_by_connection)) continue;
    if (drops(changes.rules, field.name)) continue;
    writer << field;
  }
  if (request.framing.kind == Framing::Kind::length) {
    writer << "Content-Length: " << request.framing.length << "\r\n";
  } else if (request.framing.kind == Framing::Kind::chunked) {
    writer << "Transfer-Encoding: chunked\r\n";
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    writer << "Content-Length: 0\r\n";  // RFC 9110, 8.6: these are expected to say so.
  }
  if (writes_x_forwarded(changes.forwarded)) write_x_forwarded(request, peer, changes, writer);
  if (writes_forwarded(changes.forwarded)) write_forwarded(request, peer, changes, writer);
  writer << changes.certificate_fields;
  write_ids(changes, writer);
  write_request_options(request, writer);
  write_via(changes.via, request.minor_version, writer);
  write_defaults(changes.rules, request.fields, writer);
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
  const bool may_have_length = response.status >= 200 && response.status != 204;
  for (const Field& field : response.fields) {
    // A length stays as it was said: for HEAD and 304 it is about a body that is not here. Where
    // there never is a body there may not be one (RFC 9110, section 8.6).
    if (field.id == FieldId::content_length && !may_have_length) continue;
    const bool trailer = options.trailers && field.id == FieldId::trailer;
    if (!trailer && goes_no_further(field, response.fields, named_by_connection)) continue;
    if (drops(options.rules, field.name)) continue;
    if (options.cors != nullptr && is_cors(field.name)) continue;
    writer << field;
  }
  if (options.coding == BodyCoding::chunked) writer << "Transfer-Encoding: chunked\r\n";
  if (response.status == 101) {
    writer << "Connection: Upgrade\r\nUpgrade: " << response.upgrade << "\r\n";
  } else if (options.close) {
    writer << "Connection: close\r\n";
  } else if (options.keep_alive) {
    writer << "Connection: keep-alive\r\n";
  }
  write_via(options.via, response.minor_version, writer);
  write_defaults(options.rules, response.fields, writer);
  if (options.cors != nullptr) writer << *options.cors;
  writer << lines_of(options.rules) << options.session_field << "\r\n";
  return writer.finish();
}

bool write_trailers(const std::vector<Field>& trailers, const HeaderRules* rules, Buffer& out) {
  Writer writer(out);
  for (const Field& field : trailers) {
    if (!may_trail(field) || drops(rules, field.name)) continue;
    writer << field;
  }
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
  write_defaults(answer.rules, {}, writer);
  if (answer.cors != nullptr) writer << *answer.cors;
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
    case 421: return "Misdirected Request";
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
