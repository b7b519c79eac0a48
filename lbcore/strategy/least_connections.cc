// IMPLEMENTATION  A heap of all backends, least loaded on top. A pick changes the turn of a backend
//   and then its load; so the heap is put in order not when a key changes but before another one
//   is looked at, and nearly every request costs one way down the heap instead of two.
#include "lbcore/strategy/least_connections.h"

#include "lbcore/assert.h"
#include "lbcore/strategy/indexed_heap.h"
#include "lbcore/strategy/turns.h"

namespace lb {
namespace {

class LeastConnections final : public Strategy {
 public:
  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<LeastConnections>(*this);
  }

  void rebuild(EligibleView eligible, Instant) override {
    turns_.rebuild(eligible);
    heap_.reset(eligible.size());
    for (std::size_t i = 0; i < eligible.size(); ++i) heap_.put(i, key_of(eligible, i));
    out_of_order_ = kNone;
  }

  void load_changed(EligibleView eligible, std::size_t index, Instant) override {
    if (out_of_order_ != index) put_in_order(eligible);
    out_of_order_ = index;
  }

  Pick pick(const PickContext& context) override {
    put_in_order(context.eligible);
    const auto* const best = heap_.least_open(context.open);
    LB_ASSERT(best != nullptr);
    turns_.take(best->index);
    out_of_order_ = best->index;
    return {best->index, PickReason::least_loaded};
  }

  [[nodiscard]] std::optional<double> score(const PickContext& context,
                                            std::size_t index) const override {
    const BackendView& view = context.eligible[index];
    return static_cast<double>(view.in_flight) / static_cast<double>(view.weight);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  struct Key {
    std::uint32_t in_flight = 0;
    std::uint32_t weight = 1;
    std::uint64_t turn = 0;
    bool operator<(const Key& other) const {
      return less_or_in_turn(std::uint64_t{in_flight} * other.weight, turn,
                             std::uint64_t{other.in_flight} * weight, other.turn);
    }
  };

  [[nodiscard]] Key key_of(EligibleView eligible, std::size_t index) const {
    return {eligible[index].in_flight, eligible[index].weight, turns_.of(index)};
  }

  void put_in_order(EligibleView eligible) {
    if (out_of_order_ == kNone) return;
    heap_.put(out_of_order_, key_of(eligible, out_of_order_));
    out_of_order_ = kNone;
  }

  Turns turns_;
  IndexedHeap<Key> heap_;
  std::size_t out_of_order_ = kNone;  // Whose key in the heap is an old one.
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const LeastConnectionsConfig&) {
  return std::make_unique<LeastConnections>();
}

}  // namespace lb
