#include "lbcore/journal/file.h"

#include "lbcore/hash.h"
#include "lbcore/journal/codec.h"

namespace lb::journal {
namespace {

constexpr std::string_view kMagic = "LBJ2";  // The number goes up with any change of entries.
constexpr std::size_t kCheckSize = 2;

std::uint64_t next_check(std::uint64_t check, std::string_view bytes) {
  return combine(check, hash_bytes(bytes));
}

std::string check_bytes(std::uint64_t check) {
  return {static_cast<char>(check & 0xffU), static_cast<char>((check >> 8U) & 0xffU)};
}

}  // namespace

class Writer::OfBrain final : public Journal {
 public:
  OfBrain(Writer& writer, std::uint32_t brain) : writer_(writer), brain_(brain) {}

  void handled(Instant now, const Input& input, const Answer& answer) override {
    writer_.write({brain_, now, Said{input, answer}});
  }
  void acted(const Action& action) override { writer_.write({brain_, writer_.last_, action}); }

 private:
  Writer& writer_;
  std::uint32_t brain_;
};

Writer::Writer(std::function<void(std::string_view)> write) : write_(std::move(write)) {
  write_(kMagic);
}

Writer::~Writer() = default;

Journal* Writer::begin(std::uint32_t brain, Instant now, const ClusterPlan& plan,
                       std::uint64_t seed) {
  write({brain, now, Birth{plan, seed}});
  std::unique_ptr<OfBrain>& journal = brains_[brain];
  journal = std::make_unique<OfBrain>(*this, brain);
  return journal.get();
}

void Writer::write(const Entry& entry) {
  const std::string bytes = encode(entry, last_);
  last_ = entry.at;
  check_ = next_check(check_, bytes);
  Encoder length;
  length.number(bytes.size());
  write_(length.take() + bytes + check_bytes(check_));
}

Reader::Reader(std::string_view bytes) : bytes_(bytes) {
  if (bytes_.starts_with(kMagic.substr(0, 3)) && !bytes_.starts_with(kMagic)) {
    problem_ = "not a journal of this version: it begins with \"" +
               std::string{bytes_.substr(0, kMagic.size())} + "\", not with \"" +
               std::string{kMagic} + '"';
    return;
  }
  if (!bytes_.starts_with(kMagic)) {
    problem_ = "not a journal: it does not begin with \"" + std::string{kMagic} + '"';
    return;
  }
  position_ = kMagic.size();
}

std::optional<Entry> Reader::next() {
  if (!problem_.empty() || position_ == bytes_.size()) return std::nullopt;
  Decoder decoder(bytes_.substr(position_));
  const std::uint64_t size = decoder.number();
  if (decoder.bad() || size + kCheckSize > decoder.left() || size > bytes_.size()) {
    return fail("the file ends in the middle of an entry");
  }
  const std::string_view bytes = bytes_.substr(position_ + decoder.position(), size);
  const std::string_view check = bytes_.substr(position_ + decoder.position() + size, kCheckSize);
  check_ = next_check(check_, bytes);
  if (check != check_bytes(check_)) return fail("an entry is not as it was written");
  std::optional<Entry> entry = decode(bytes, last_);
  if (!entry) return fail("an entry says what cannot be");
  position_ += decoder.position() + size + kCheckSize;
  last_ = entry->at;
  return entry;
}

std::optional<Entry> Reader::fail(const std::string& what) {
  problem_ = "byte " + std::to_string(position_) + ": " + what;
  return std::nullopt;
}

}  // namespace lb::journal
