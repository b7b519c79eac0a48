#include "lbcore/strategy/maglev.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace lb {
namespace {

constexpr std::uint32_t kFree = 0xffffffffU;

// Turns in which the heaviest backend claims one entry each time and the others as often as their
// weight compared to its; everybody claims one in the first. In a turn they go in order of id.
class Turns {
 public:
  explicit Turns(std::span<const MaglevClaim> claims) : claims_(claims), taken_(claims.size()) {
    for (std::uint32_t i = 0; i < claims.size(); ++i) {
      heaviest_ = std::max(heaviest_, std::uint64_t{claims[i].weight});
      queue_.push_back({0, i});
    }
  }

  // Whose turn it is. A heap, because a heavy one among many light ones would otherwise cost a walk
  // over all of them for each of its entries.
  std::uint32_t next() {
    const Turn turn = queue_.front();
    const std::uint64_t taken = ++taken_[turn.index];
    const std::uint64_t weight = claims_[turn.index].weight;
    replace_first({(taken * heaviest_ + weight - 1) / weight, turn.index});
    return turn.index;
  }

 private:
  struct Turn {
    std::uint64_t number;
    std::uint32_t index;
    auto operator<=>(const Turn&) const = default;
  };

  void replace_first(Turn turn) {
    std::size_t hole = 0;
    for (;;) {
      std::size_t child = 2 * hole + 1;
      if (child >= queue_.size()) break;
      if (child + 1 < queue_.size() && queue_[child + 1] < queue_[child]) ++child;
      if (turn < queue_[child]) break;
      queue_[hole] = queue_[child];
      hole = child;
    }
    queue_[hole] = turn;
  }

  std::span<const MaglevClaim> claims_;
  std::vector<std::uint64_t> taken_;  // Turns each has had.
  std::vector<Turn> queue_;           // A heap, the next turn on top.
  std::uint64_t heaviest_ = 1;
};

class Maglev final : public Strategy {
 public:
  explicit Maglev(const MaglevConfig& config)
      : table_size_(config.table_size), bound_(config.balance_factor) {
    LB_ASSERT(next_prime(table_size_) == table_size_);
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<Maglev>(*this);
  }
  [[nodiscard]] bool uses_key() const override { return true; }

  void rebuild(EligibleView eligible, Instant) override {
    bound_.rebuild(eligible);
    const std::uint32_t size = size_for(static_cast<std::uint32_t>(eligible.size()));
    std::vector<MaglevClaim> claims;
    claims.reserve(eligible.size());
    for (const BackendView& view : eligible) {
      claims.push_back({static_cast<std::uint32_t>(mix(view.id.value + kOffsetSeed) % size),
                        static_cast<std::uint32_t>(mix(view.id.value + kSkipSeed) % (size - 1) + 1),
                        view.weight});
    }
    table_ = maglev_table(claims, size);
  }

  Pick pick(const PickContext& context) override {
    // The key's part of 2^64 is its part of the table: as good as a remainder, and no division.
    auto entry = static_cast<std::size_t>((static_cast<Wide>(context.key) * table_.size()) >> 64U);
    return pick_in_hash_order(context, bound_, table_[entry], [&] {
      if (++entry == table_.size()) entry = 0;
      return std::size_t{table_[entry]};
    });
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static constexpr std::uint64_t kOffsetSeed = 0x9e3779b97f4a7c15ULL;
  static constexpr std::uint64_t kSkipSeed = 0xd1b54a32d192ed03ULL;

  // Changes seldom, when there are too many for the table, because it moves every key.
  [[nodiscard]] std::uint32_t size_for(std::uint32_t count) const {
    return count <= table_size_ ? table_size_ : next_prime(2 * std::bit_ceil(count));
  }

  std::uint32_t table_size_;
  BoundedLoad bound_;
  std::vector<std::uint32_t> table_;  // Of each entry, the position of its backend.
};

}  // namespace

std::uint32_t next_prime(std::uint32_t n) {
  const auto is_prime = [](std::uint64_t candidate) {
    if (candidate < 4) return candidate >= 2;
    if (candidate % 2 == 0) return false;
    for (std::uint64_t divisor = 3; divisor * divisor <= candidate; divisor += 2) {
      if (candidate % divisor == 0) return false;
    }
    return true;
  };
  while (!is_prime(n)) ++n;
  return n;
}

std::vector<std::uint32_t> maglev_table(std::span<const MaglevClaim> claims, std::uint32_t size) {
  std::vector<std::uint32_t> table(size, kFree);
  if (claims.empty()) return table;
  std::vector<std::uint32_t> wanted;  // Of each claim, the entry it looks at first.
  for (const MaglevClaim& claim : claims) wanted.push_back(claim.offset);
  Turns turns(claims);
  for (std::uint32_t claimed = 0; claimed < size; ++claimed) {
    const std::uint32_t index = turns.next();
    const std::uint32_t skip = claims[index].skip;
    std::uint32_t entry = wanted[index];
    while (table[entry] != kFree) {
      entry = entry < size - skip ? entry + skip : entry - (size - skip);
    }
    table[entry] = index;
    wanted[index] = entry;
  }
  return table;
}

std::unique_ptr<Strategy> make_strategy(const MaglevConfig& config) {
  return std::make_unique<Maglev>(config);
}

}  // namespace lb
