#include "lbcore/ip_address.h"

#include <algorithm>
#include <charconv>

namespace lb {
namespace {

using Groups = std::array<std::uint16_t, 8>;

// 1 to `digits_max` digits of this base, and nothing else.
std::optional<std::uint32_t> parse_number(std::string_view text, int base, std::size_t digits_max) {
  std::uint32_t number = 0;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    const auto number = parse_number(part, 10, 3);
    // To some, a number with a zero in front is octal.
    const bool ambiguous = part.size() > 1 && part.front() == '0';
    if (!number || *number > 255 || ambiguous) return std::nullopt;
    bits = bits << 8U | *number;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return bits;
}

// The groups of an address of IPv6, from left to right.
class GroupReader {
 public:
  // False when these are not groups of one.
  bool read(std::string_view text) {
    if (text.starts_with("::")) {
      gap_ = 0;
      text.remove_prefix(2);
    } else if (text.empty()) {
      return false;
    }
    while (!text.empty()) {
      if (!read_group(text)) return false;
    }
    return gap_ ? count_ < groups_.size() : count_ == groups_.size();
  }

  // With zeros where "::" stood.
  [[nodiscard]] Groups take() const {
    Groups whole{};
    const std::size_t before = gap_.value_or(count_);
    std::copy_n(groups_.begin(), before, whole.begin());
    std::copy_backward(groups_.begin() + static_cast<std::ptrdiff_t>(before),
                       groups_.begin() + static_cast<std::ptrdiff_t>(count_), whole.end());
    return whole;
  }

 private:
  bool add(std::uint32_t group) {
    if (count_ == groups_.size()) return false;
    groups_[count_++] = static_cast<std::uint16_t>(group);
    return true;
  }
  // Takes one off the front, with the colons behind it.
  bool read_group(std::string_view& text) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      text = {};
      return v4 && add(*v4 >> 16U) && add(*v4 & 0xffffU);
    }
    const auto group = parse_number(part, 16, 4);
    if (!group || !add(*group)) return false;
    if (colon == std::string_view::npos) {
      text = {};
      return true;
    }
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text.front() != ':') return true;
    text.remove_prefix(1);
    const bool first = !gap_;
    gap_ = count_;
    return first;
  }

  Groups groups_{};
  std::size_t count_ = 0;
  std::optional<std::size_t> gap_;  // How many groups stand before "::".
};

// The longest run of zeros, the first of several, that "::" may stand for: of two and more.
struct Run {
  std::size_t start = 0;
  std::size_t length = 0;
};
Run longest_run(const Groups& groups) {
  Run longest;
  Run run;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    run = groups[i] != 0 ? Run{i + 1, 0} : Run{run.start, run.length + 1};
    if (run.length > longest.length) longest = run;
  }
  return longest.length > 1 ? longest : Run{groups.size(), 0};
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bits = parse_v4(text);
    return bits ? std::optional{v4(*bits)} : std::nullopt;
  }
  GroupReader reader;
  if (!reader.read(text)) return std::nullopt;
  const Groups groups = reader.take();
  Bytes bytes{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8U);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i]);
  }
  return v6(bytes);
}

IpText IpAddress::text() const {
  IpText text;
  char* place = text.characters_.data();
  char* const end = place + text.characters_.size();
  const auto number = [&](unsigned value, int base) {
    place = std::to_chars(place, end, value, base).ptr;
  };
  if (is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) {
      if (i > 12) *place++ = '.';
      number(bytes_[i], 10);
    }
  } else {
    Groups groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) {
      groups[i] = static_cast<std::uint16_t>(bytes_[2 * i] << 8U | bytes_[2 * i + 1]);
    }
    const Run run = longest_run(groups);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (i == run.start) *place++ = ':';
      if (i == run.start && i + run.length == groups.size()) *place++ = ':';
      if (i >= run.start && i < run.start + run.length) continue;
      if (i > 0) *place++ = ':';
      number(groups[i], 16);
    }
  }
  text.size_ = static_cast<std::uint8_t>(place - text.characters_.data());
  return text;
}

bool IpAddress::is_v4() const {
  constexpr Bytes kMapped = IpAddress{}.bytes_;
  return std::equal(kMapped.begin(), kMapped.begin() + 12, bytes_.begin());
}

std::uint32_t IpAddress::v4_bits() const {
  std::uint32_t bits = 0;
  for (std::size_t i = 12; i < 16; ++i) bits = bits << 8U | bytes_[i];
  return bits;
}

}  // namespace lb
