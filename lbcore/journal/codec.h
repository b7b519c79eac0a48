// How the parts of a journal become bytes and back. Each struct says its fields once, in code_*;
// the same words write them (Encoder) and read them (Decoder).
//
// Whole numbers are variable-length, seven bits a byte, low ones first; signed ones are folded so
// that small ones stay small (0, -1, 1, -2, … become 0, 1, 2, 3, …). Texts and lists begin with
// their length.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lbcore/ids.h"
#include "lbcore/time.h"

namespace lb::journal {

class Encoder {
 public:
  static constexpr bool kReads = false;

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
  }
  template <std::unsigned_integral T>
  void field(T& value) {
    number(value);
  }
  void field(bool& value) { number(value ? 1 : 0); }
  void field(int& value) { folded(value); }
  void field(Duration& value) { folded(value.count()); }
  void field(std::string& value) {
    number(value.size());
    bytes_ += value;
  }

  [[nodiscard]] std::string take() { return std::exchange(bytes_, {}); }

 private:
  void folded(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }

  std::string bytes_;
};

// Bytes that end too soon or say what cannot be make it bad(), and everything read after that is
// zero: whoever reads checks once, at the end.
class Decoder {
 public:
  static constexpr bool kReads = true;

  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (position_ == bytes_.size()) break;
      const auto byte = static_cast<unsigned char>(bytes_[position_++]);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    bad_ = true;
    return 0;
  }
  template <std::unsigned_integral T>
  void field(T& value) {
    const std::uint64_t read = number();
    value = static_cast<T>(read);
    if (value != read) bad_ = true;
  }
  void field(bool& value) {
    const std::uint64_t read = number();
    value = read == 1;
    if (read > 1) bad_ = true;
  }
  void field(int& value) {
    const std::int64_t read = folded();
    value = static_cast<int>(read);
    if (value != read) bad_ = true;
  }
  void field(Duration& value) { value = Duration{folded()}; }
  void field(std::string& value) {
    const std::uint64_t size = number();
    if (size > bytes_.size() - position_) {
      bad_ = true;
      return;
    }
    value = bytes_.substr(position_, size);
    position_ += size;
  }

  void fail() { bad_ = true; }
  [[nodiscard]] bool bad() const { return bad_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - position_; }

 private:
  std::int64_t folded() {
    const std::uint64_t bits = number();
    return static_cast<std::int64_t>((bits >> 1U) ^ ((bits & 1U) != 0 ? ~std::uint64_t{0} : 0));
  }

  std::string_view bytes_;
  std::size_t position_ = 0;
  bool bad_ = false;
};

// -- What all fields are made of

template <class Codec, class Enum>
requires std::is_enum_v<Enum>
void code(Codec& codec, Enum& value, std::uint32_t count) {
  auto number = static_cast<std::uint32_t>(value);
  codec.field(number);
  if constexpr (Codec::kReads) {
    if (number >= count) codec.fail();
    value = static_cast<Enum>(number);
  }
}

template <class Codec, class Tag>
void code(Codec& codec, Id<Tag>& id) {
  codec.field(id.value);
}

// Shifted by one, so that an empty one is a zero.
template <class Codec, class Tag>
void code(Codec& codec, SlotId<Tag>& id) {
  std::uint64_t slot = id ? std::uint64_t{id.slot} + 1 : 0;
  codec.field(slot);
  if constexpr (Codec::kReads) {
    id.slot = slot == 0 ? SlotId<Tag>::kNone : static_cast<std::uint32_t>(slot - 1);
  }
  if (slot != 0) codec.field(id.generation);
}

template <class Codec, class T>
void code_list(Codec& codec, std::vector<T>& list, auto&& each) {
  std::uint64_t size = list.size();
  codec.field(size);
  if constexpr (Codec::kReads) {
    // Every item takes a byte or more: a length beyond that is a lie.
    if (size > codec.left()) return codec.fail();
    list.resize(size);
  }
  for (T& item : list) each(item);
}

template <class Codec, class T>
void code_optional(Codec& codec, std::optional<T>& value, auto&& each) {
  bool there = value.has_value();
  codec.field(there);
  if constexpr (Codec::kReads) {
    if (there) value.emplace();
  }
  if (there) each(*value);
}

}  // namespace lb::journal
