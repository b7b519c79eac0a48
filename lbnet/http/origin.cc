#include "lbnet/http/origin.h"

#include <algorithm>
#include <array>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

// Whom one proxy got a request from, and how, in its words.
struct Hop {
  std::string_view node;
  std::string_view proto;
};

// An address with or without a port: "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80".
std::optional<IpAddress> address_of_node(std::string_view node) {
  if (node.starts_with('[')) {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = node.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    return IpAddress::parse(node.substr(1, end - 1));
  }
  if (std::count(node.begin(), node.end(), ':') == 1) node = node.substr(0, node.find(':'));
  return IpAddress::parse(node);
}

// The walk: takes the hops from right to left, and says whether it goes on.
class Walk {
 public:
  explicit Walk(const TrustedProxies& trusted) : trusted_(trusted) {}

  bool take(const Hop& hop) {
    const auto address = address_of_node(hop.node);
    if (!address) return false;
    origin_.address = address;
    proto_ = hop.proto;
    return trusted_.trusts(*address);
  }

  [[nodiscard]] Origin origin() const { return origin_; }
  [[nodiscard]] std::string_view proto() const { return proto_; }

 private:
  const TrustedProxies& trusted_;
  Origin origin_;
  std::string_view proto_;
};

bool is_proto(std::string_view text) {
  return equal_ignoring_case(text, "http") || equal_ignoring_case(text, "https") ||
         equal_ignoring_case(text, "ws") || equal_ignoring_case(text, "wss");
}

std::optional<bool> secure_by(std::string_view proto) {
  if (!is_proto(proto)) return std::nullopt;
  return proto.size() > 2 && (proto.back() == 's' || proto.back() == 'S');
}

Origin by_x_forwarded(const std::vector<Field>& request, const TrustedProxies& trusted) {
  Walk walk(trusted);
  bool goes_on = true;
  for (auto field = request.rbegin(); goes_on && field != request.rend(); ++field) {
    if (field->id != FieldId::x_forwarded_for) continue;
    std::string_view list = field->value;
    while (goes_on && !list.empty()) {
      const std::size_t comma = list.rfind(',');
      const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
      const std::string_view node = trim(list.substr(start));
      if (!node.empty()) goes_on = walk.take({node, {}});
      list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
    }
  }
  Origin origin = walk.origin();
  origin.secure = secure_by(forwarded_proto(request));
  return origin;
}

// The elements of one Forwarded field, of which the last ones are kept. A quoted string can only be
// told from the left, so that is where the reading begins.
class ForwardedElements {
 public:
  static constexpr std::size_t kKept = 64;  // More hops than any request has made.

  // False when it is not what RFC 7239, section 4, says.
  bool read(std::string_view value) {
    rest_ = value;
    for (;;) {
      Hop hop;
      bool empty = true;
      if (!read_element(hop, empty)) return false;
      if (!empty) hops_[count_++ % kKept] = hop;
      if (rest_.empty()) return true;
      rest_.remove_prefix(1);  // The comma.
    }
  }
  [[nodiscard]] std::size_t size() const { return std::min(count_, kKept); }
  // From the right.
  [[nodiscard]] const Hop& from_last(std::size_t n) const {
    return hops_[(count_ - 1 - n) % kKept];
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }

  // Up to a comma or the end.
  bool read_element(Hop& hop, bool& empty) {
    for (;;) {
      skip_blanks();
      if (rest_.empty() || rest_.front() == ',') return true;
      if (rest_.front() != ';') {
        if (!read_pair(hop)) return false;
        empty = false;
        skip_blanks();
      }
      if (rest_.empty() || rest_.front() == ',') return true;
      if (rest_.front() != ';') return false;
      rest_.remove_prefix(1);
    }
  }

  bool read_pair(Hop& hop) {
    const std::string_view name = take_token();
    if (name.empty() || rest_.empty() || rest_.front() != '=') return false;
    rest_.remove_prefix(1);
    std::string_view value;
    if (!take_value(value)) return false;
    std::string_view* known = equal_ignoring_case(name, "for")     ? &hop.node
                              : equal_ignoring_case(name, "proto") ? &hop.proto
                                                                   : nullptr;
    if (known == nullptr) return true;
    if (known->data() != nullptr) return false;  // Twice: which of them?
    *known = value;
    return true;
  }

  std::string_view take_token() {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  // No address has anything in it that a backslash would have to stand before.
  bool take_value(std::string_view& value) {
    if (rest_.empty() || rest_.front() != '"') {
      value = take_token();
      return !value.empty();
    }
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        value = rest_.substr(1, at - 1);
        rest_.remove_prefix(at + 1);
        return true;
      }
    }
    return false;
  }

  std::string_view rest_;
  std::array<Hop, kKept> hops_{};
  std::size_t count_ = 0;
};

Origin by_forwarded(const std::vector<Field>& request, const TrustedProxies& trusted) {
  Walk walk(trusted);
  bool goes_on = true;
  for (auto field = request.rbegin(); goes_on && field != request.rend(); ++field) {
    if (field->id != FieldId::forwarded) continue;
    ForwardedElements elements;
    if (!elements.read(field->value)) break;
    for (std::size_t n = 0; goes_on && n < elements.size(); ++n) {
      goes_on = walk.take(elements.from_last(n));
    }
  }
  Origin origin = walk.origin();
  origin.secure = secure_by(walk.proto());
  return origin;
}

}  // namespace

Origin find_origin(const std::vector<Field>& request, ForwardedFields fields,
                   const TrustedProxies& trusted) {
  return fields == ForwardedFields::rfc7239 ? by_forwarded(request, trusted)
                                            : by_x_forwarded(request, trusted);
}

bool is_forwarded(std::string_view value) {
  ForwardedElements elements;
  return elements.read(value) && elements.size() > 0;
}

std::string_view forwarded_proto(const std::vector<Field>& request) {
  const std::string_view value = the_one_value(request, FieldId::x_forwarded_proto);
  return is_proto(value) ? value : std::string_view{};
}

std::string_view forwarded_host(const std::vector<Field>& request) {
  return the_one_value(request, FieldId::x_forwarded_host);
}

}  // namespace lb::net::http
