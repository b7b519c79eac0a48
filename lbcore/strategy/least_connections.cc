// IMPLEMENTATION  A binary heap of indices, least loaded on top, and for each backend its place
//   in the heap, so that a change of load moves one entry. "Picked longest ago" is a sequence
//   number; it is kept per id across rebuilds so that a flapping neighbour cannot reset the turn.
#include "lbcore/strategy/least_connections.h"

#include <utility>
#include <vector>

#include "lbcore/strategy/load_order.h"

namespace lb {
namespace {

class LeastConnections final : public Strategy {
 public:
  void rebuild(EligibleView eligible) override {
    keep_turns(eligible);
    heap_.resize(eligible.size());
    place_.resize(eligible.size());
    for (std::size_t i = 0; i < heap_.size(); ++i) put(i, i);
    for (std::size_t i = heap_.size() / 2; i-- > 0;) sink(eligible, i);
  }

  void load_changed(EligibleView eligible, std::size_t index) override {
    rise(eligible, place_[index]);
    sink(eligible, place_[index]);
  }

  Pick pick(EligibleView eligible, HashKey, Prng&) override {
    const std::size_t index = heap_.front();
    turns_[index].picked = ++sequence_;
    sink(eligible, 0);
    return {index, PickReason::least_loaded};
  }

 private:
  struct Turn {
    BackendId id;
    std::uint64_t picked = 0;  // Sequence number of its last pick; 0 for never.
  };

  void keep_turns(EligibleView eligible) {
    std::vector<Turn> kept;
    kept.reserve(eligible.size());
    auto old = turns_.begin();
    for (const BackendView& view : eligible) {  // Both are sorted by id.
      while (old != turns_.end() && old->id < view.id) ++old;
      const bool known = old != turns_.end() && old->id == view.id;
      kept.push_back({view.id, known ? old->picked : 0});
    }
    turns_ = std::move(kept);
  }

  [[nodiscard]] bool before(EligibleView eligible, std::size_t a, std::size_t b) const {
    if (less_loaded(eligible[a], eligible[b])) return true;
    if (less_loaded(eligible[b], eligible[a])) return false;
    return std::pair{turns_[a].picked, a} < std::pair{turns_[b].picked, b};
  }

  void put(std::size_t place, std::size_t index) {
    heap_[place] = index;
    place_[index] = place;
  }

  void rise(EligibleView eligible, std::size_t place) {
    const std::size_t index = heap_[place];
    while (place > 0) {
      const std::size_t parent = (place - 1) / 2;
      if (!before(eligible, index, heap_[parent])) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, index);
  }

  void sink(EligibleView eligible, std::size_t place) {
    const std::size_t index = heap_[place];
    for (;;) {
      std::size_t child = 2 * place + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && before(eligible, heap_[child + 1], heap_[child])) ++child;
      if (!before(eligible, heap_[child], index)) break;
      put(place, heap_[child]);
      place = child;
    }
    put(place, index);
  }

  std::vector<std::size_t> heap_;   // Indices into the eligible set, least loaded first.
  std::vector<std::size_t> place_;  // Where in the heap each index stands.
  std::vector<Turn> turns_;         // One an index.
  std::uint64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const LeastConnectionsConfig&) {
  return std::make_unique<LeastConnections>();
}

}  // namespace lb
