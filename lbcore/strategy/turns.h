// Turns: who was picked longest ago. Ties that go there share an idle cluster evenly, and not by
// position. Kept by id, so that a flapping neighbour cannot reset anybody's turn.
#pragma once

#include <cstdint>

#include "lbcore/strategy/by_id.h"
#include "lbcore/strategy/strategy.h"

namespace lb {

// Less, or equal and earlier in turn: one comparison of 128 bits, so that no branch has to be
// guessed where a heap compares.
[[nodiscard]] inline bool less_or_in_turn(std::uint64_t a, std::uint64_t turn_a, std::uint64_t b,
                                          std::uint64_t turn_b) {
  __extension__ using Wide = unsigned __int128;
  return (Wide{a} << 64U | turn_a) < (Wide{b} << 64U | turn_b);
}

class Turns {
 public:
  // O(n).
  void rebuild(EligibleView eligible) {
    const std::uint64_t never_before = never_;
    turns_.rebuild(eligible);
    never_ = 0;
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      if (turns_[i] <= never_before) ++never_;
    }
    // Those never picked get 1 to never_; the others move up behind them.
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      turns_[i] = turns_[i] <= never_before ? ++next : turns_[i] + never_;
    }
    last_ += never_;
  }

  // It has been picked.
  void take(std::size_t index) { turns_[index] = ++last_; }

  // All different; the least is the next in turn: those never picked by position, then the one
  // picked longest ago.
  [[nodiscard]] std::uint64_t of(std::size_t index) const { return turns_[index]; }

 private:
  ById<std::uint64_t> turns_;
  std::uint64_t never_ = 0;  // Turns up to this one are of those never picked.
  std::uint64_t last_ = 0;
};

}  // namespace lb
