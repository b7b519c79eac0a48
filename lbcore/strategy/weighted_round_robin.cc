// IMPLEMENTATION  The well-known rule: every pick adds each backend's weight to its credit, picks
//   the greatest credit, and takes the sum of all weights from the one picked. After t picks the
//   credit of a backend picked k times is therefore t * weight - k * total, so it need not be
//   stored. Backends of equal weight differ by k alone, and the one with the smallest k and then
//   the smallest index is next: they take turns, as a group.
//
//   The groups play a knock-out tournament that is kept: each match remembers its winner. Credits
//   are straight lines over t, so it is known until when a winner wins; only what has run out, and
//   the matches of the group just picked, are played again (a kinetic tournament: Basch, Guibas,
//   Hershberger: "Data structures for mobile data", SODA 1997).
#include "lbcore/strategy/weighted_round_robin.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <vector>

#include "lbcore/assert.h"

namespace lb {
namespace {

class WeightedRoundRobin final : public Strategy {
 public:
  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<WeightedRoundRobin>(*this);
  }

  void rebuild(EligibleView eligible, Instant) override {
    members_.resize(eligible.size());
    std::iota(members_.begin(), members_.end(), 0U);
    std::stable_sort(members_.begin(), members_.end(), [&](std::uint32_t a, std::uint32_t b) {
      return eligible[a].weight > eligible[b].weight;
    });
    groups_.clear();
    group_of_.resize(eligible.size());
    total_ = 0;
    for (std::uint32_t place = 0; place < members_.size(); ++place) {
      const std::uint32_t weight = eligible[members_[place]].weight;
      if (groups_.empty() || groups_.back().weight != weight) groups_.push_back({weight, place});
      groups_.back().end = place + 1;
      group_of_[members_[place]] = static_cast<std::uint32_t>(groups_.size() - 1);
      total_ += weight;
    }
    index_bits_ = static_cast<unsigned>(std::bit_width(eligible.size()));
    LB_ASSERT(total_ < kBehindAll >> (index_bits_ + 1));
    for (Group& group : groups_) resume_turn(group, eligible);
    start_cycle();
  }

  // Whoever is not open loses the turn; when several in a row do, the caller walks on.
  Pick pick(const PickContext& context) override {
    constexpr int kTurnsMax = 8;
    std::size_t index = take_turn();
    for (int n = 1; n < kTurnsMax && !context.open.contains(index); ++n) index = take_turn();
    last_ = context.eligible[index].id;
    return {index, PickReason::in_turn};
  }

 private:
  // The backends of one weight: members_[first, end), ascending.
  struct Group {
    std::uint32_t weight = 0;
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    std::uint32_t turn = 0;   // The place of the member whose turn is next.
    std::uint32_t taken = 0;  // Members already picked in this round.
  };

  // A line over the steps, of a group or of the winner of a match: step * slope - offset is the
  // credit of its next member times 2^index_bits_, minus the index of that member. So the greater
  // value is the greater credit, and the earlier one of two with the same. All modulo 2^64, of
  // which differences are right because credits stay close to each other.
  struct Line {
    std::uint64_t slope = 0;
    std::uint64_t offset = kBehindAll;
    std::int64_t valid_before = kForever;  // The step at which something below may have changed.
    [[nodiscard]] std::uint64_t at(std::int64_t step) const {
      return static_cast<std::uint64_t>(step) * slope - offset;
    }
  };

  std::size_t take_turn() {
    ++step_;
    if (lines_[1].valid_before <= step_) replay_outdated(1);
    const std::size_t index = lines_[1].offset & ((std::uint64_t{1} << index_bits_) - 1);
    const std::size_t winner = group_of_[index];
    Group& group = groups_[winner];
    std::uint64_t& offset = lines_[leaves_ + winner].offset;
    offset -= index;
    if (++group.taken == group.end - group.first) group.taken = 0, offset += total_ << index_bits_;
    if (++group.turn == group.end) group.turn = group.first;
    offset += members_[group.turn];
    // A whole cycle leaves every credit at zero: start over, so that no number ever grows.
    if (step_ == static_cast<std::int64_t>(total_)) {
      start_cycle();
    } else {
      play_up(leaves_ + winner);
    }
    return index;
  }

  // After a change the cycle starts anew, but not always at the first backend: with a flapping
  // neighbour that would favour it for ever.
  void resume_turn(Group& group, EligibleView eligible) const {
    group.turn = group.first;
    if (last_ == BackendId{kNobody}) return;
    while (group.turn < group.end && eligible[members_[group.turn]].id <= last_) ++group.turn;
    if (group.turn == group.end) group.turn = group.first;
  }

  void start_cycle() {
    step_ = 0;
    leaves_ = std::bit_ceil(groups_.size());
    lines_.assign(2 * leaves_, Line{});
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      Group& group = groups_[i];
      group.taken = 0;
      lines_[leaves_ + i].slope = std::uint64_t{group.weight} << index_bits_;
      lines_[leaves_ + i].offset = members_[group.turn];
    }
    for (std::size_t match = leaves_ - 1; match > 0; --match) {
      if (lines_[2 * match].slope == 0) continue;  // Nobody on the left, nobody on the right.
      play(match, 1);
    }
  }

  // A line and its value at the step of a match.
  struct Side {
    Side(const Line& of, std::int64_t step) : line(of), value(of.at(step)) {}
    Side(const Line& of, std::uint64_t known) : line(of), value(known) {}
    Line line;
    std::uint64_t value;
  };

  // Who is ahead at this step, and until when: one that rises more slowly is caught up with. No
  // branches, since which side wins is anybody's guess. The double names the last step before they
  // are level or, rounded, one next to it: a match may be played too early, never too late.
  // REQUIRES: different slopes.
  [[nodiscard]] static Side winner_of(const Side& a, const Side& b, std::int64_t step) {
    const auto lead = static_cast<std::int64_t>(a.value - b.value);
    const auto gain = static_cast<std::int64_t>(b.line.slope - a.line.slope);  // Of b on a.
    const auto steps =
        static_cast<std::int64_t>(static_cast<double>(lead) / static_cast<double>(gain));
    // Shifts of a sign make masks: all ones where a has won, and kForever where they are parting.
    const std::uint64_t a_wins = ~static_cast<std::uint64_t>(lead >> 63);
    const auto parting =
        static_cast<std::int64_t>(static_cast<std::uint64_t>((lead ^ gain) >> 63) >> 1U);
    const std::int64_t until = (step + std::max(steps, std::int64_t{1})) | parting;
    const auto winners = [a_wins](std::uint64_t of_a, std::uint64_t of_b) {
      return of_b ^ ((of_a ^ of_b) & a_wins);
    };
    const Line line{winners(a.line.slope, b.line.slope), winners(a.line.offset, b.line.offset),
                    std::min({a.line.valid_before, b.line.valid_before, until})};
    return {line, winners(a.value, b.value)};
  }

  void play(std::size_t match, std::int64_t step) {
    const Side left{lines_[2 * match], step};
    lines_[match] = winner_of(left, {lines_[2 * match + 1], step}, step).line;
  }

  // The matches above a leaf that has changed, as they stand at the next step.
  void play_up(std::size_t place) {
    const std::int64_t step = step_ + 1;
    Side best{lines_[place], step};
    for (; place > 1; place /= 2) {
      best = winner_of(best, {lines_[place ^ 1U], step}, step);
      lines_[place / 2] = best.line;
    }
  }

  // Plays what is not valid at this step again.
  void replay_outdated(std::size_t match) {
    for (std::size_t below = 2 * match; below <= 2 * match + 1; ++below) {
      if (lines_[below].valid_before <= step_) replay_outdated(below);
    }
    play(match, step_);
  }

  static constexpr std::uint32_t kNobody = 0xffffffffU;
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint64_t kBehindAll = std::uint64_t{1} << 62U;

  std::vector<Group> groups_;            // Heaviest first.
  std::vector<std::uint32_t> members_;   // Indices, by group.
  std::vector<std::uint32_t> group_of_;  // Of each index.
  std::vector<Line> lines_;  // A tree: 1 is the final's winner, 2i and 2i + 1 those who played for
                             // i; groups are from leaves_ on.
  std::size_t leaves_ = 0;
  std::uint64_t total_ = 0;
  unsigned index_bits_ = 0;
  std::int64_t step_ = 0;
  BackendId last_{kNobody};
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const WeightedRoundRobinConfig&) {
  return std::make_unique<WeightedRoundRobin>();
}

}  // namespace lb
