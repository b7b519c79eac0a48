#include "lbnet/http/head_parser.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "lbnet/http/field_names.h"

namespace lb::net::http {
namespace {

using CharTable = std::array<bool, 256>;

constexpr CharTable letters_digits_and(std::string_view others) {
  CharTable table{};
  for (const std::string_view chars :
       {std::string_view{"0123456789"}, std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        std::string_view{"abcdefghijklmnopqrstuvwxyz"}, others}) {
    for (const char c : chars) table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}

// RFC 9110, section 5.6.2: the characters of a token.
constexpr CharTable kTokenChars = letters_digits_and("!#$%&'*+-.^_`|~");

// RFC 9110, section 5.5: visible characters, space, tab and obs-text. No control characters.
constexpr CharTable kValueChars = [] {
  CharTable table{};
  for (std::size_t c = 0x20; c < 256; ++c) table[c] = c != 0x7f;
  table['\t'] = true;
  return table;
}();

constexpr char kLineEnd[] = "\r\n";

bool all_of(std::string_view text, const CharTable& table) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_of(text, kTokenChars); }

// RFC 3986, appendix A, and more: what is visible in ASCII. Who serves it is to say what is a path.
constexpr CharTable kTargetChars = [] {
  CharTable table{};
  for (std::size_t c = 0x21; c < 0x7f; ++c) table[c] = true;
  return table;
}();

// How many bytes in front are of the table.
std::size_t count_in_front(std::string_view text, const CharTable& table, std::size_t from = 0) {
  while (from < text.size() && table[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

// How many bytes in front a value may have, spaces and tabs included. Most bytes of a head are in
// values, so they are looked at by eights.
std::size_t count_value_chars(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kHigh = kEach << 7U;
  std::size_t count = 0;
  for (; count + sizeof(std::uint64_t) <= text.size(); count += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + count, sizeof(word));
    // The subtractions borrow from a byte's high bit when it is too small, and it had none.
    const std::uint64_t below_space = (word - kEach * 0x20) & ~word;
    const std::uint64_t other_than_delete = word ^ (kEach * 0x7f);
    const std::uint64_t deletes = (other_than_delete - kEach) & ~other_than_delete;
    if (((below_space | deletes) & kHigh) != 0) break;
  }
  return count_in_front(text, kValueChars, count);
}

// The first `size` bytes, which are taken off.
std::string_view take(std::string_view& text, std::size_t size) {
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

// Whether it began so; then that is taken off. Of a length that the compiler knows: it needs no
// call.
template <std::size_t kSize>
bool take_if(std::string_view& text, const char (&beginning)[kSize]) {
  constexpr std::size_t kChars = kSize - 1;
  if (text.size() < kChars || std::memcmp(text.data(), beginning, kChars) != 0) return false;
  text.remove_prefix(kChars);
  return true;
}

enum class FieldsError { none, malformed, too_many };

// Field lines up to the empty line behind them.
FieldsError parse_fields(std::string_view head, std::vector<Field>& fields) {
  fields.clear();
  while (!take_if(head, kLineEnd)) {
    if (fields.size() == kFieldsMax) return FieldsError::too_many;
    // A folded line starts with white space, which no token does; so does one with a space before
    // its colon fail.
    const std::string_view name = take(head, count_in_front(head, kTokenChars));
    if (name.empty() || !take_if(head, ":")) return FieldsError::malformed;
    const std::string_view around = take(head, count_value_chars(head));
    if (!take_if(head, kLineEnd)) return FieldsError::malformed;
    const FieldId id = identify(name);
    if (!may_have_underscore(id) && name.find('_') != std::string_view::npos) {
      return FieldsError::malformed;
    }
    const std::string_view value = trim(around);
    const bool is_plain = around.size() == value.size() + 1 && around.front() == ' ';
    fields.push_back({name, value, id, is_plain});
  }
  return FieldsError::none;
}

// Calls visit(token) for each element of a comma-separated list; false when visit does.
template <class Visit>
bool for_each_element(std::string_view list, Visit&& visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty() && !visit(element)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool read_connection(const Field& field, ConnectionOptions& options) {
  // Each option is compared with each field: thousands of them would buy a lot of our time.
  constexpr std::ptrdiff_t kOptionsMax = 32;
  options.count += 1 + std::count(field.value.begin(), field.value.end(), ',');
  if (options.count > kOptionsMax) return false;
  return for_each_element(field.value, [&](std::string_view option) {
    if (equal_ignoring_case(option, "close")) options.close = true;
    if (equal_ignoring_case(option, "keep-alive")) options.keep_alive = true;
    if (equal_ignoring_case(option, "upgrade")) options.upgrade = true;
    if (equal_ignoring_case(option, "te")) options.te = true;
    return is_token(option);
  });
}

// What the fields say of the body's length. Anything that could be read in two ways is refused.
struct DeclaredLength {
  bool malformed = false;
  bool unknown_coding = false;
  bool chunked = false;
  std::optional<std::uint64_t> length;
};

// A list of codings is malformed when it is no list of tokens, or when chunked is anywhere but at
// its end: RFC 9112, sections 6.1 and 6.3.
void read_transfer_encoding(std::string_view value, DeclaredLength& declared) {
  for (;;) {
    if (declared.chunked) declared.malformed = true;
    const std::size_t comma = value.find(',');
    const std::string_view coding = trim(value.substr(0, comma));
    if (!is_token(coding)) declared.malformed = true;
    const bool chunked = equal_ignoring_case(coding, "chunked");
    (chunked ? declared.chunked : declared.unknown_coding) = true;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

DeclaredLength declared_length(const std::vector<Field>& fields) {
  constexpr std::size_t kDigitsMax = 18;
  DeclaredLength declared;
  for (const Field& field : fields) {
    if (field.id == FieldId::content_length) {
      std::uint64_t length = 0;
      const std::string_view text = field.value;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
      const bool good = !text.empty() && text.size() <= kDigitsMax && error == std::errc{} &&
                        end == text.data() + text.size();
      // Two fields that agree are two fields: some other parser may take the first of a list.
      if (!good || declared.length) declared.malformed = true;
      declared.length = length;
    } else if (field.id == FieldId::transfer_encoding) {
      read_transfer_encoding(field.value, declared);
    }
  }
  if (declared.length && (declared.chunked || declared.unknown_coding)) declared.malformed = true;
  return declared;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What is in the brackets, without a zone: that one means nothing beyond the host that named it.
bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address{};
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

// A reg-name of RFC 3986, but for commas and percent: "te%73t" is "test" to those who decode it.
constexpr CharTable kNameChars = letters_digits_and("-._~!$&'()*+;=");
bool is_name(std::string_view text) { return !text.empty() && all_of(text, kNameChars); }

// Empty, or from 1 to 65535.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && text.size() <= 5 && port > 0;
}

// host[:port] of RFC 3986 without userinfo.
bool is_authority(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  const bool good_host =
      bracketed ? is_ipv6(text.substr(1, end - 1)) : is_name(text.substr(0, end));
  if (!good_host) return false;
  text.remove_prefix(bracketed ? end + 1 : std::min(end, text.size()));
  return text.empty() || (text.front() == ':' && is_port(text.substr(1)));
}

// Takes scheme and authority off an absolute-form target; the authority has to be the Host.
bool to_origin_form(RequestHead& request, bool secure) {
  if (request.target.starts_with('/')) return request.target.find('#') == std::string_view::npos;
  if (request.target == "*") return request.method == "OPTIONS";
  const std::string_view scheme = secure ? "https://" : "http://";
  if (!equal_ignoring_case(request.target.substr(0, scheme.size()), scheme)) return false;
  const std::string_view rest = request.target.substr(scheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  if (!equal_ignoring_case(rest.substr(0, slash), request.host)) return false;
  request.target = rest.substr(slash);
  // RFC 9112, sections 3.2.1 and 3.2.4: what an empty path stands for.
  if (request.target.empty()) request.target = request.method == "OPTIONS" ? "*" : "/";
  return request.target.find('#') == std::string_view::npos;
}

// Takes it off the head. 0, or the status that refuses it.
int parse_request_line(std::string_view& head, RequestHead& request) {
  request.method = take(head, count_in_front(head, kTokenChars));
  if (request.method.empty() || !take_if(head, " ")) return 400;
  request.target = take(head, count_in_front(head, kTargetChars));
  if (request.target.empty() || !take_if(head, " HTTP/")) return 400;
  const bool shape = head.size() >= 5 && is_digit(head[0]) && head[1] == '.' && is_digit(head[2]);
  if (!shape) return 400;
  const std::string_view version = take(head, 3);
  if (!take_if(head, kLineEnd)) return 400;
  // There is no HTTP/1.2 and never will be: who says so has something else in mind.
  if (version[0] != '1' || version[2] > '1') return 505;
  request.minor_version = version[2] - '0';
  return 0;
}

// Takes it off the head. Behind the status there may be nothing, and no reason.
bool parse_status_line(std::string_view& head, ResponseHead& response) {
  if (!take_if(head, "HTTP/1.") || head.size() < 5) return false;
  const std::string_view front = take(head, 5);  // As in "1 200".
  const std::string_view digits = front.substr(2);
  if ((front[0] != '0' && front[0] != '1') || front[1] != ' ') return false;
  if (digits[0] == '0' || !std::all_of(digits.begin(), digits.end(), is_digit)) return false;
  response.minor_version = front[0] - '0';
  response.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  response.reason = take_if(head, " ") ? take(head, count_value_chars(head)) : std::string_view{};
  return take_if(head, kLineEnd);
}

// 0, or the status for a value that is none. Other methods than these two do not count hops.
int read_max_forwards(std::string_view value, RequestHead& request) {
  if (request.method != "OPTIONS" && request.method != "TRACE") return 0;
  std::uint32_t hops = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), hops);
  const bool good = !value.empty() && error == std::errc{} && end == value.data() + value.size();
  if (!good || request.max_forwards) return 400;
  request.max_forwards = hops;
  return 0;
}

// 0, or the status that refuses the request because of this field.
int read_request_field(const Field& field, RequestHead& request) {
  switch (field.id) {
    case FieldId::host: request.host = field.value; return 0;
    case FieldId::connection: return read_connection(field, request.connection) ? 0 : 400;
    case FieldId::expect:
      request.expects_continue = request.minor_version >= 1;
      return equal_ignoring_case(field.value, "100-continue") ? 0 : 417;
    case FieldId::max_forwards: return read_max_forwards(field.value, request);
    case FieldId::te:
      // Of the codings it may list, `chunked` goes without saying and we have no others. A weight
      // of the trailers means nothing (RFC 9110, section 10.1.4).
      static_cast<void>(for_each_element(field.value, [&](std::string_view element) {
        request.takes_trailers |= equal_ignoring_case(element, "trailers");
        return true;
      }));
      return 0;
    default: return 0;
  }
}

// The one protocol named, when Connection says so, too. Several at once are a choice we would have
// to understand; h2c would be a way past everything that is checked here.
void read_upgrade(RequestHead& request) {
  if (!request.connection.upgrade || request.minor_version == 0) return;
  std::size_t fields = 0;
  std::string_view protocol;
  for (const Field& field : request.fields) {
    if (field.id != FieldId::upgrade) continue;
    ++fields;
    protocol = field.value;
  }
  const std::string_view name = protocol.substr(0, protocol.find('/'));
  const std::string_view version = protocol.substr(std::min(name.size() + 1, protocol.size()));
  const bool one = fields == 1 && is_token(name) && all_of(version, kTokenChars);
  if (one && !equal_ignoring_case(name, "h2c")) request.upgrade = protocol;
}

int read_request_fields(RequestHead& request) {
  int hosts = 0;
  for (const Field& field : request.fields) {
    if (const int status = read_request_field(field, request); status != 0) return status;
    if (field.id == FieldId::host) ++hosts;
  }
  // A TE that Connection does not name is not from the peer, but from somebody behind it.
  request.takes_trailers &= request.connection.te;
  if (hosts > 1 || (hosts == 0 && request.minor_version >= 1)) return 400;
  if (hosts == 1 && !is_authority(request.host)) return 400;
  return 0;
}

int read_request_framing(RequestHead& request) {
  const DeclaredLength declared = declared_length(request.fields);
  if (declared.malformed) return 400;
  if (declared.unknown_coding) return 501;
  if (declared.chunked) {
    if (request.minor_version == 0) return 400;  // HTTP/1.0 has no chunks: a smuggler's tool.
    request.framing = {Framing::Kind::chunked, 0};
  } else if (declared.length && *declared.length > 0) {
    request.framing = {Framing::Kind::length, *declared.length};
  }
  return 0;
}

}  // namespace

bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

HeadScanner::Result HeadScanner::scan(std::string_view bytes) {
  constexpr std::size_t kEmptyLinesMax = 4;
  const bool enough = bytes.size() >= kHeadMax;
  bytes = bytes.substr(0, kHeadMax);
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      break;
    }
    const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (newline == line_ || bytes[newline - 1] != '\r') return Result::malformed;
    const bool empty = newline == line_ + 1;
    const bool first = line_ == start_;
    line_ = scanned_ = newline + 1;
    if (empty && first) {
      start_ = line_;
      if (start_ > 2 * kEmptyLinesMax) return Result::malformed;
    } else if (empty) {
      return Result::complete;
    } else if (first) {
      first_line_ = line_;
    }
  }
  if (line_ == start_) first_line_ = scanned_;
  return enough ? Result::too_long : Result::incomplete;
}

int parse_request_head(std::string_view head, RequestHead& request, bool secure) {
  request.host = {};
  request.connection = {};
  request.framing = {};
  request.expects_continue = request.takes_trailers = false;
  request.upgrade = {};
  request.max_forwards.reset();
  if (const int status = parse_request_line(head, request); status != 0) return status;
  switch (parse_fields(head, request.fields)) {
    case FieldsError::none: break;
    case FieldsError::malformed: return 400;
    case FieldsError::too_many: return 431;
  }
  if (const int status = read_request_fields(request); status != 0) return status;
  if (const int status = read_request_framing(request); status != 0) return status;
  // A body would have to come before the switch, and may not: such a request stays what it is.
  if (request.framing.kind == Framing::Kind::none) read_upgrade(request);
  if (request.method == "CONNECT") return 405;
  return to_origin_form(request, secure) ? 0 : 400;
}

int refuse_first_line(std::string_view line) {
  if (line.ends_with('\n')) {
    RequestHead request;
    return parse_request_line(line, request);
  }
  if (line.empty() || line == "\r") return 0;
  const bool bare_cr = line.find('\r') < line.size() - 1;
  return bare_cr || !is_token_char(line.front()) ? 400 : 0;
}

bool parse_response_head(std::string_view head, bool to_head, ResponseHead& response) {
  response.connection = {};
  response.framing = {};
  response.upgrade = {};
  response.withholds_body = false;
  if (!parse_status_line(head, response)) return false;
  if (parse_fields(head, response.fields) != FieldsError::none) return false;
  for (const Field& field : response.fields) {
    if (field.id == FieldId::connection && !read_connection(field, response.connection)) {
      return false;
    }
    if (field.id != FieldId::upgrade || response.status != 101) continue;
    if (!response.upgrade.empty()) return false;
    response.upgrade = field.value;
  }
  if (response.status == 101 && (!response.connection.upgrade || response.upgrade.empty())) {
    return false;
  }
  const DeclaredLength declared = declared_length(response.fields);
  if (declared.malformed || declared.unknown_coding) return false;
  const bool tells_of_body = declared.chunked || declared.length.value_or(0) > 0;
  // RFC 9110, section 8.6, and RFC 9112, section 6.1: neither may speak of a body, and whoever does
  // may be about to send one.
  if (response.status < 200 || response.status == 204) return !tells_of_body;
  if (to_head || response.status == 304) {
    response.withholds_body = tells_of_body;
    return true;
  }
  if (declared.chunked) {
    if (response.minor_version == 0) return false;
    response.framing = {Framing::Kind::chunked, 0};
  } else if (!declared.length) {
    response.framing = {Framing::Kind::until_close, 0};
  } else if (*declared.length > 0) {
    response.framing = {Framing::Kind::length, *declared.length};
  }
  return true;
}

bool may_be_status_line(std::string_view line) {
  constexpr std::string_view kBeginning = "HTTP/1.";
  ResponseHead response;
  if (line.ends_with('\n')) return parse_status_line(line, response);
  const std::size_t size = std::min(line.size(), kBeginning.size());
  return line.substr(0, size) == kBeginning.substr(0, size);
}

bool parse_trailers(std::string_view trailers, std::vector<Field>& fields) {
  return parse_fields(trailers, fields) == FieldsError::none;
}

std::string_view the_one_value(const std::vector<Field>& fields, FieldId id) {
  std::string_view value;
  std::size_t count = 0;
  for (const Field& field : fields) {
    if (field.id != id) continue;
    ++count;
    value = field.value;
  }
  return count == 1 ? value : std::string_view{};
}

bool is_hop_by_hop(const Field& field, const std::vector<Field>& fields) {
  switch (field.id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    // Connection may not take these from the message: what it names is the peer's to say, and a
    // peer that names them wants the next hop to see another message than we do.
    case FieldId::host:
    case FieldId::content_length:
    case FieldId::forwarded:
    case FieldId::traceparent:
    case FieldId::tracestate:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
    case FieldId::x_forwarded_other:
    case FieldId::x_real_ip:
    case FieldId::x_request_id:
    case FieldId::x_ssl_client: return false;
    case FieldId::expect:
    case FieldId::max_forwards:
    case FieldId::other: break;
  }
  for (const Field& connection : fields) {
    if (connection.id != FieldId::connection) continue;
    const bool kept = for_each_element(connection.value, [&](std::string_view option) {
      return !equal_ignoring_case(option, field.name);
    });
    if (!kept) return true;
  }
  return false;
}

}  // namespace lb::net::http
