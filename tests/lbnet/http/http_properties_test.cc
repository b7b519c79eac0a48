// Goal: laws of heads and bodies. What is written from a parsed head means the same as what was
// read; no bytes crash a parser; and nothing that is accepted carries a line's end to the other
// side that was not ours.
// Method: RapidCheck, on good heads, on good heads with a few bytes changed, and on noise.
#include <algorithm>
#include <tuple>

#include "lbnet/http/body_decoder.h"
#include "lbnet/http/head_writer.h"
#include "tests/lbnet/http/heads.h"
#include "tests/testing/property.h"

namespace lb::net::http {
namespace {

using lb::testing::expect_property;
using testing::request_status;
using testing::response_good;
using testing::scan_growing;
using testing::visible;

// -- Generators

rc::Gen<std::string> text_of(const std::string& alphabet) {
  return rc::gen::container<std::string>(rc::gen::elementOf(alphabet));
}

rc::Gen<std::string> token() { return rc::gen::nonEmpty(text_of("!#$%&'*+-.^_`|~019AZaz")); }

rc::Gen<std::string> value() { return text_of("az 09,;:=\"\t()<>\xc3\xa9\xff"); }

// A field that is not about framing or Host: any name, or one that we look at.
rc::Gen<std::string> field() {
  const auto other = rc::gen::map(token(), [](const std::string& name) { return "X-" + name; });
  const auto known =
      rc::gen::element<std::string>("Keep-Alive", "TE", "Trailer", "Upgrade", "X-Forwarded-For",
                                    "x-forwarded-host", "Proxy-Connection", "X-a");
  const auto name = rc::gen::weightedOneOf<std::string>({{3, other}, {1, known}});
  const auto plain = rc::gen::map(rc::gen::tuple(name, value()), [](const auto& parts) {
    return std::get<0>(parts) + ": " + std::get<1>(parts) + "\r\n";
  });
  const auto connection = rc::gen::map(
      token(), [](const std::string& option) { return "Connection: X-a, " + option + "\r\n"; });
  return rc::gen::weightedOneOf<std::string>({{5, plain}, {1, connection}});
}

rc::Gen<std::string> fields() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(field()),
                      [](const std::vector<std::string>& all) {
                        // Below the limits on fields and on options of Connection.
                        std::string text;
                        int connections = 0;
                        for (std::size_t n = 0; n < std::min<std::size_t>(all.size(), 40); ++n) {
                          const bool connection = all[n].starts_with("Connection:");
                          if (!connection || ++connections <= 8) text += all[n];
                        }
                        return text;
                      });
}

rc::Gen<std::string> framing() {
  return rc::gen::element<std::string>("", "Content-Length: 0\r\n", "Content-Length: 0012\r\n",
                                       "Transfer-Encoding: chunked\r\n");
}

rc::Gen<std::string> request() {
  const auto target = rc::gen::map(text_of("az09/?&=%._-~[]|\"<>"),
                                   [](const std::string& rest) { return '/' + rest; });
  const auto method =
      rc::gen::oneOf(token(), rc::gen::element<std::string>("GET", "POST", "PUT", "HEAD"));
  return rc::gen::map(rc::gen::tuple(method, target, fields(), framing(), fields()),
                      [](const auto& parts) {
                        const auto& [name, path, before, length, after] = parts;
                        return name + ' ' + path + " HTTP/1.1\r\n" + before +
                               "Host: a.example:80\r\n" + length + after + "\r\n";
                      });
}

rc::Gen<std::string> response() {
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange(100, 600), value(), fields(), framing()),
                      [](const auto& parts) {
                        const auto& [status, reason, some, length] = parts;
                        // A switch says to what, once; nothing may speak of a body that cannot be.
                        const bool switches = status == 101;
                        const bool bodiless = status < 200 || status == 204;
                        return "HTTP/1.1 " + std::to_string(status) + ' ' + reason + "\r\n" +
                               (switches ? "Connection: upgrade\r\nUpgrade: x\r\n" : some) +
                               (bodiless ? "" : length) + "\r\n";
                      });
}

// One byte changed, put in or taken out, with a taste for those that matter.
struct Change {
  std::size_t place = 0;
  int kind = 0;
  char byte = 0;
};

rc::Gen<char> interesting_byte() {
  return rc::gen::oneOf(
      rc::gen::element('\r', '\n', '\0', ' ', '\t', ':', ',', ';', '0', '\x0b', '\x7f', '\xff'),
      rc::gen::arbitrary<char>());
}

std::string changed(std::string text, int changes) {
  for (int n = 0; n < changes; ++n) {
    if (text.empty()) break;
    const std::size_t place = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0: text[place] = *interesting_byte(); break;
      case 1: text.insert(place, 1, *interesting_byte()); break;
      default: text.erase(place, 1); break;
    }
  }
  return text;
}

// -- What has to hold

// The fields that go on, in order.
std::vector<std::pair<std::string, std::string>> end_to_end(const std::vector<Field>& fields) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Field& field : fields) {
    const bool ours = field.id == FieldId::content_length || field.id == FieldId::expect ||
                      tells_origin(field.id);
    if (!ours && !is_hop_by_hop(field, fields)) all.emplace_back(field.name, field.value);
  }
  return all;
}

// CR, LF and NUL occur as the ends of lines alone, and the only empty line is the last.
bool is_clean(std::string_view text) {
  if (!text.ends_with("\r\n\r\n") || text.find("\r\n\r\n") != text.size() - 4) return false;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto byte = static_cast<unsigned char>(text[n]);
    if (text[n] == '\r' && (n + 1 == text.size() || text[n + 1] != '\n')) return false;
    if (text[n] == '\n' && (n == 0 || text[n - 1] != '\r')) return false;
    if ((byte < 0x20 && text[n] != '\r' && text[n] != '\n' && text[n] != '\t') || byte == 0x7f) {
      return false;
    }
  }
  return true;
}

// What a backend gets means what the client sent.
void expect_same_meaning(const RequestHead& head) {
  BufferPool pool;
  Buffer out(pool);
  RC_PRE(write_request_head(head, "192.0.2.7", out));
  RC_ASSERT(is_clean(out.view()));
  if (head.host.empty()) return;  // Of HTTP/1.0: our own rules for HTTP/1.1 would refuse it.
  RequestHead again;
  RC_ASSERT(parse_request_head(out.view(), again) == 0);
  RC_ASSERT(again.method == head.method);
  RC_ASSERT(again.target == head.target);
  RC_ASSERT(again.host == head.host);
  RC_ASSERT(again.framing.kind == head.framing.kind);
  RC_ASSERT(again.framing.length == head.framing.length);
  RC_ASSERT(end_to_end(again.fields) == end_to_end(head.fields));
  RC_ASSERT(again.persistent());
  Buffer rewritten(pool);
  RC_ASSERT(write_request_head(again, "192.0.2.7", rewritten));
  RC_ASSERT(rewritten.view() == out.view());
  for (const Field& field : again.fields) {
    if (field.id == FieldId::x_forwarded_for) RC_ASSERT(field.value == "192.0.2.7");
  }
}

void expect_same_meaning(const ResponseHead& head) {
  BufferPool pool;
  Buffer out(pool);
  const BodyCoding coding = coding_for_client(head, 1);
  RC_PRE(write_response_head(head, {.coding = coding}, out));
  RC_ASSERT(is_clean(out.view()));
  ResponseHead again;
  RC_ASSERT(parse_response_head(out.view(), false, again));
  RC_ASSERT(again.status == head.status);
  RC_ASSERT(again.reason == head.reason);
  const bool unbounded = head.framing.kind == Framing::Kind::until_close;
  RC_ASSERT(again.framing.kind == (unbounded ? Framing::Kind::chunked : head.framing.kind));
  RC_ASSERT(again.framing.length == head.framing.length);
  RC_ASSERT(end_to_end(again.fields) == end_to_end(head.fields));
  Buffer rewritten(pool);
  RC_ASSERT(write_response_head(again, {.coding = coding}, rewritten));
  RC_ASSERT(rewritten.view() == out.view());
}

TEST(HeadProperty, ARequestWrittenAnewMeansTheSame) {
  expect_property([] {
    const std::string text = *request();
    RequestHead head;
    RC_ASSERT(request_status(text, scan_growing(text, {text.size()}), head) == 0);
    expect_same_meaning(head);
  });
}

TEST(HeadProperty, AnAnswerWrittenAnewMeansTheSame) {
  expect_property([] {
    const std::string text = *response();
    ResponseHead head;
    RC_ASSERT(response_good(text, scan_growing(text, {text.size()}), false, head));
    expect_same_meaning(head);
  });
}

TEST(HeadProperty, AChangedRequestIsRefusedOrCleanlyWritten) {
  expect_property(
      [] {
        const std::string text = changed(*request(), *rc::gen::inRange(1, 6));
        const auto scan = scan_growing(text, {text.size()});
        RequestHead head;
        const int status = request_status(text, scan, head);
        RC_CLASSIFY(status == 0, "accepted");
        RC_TAG(status);
        if (status == 0) expect_same_meaning(head);
      },
      3000);
}

TEST(HeadProperty, AChangedAnswerIsRefusedOrCleanlyWritten) {
  expect_property(
      [] {
        const std::string text = changed(*response(), *rc::gen::inRange(1, 6));
        const auto scan = scan_growing(text, {text.size()});
        ResponseHead head;
        const bool good = response_good(text, scan, false, head);
        RC_CLASSIFY(good, "accepted");
        if (good) expect_same_meaning(head);
      },
      3000);
}

TEST(HeadProperty, NoiseCrashesNothing) {
  expect_property(
      [] {
        const std::string text = *rc::gen::container<std::string>(interesting_byte()) + "\r\n\r\n";
        const auto scan = scan_growing(text, {text.size()});
        RequestHead request_head;
        static_cast<void>(request_status(text, scan, request_head));
        ResponseHead response_head;
        static_cast<void>(response_good(text, scan, false, response_head));
      },
      3000);
}

TEST(HeadProperty, AChangedHeadIsScannedTheSameInPieces) {
  expect_property([] {
    const std::string text = changed(*request(), *rc::gen::inRange(0, 4));
    const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    RC_ASSERT(scan_growing(text, {cut, text.size()}) == scan_growing(text, {text.size()}));
  });
}

// -- Bodies

struct Chunked {
  std::string data;
  std::string text;
};

Chunked chunked() {
  Chunked body;
  for (const std::string& chunk : *rc::gen::container<std::vector<std::string>>(
           rc::gen::nonEmpty(rc::gen::container<std::string>(interesting_byte())))) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string size;
    for (std::size_t left = chunk.size(); left > 0; left /= 16) {
      size.insert(size.begin(), kDigits[left % 16]);
    }
    body.data += chunk;
    body.text += size + "\r\n" + chunk + "\r\n";
  }
  body.text += "0\r\n\r\n";
  return body;
}

// Decodes in pieces of these sizes; the last one takes what is left.
std::optional<std::pair<std::string, std::string>> decode_in(std::string_view text,
                                                             const std::vector<int>& sizes) {
  BufferPool pool;
  Buffer buffer(pool);
  BodyDecoder decoder({Framing::Kind::chunked, 0});
  std::string data;
  for (std::size_t n = 0; n <= sizes.size(); ++n) {
    const std::size_t size = n < sizes.size() ? static_cast<std::size_t>(sizes[n]) : text.size();
    buffer.append(text.substr(0, size));
    text.remove_prefix(std::min(size, text.size()));
    const auto decoded = decoder.decode(buffer);
    if (decoded.malformed) return std::nullopt;
    data += decoded.data;
    buffer.consume(decoded.raw);
  }
  return std::pair{data, std::string{buffer.view()}};
}

TEST(BodyProperty, AnyCutGivesTheSameData) {
  expect_property([] {
    const Chunked body = chunked();
    const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 8));
    const auto decoded = decode_in(body.text + "next", sizes);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->first == body.data);
    RC_ASSERT(decoded->second == "next");
  });
}

TEST(BodyProperty, AnyCutOfAChangedBodyEndsTheSame) {
  expect_property(
      [] {
        const std::string text = changed(chunked().text, *rc::gen::inRange(1, 4));
        const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 8));
        RC_ASSERT(decode_in(text, sizes) == decode_in(text, {}));
      },
      1000);
}

}  // namespace
}  // namespace lb::net::http
