// IMPLEMENTATION  A node is one word: the upper 40 bits of its place, then the position of its
//   backend. Places are spread evenly, so a node lies in or soon after the slot that its place has
//   in proportion, with about a quarter of the slots to spare (linear probing, kept in order). The
//   spare ones repeat the node that follows: to look up a key is to start at its slot and read on
//   to the first word that is not below it.
#include "lbcore/strategy/ring_hash.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lb {
namespace {

constexpr unsigned kIndexBits = 24;
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kIndexBits) - 1;
constexpr std::size_t kOverhang = 64;               // Nodes behind the last slot, at a guess.
constexpr std::uint64_t kFree = ~std::uint64_t{0};  // Of no backend: there are fewer than 2^24.

class RingHash final : public Strategy {
 public:
  explicit RingHash(const RingHashConfig& config) : config_(config), bound_(config.balance_factor) {
    LB_ASSERT(config.virtual_nodes > 0);
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<RingHash>(*this);
  }
  [[nodiscard]] bool uses_key() const override { return true; }

  void rebuild(EligibleView eligible, Instant) override {
    LB_ASSERT(eligible.size() < kIndexMask);
    bound_.rebuild(eligible);
    take_counts(eligible);
    slot_count_ = node_count_ + node_count_ / 4;
    slots_.clear();
    slots_.reserve(slot_count_ + kOverhang);
    slots_.assign(slot_count_, kFree);
    for (std::size_t i = 0; i < eligible.size(); ++i) {
      for (std::uint64_t n = counts_[i]; n-- > 0;) {
        insert((ring_place(eligible[i].id, n) & ~kIndexMask) | i);
      }
    }
    fill_spare_slots();
  }

  Pick pick(const PickContext& context) override {
    const std::uint64_t place = context.key & ~kIndexMask;
    std::size_t slot = slot_of(place);
    while (slots_[slot] < place) ++slot;
    return pick_in_hash_order(context, bound_, slots_[slot] & kIndexMask, [&] {
      if (++slot == slots_.size()) slot = 0;
      return slots_[slot] & kIndexMask;
    });
  }

 private:
  // How many nodes each has: what is configured, or its share of kNodesMax. That is a fraction, and
  // whether it is rounded up is for the backend's id to say: so next to nobody gains or loses a
  // node when somebody comes or goes, where they all would at the same time.
  void take_counts(EligibleView eligible) {
    std::uint64_t wanted = 0;
    for (const BackendView& view : eligible) wanted += nodes_wanted(view);
    node_count_ = 0;
    counts_.clear();
    for (const BackendView& view : eligible) {
      std::uint64_t count = nodes_wanted(view);
      if (wanted > config_.kNodesMax) {
        constexpr unsigned kFractionBits = 16;
        const std::uint64_t share = (count * config_.kNodesMax << kFractionBits) / wanted;
        const std::uint64_t rounding = mix(view.id.value) >> (64 - kFractionBits);
        count = std::max<std::uint64_t>((share + rounding) >> kFractionBits, 1);
      }
      counts_.push_back(static_cast<std::uint32_t>(count));
      node_count_ += count;
    }
  }
  [[nodiscard]] std::uint64_t nodes_wanted(const BackendView& view) const {
    return std::uint64_t{config_.virtual_nodes} * view.weight;
  }

  [[nodiscard]] std::size_t slot_of(std::uint64_t place) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<Wide>(place) * slot_count_) >> 64U);
  }

  void insert(std::uint64_t node) {
    std::size_t slot = slot_of(node & ~kIndexMask);
    for (; slot < slots_.size() && slots_[slot] != kFree; ++slot) {
      if (node < slots_[slot]) std::swap(node, slots_[slot]);
    }
    if (slot == slots_.size()) {
      slots_.push_back(node);
    } else {
      slots_[slot] = node;
    }
  }

  void fill_spare_slots() {
    if (slots_.empty()) return;
    const auto first = std::find_if(slots_.begin(), slots_.end(),
                                    [](std::uint64_t node) { return node != kFree; });
    slots_.push_back(*first | ~kIndexMask);  // Behind the last place comes the first again.
    for (std::size_t slot = slots_.size() - 1; slot-- > 0;) {
      if (slots_[slot] == kFree) slots_[slot] = slots_[slot + 1];
    }
  }

  RingHashConfig config_;
  BoundedLoad bound_;
  std::vector<std::uint32_t> counts_;  // Of nodes, by position.
  std::uint64_t node_count_ = 0;
  std::uint64_t slot_count_ = 0;      // That places are spread over; a few more may follow.
  std::vector<std::uint64_t> slots_;  // Ascending.
};

}  // namespace

std::uint64_t ring_place(BackendId id, std::uint64_t node) {
  // Not symmetric: node 3 of backend 5 must not be where node 5 of backend 3 is.
  return combine(id.value, node);
}

std::unique_ptr<Strategy> make_strategy(const RingHashConfig& config) {
  return std::make_unique<RingHash>(config);
}

}  // namespace lb
