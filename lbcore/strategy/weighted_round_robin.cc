// IMPLEMENTATION  The well-known rule: every pick adds each backend's weight to its credit, picks
//   the greatest credit, and takes the sum of all weights from the one picked. After t picks the
//   credit of a backend picked k times is therefore t * weight - k * total, so it need not be
//   stored. Backends of equal weight differ by k alone, and the one with the smallest k and then
//   the smallest index is next: they take turns. It is enough to compare the next of each group
//   of equal weight, which makes a pick cost the number of different weights and not of backends.
#include "lbcore/strategy/weighted_round_robin.h"

#include <algorithm>
#include <vector>

namespace lb {
namespace {

class WeightedRoundRobin final : public Strategy {
 public:
  void rebuild(EligibleView eligible) override {
    groups_.clear();
    total_ = 0;
    step_ = 0;
    std::vector<std::size_t> order(eligible.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return eligible[a].weight > eligible[b].weight;
    });
    for (const std::size_t index : order) {
      const std::uint32_t weight = eligible[index].weight;
      if (groups_.empty() || groups_.back().weight != weight)
        groups_.emplace_back().weight = weight;
      groups_.back().members.push_back(index);
      total_ += weight;
    }
    for (Group& group : groups_) resume_turn(group, eligible);
  }

  Pick pick(EligibleView eligible, HashKey, Prng&) override {
    ++step_;
    Group* best = nullptr;
    std::int64_t best_credit = 0;
    for (Group& group : groups_) {
      const std::int64_t credit = step_ * group.weight - group.rounds * total_;
      const bool better = best == nullptr || credit > best_credit ||
                          (credit == best_credit && group.next_member() < best->next_member());
      if (better) best = &group, best_credit = credit;
    }
    const std::size_t index = best->next_member();
    last_ = eligible[index].id;
    if (++best->turn == best->members.size()) best->turn = 0;
    if (++best->taken == best->members.size()) best->taken = 0, ++best->rounds;
    // A whole cycle leaves every credit at zero: start over, so that no number ever grows.
    if (step_ == total_) restart_cycle();
    return {index, PickReason::in_turn};
  }

 private:
  struct Group {
    std::int64_t weight = 0;
    std::vector<std::size_t> members;  // Indices of the backends of this weight, ascending.
    std::size_t turn = 0;              // The member whose turn is next.
    std::size_t taken = 0;             // Members already picked in this round of the group.
    std::int64_t rounds = 0;           // Rounds completed in this cycle: picks of that member.
    [[nodiscard]] std::size_t next_member() const { return members[turn]; }
  };

  // After a change the cycle starts anew, but not always at the first backend: with a flapping
  // neighbour that would favour it for ever.
  void resume_turn(Group& group, EligibleView eligible) const {
    const auto after = std::find_if(group.members.begin(), group.members.end(),
                                    [&](std::size_t i) { return eligible[i].id > last_; });
    const auto turn = static_cast<std::size_t>(after - group.members.begin());
    group.turn = picked_before() && turn < group.members.size() ? turn : 0;
  }

  [[nodiscard]] bool picked_before() const { return last_ != BackendId{kNobody}; }

  void restart_cycle() {
    step_ = 0;
    for (Group& group : groups_) group.rounds = 0, group.taken = 0;
  }

  static constexpr std::uint32_t kNobody = 0xffffffffU;
  std::vector<Group> groups_;  // Heaviest first.
  std::int64_t total_ = 0;
  std::int64_t step_ = 0;
  BackendId last_{kNobody};
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const WeightedRoundRobinConfig&) {
  return std::make_unique<WeightedRoundRobin>();
}

}  // namespace lb
