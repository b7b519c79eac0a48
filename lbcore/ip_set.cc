#include "lbcore/ip_set.h"

#include <algorithm>
#include <charconv>

namespace lb {
namespace {

constexpr unsigned kMappedBits = 96;  // What is before an address of IPv4 in the form of IPv6.

// The address with all bits behind the first `length` of 128 set to 0 or 1.
IpAddress with_tail(const IpAddress& address, unsigned length, bool ones) {
  IpAddress::Bytes bytes = address.bytes();
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::clamp(length, 8 * i, 8 * i + 8) - 8 * i;
    const auto tail = static_cast<std::uint8_t>(0xffU >> kept);
    bytes[i] = static_cast<std::uint8_t>(ones ? bytes[i] | tail : bytes[i] & ~tail);
  }
  return IpAddress::v6(bytes);
}

unsigned whole_length(const IpPrefix& prefix) {
  return prefix.length + (prefix.address.is_v4() ? kMappedBits : 0);
}

}  // namespace

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view written = text.substr(0, slash);
  const auto address = IpAddress::parse(written);
  if (!address) return std::nullopt;
  const bool v6_form = written.find(':') != std::string_view::npos;
  unsigned length = v6_form ? 128 : 32;
  if (slash < text.size()) {
    const std::string_view digits = text.substr(slash + 1);
    const unsigned most = length;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const bool plain = !digits.empty() && (digits.size() == 1 || digits.front() != '0');
    if (error != std::errc{} || end != digits.data() + digits.size() || !plain) return std::nullopt;
    if (length > most) return std::nullopt;
  }
  if (v6_form && address->is_v4()) {
    if (length < kMappedBits) return std::nullopt;  // Addresses of both families.
    length -= kMappedBits;
  }
  return IpPrefix{*address, static_cast<std::uint8_t>(length)};
}

std::string IpPrefix::text() const {
  return std::string{address.text().view()} + '/' + std::to_string(length);
}

IpAddress IpPrefix::first() const { return with_tail(address, whole_length(*this), false); }

IpAddress IpPrefix::last() const { return with_tail(address, whole_length(*this), true); }

IpSet::IpSet(std::span<const IpPrefix> prefixes) {
  for (const IpPrefix& prefix : prefixes) {
    (prefix.address.is_v4() ? v4_ : v6_).push_back({prefix.first(), prefix.last()});
  }
  merge(v4_);
  merge(v6_);
}

// Of two prefixes that overlap, one has all of the other.
void IpSet::merge(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  Ranges merged;
  for (const Range& range : ranges) {
    if (merged.empty() || range.first > merged.back().last) merged.push_back(range);
  }
  ranges = std::move(merged);
}

bool IpSet::contains(const IpAddress& address) const {
  const Ranges& ranges = address.is_v4() ? v4_ : v6_;
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), address,
      [](const IpAddress& each, const Range& range) { return each < range.first; });
  return after != ranges.begin() && address <= std::prev(after)->last;
}

}  // namespace lb
