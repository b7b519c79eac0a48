// The rules of latency_record.h and of the strategies that go by it, the plain way: every value is
// brought up to date at every event, with the C library's exponential, and a pick looks at them
// all.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "lbcore/strategy/latency_record.h"
#include "tests/testing/backends.h"

namespace lb::testing {

class LatencyModel {
 public:
  struct Rules {
    LatencyAverageConfig average;
    bool by_load = false;         // The score is the average times the load by weight.
    bool waiting_counts = false;  // One that keeps us waiting is as slow as we have waited.
    bool peak_sensitive = false;
    bool in_turn = true;  // Ties go to the one picked longest ago.
  };
  explicit LatencyModel(const Rules& rules) : rules_(rules) {}

  void become(const std::vector<BackendView>& eligible, Instant now) {
    std::map<BackendId, Known> kept;
    for (const BackendView& view : eligible) {
      kept[view.id] = known_[view.id];
      kept[view.id].weight = view.weight;
    }
    known_ = std::move(kept);
    for (const BackendView& view : eligible) set_load(view.id, view.in_flight, false, now);
  }

  void set_load(BackendId id, std::uint32_t in_flight, bool ours, Instant now) {
    Known& known = bring_up_to_date(id, now);
    if (known.in_flight == 0 && in_flight > 0 && known.rest > 5 * rules_.average.decay_time) {
      known.value.reset();
      known.tried = false;
    }
    if (in_flight <= known.in_flight) known.tried = false;
    if (in_flight > known.in_flight && ours) {
      known.tried = true;
      if (!known.asked) known.asked = now;
    }
    if (in_flight == 0) known.asked.reset();
    known.in_flight = in_flight;
  }

  void sample(BackendId id, Duration latency, bool failed, Instant now) {
    Known& known = bring_up_to_date(id, now);
    auto value = static_cast<double>(latency.count());
    if (failed)
      value = std::max(value, static_cast<double>(rules_.average.failure_penalty.count()));
    if (!known.value || (rules_.peak_sensitive && value >= *known.value)) {
      known.value = value;
    } else {
      const double w = std::exp(-seconds(now - known.sampled_at) / decay_seconds());
      known.value = *known.value * w + value * (1 - w);
    }
    known.sampled_at = now;
    known.rest = {};
    known.asked.reset();
  }

  // The order of picking: first what is to be explored, last what is being explored.
  struct Rank {
    int group = 0;
    double score = 0;
    int picked = 0;
  };
  Rank rank(BackendId id, Instant now) {
    const Known& known = bring_up_to_date(id, now);
    const double load =
        (known.in_flight + 1.0) / (rules_.by_load ? static_cast<double>(known.weight) : 1.0);
    if (!known.value && !known.tried)
      return {0, static_cast<double>(known.in_flight), known.picked};
    if (!known.value) return {2, load, known.picked};
    double score = *known.value * (rules_.by_load ? load : 1);
    if (rules_.waiting_counts && known.asked && known.in_flight > 0) {
      score = std::max(score, static_cast<double>((now - *known.asked).count()));
    }
    return {1, score, known.picked};
  }

  void picked(BackendId id) { known_[id].picked = ++sequence_; }

 private:
  struct Known {
    std::optional<double> value;
    Instant sampled_at, as_of;
    Duration rest{};  // Since the last sample.
    std::uint32_t in_flight = 0;
    std::uint32_t weight = 1;
    bool tried = false;
    std::optional<Instant> asked;
    int picked = 0;
  };

  static double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }
  [[nodiscard]] double decay_seconds() const { return seconds(rules_.average.decay_time); }

  Known& bring_up_to_date(BackendId id, Instant now) {
    Known& known = known_[id];
    if (known.value && known.in_flight == 0) {
      *known.value *= std::exp(-seconds(now - known.as_of) / decay_seconds());
      known.rest += now - known.as_of;
    }
    known.as_of = now;
    return known;
  }

  Rules rules_;
  std::map<BackendId, Known> known_;
  int sequence_ = 0;
};

// Everything that can happen to a strategy, at random, beside the model. `exact`: a pick is the
// least of all by the model's order; otherwise only the scores are compared.
class LatencyGame {
 public:
  LatencyGame(const StrategyConfig& config, const LatencyModel::Rules& rules, std::uint64_t seed)
      : rules_(rules), prng_(seed), model_(rules) {
    std::vector<BackendView> views(2 + prng_.below(12));
    for (std::uint32_t i = 0; i < views.size(); ++i) {
      views[i] = {BackendId{i * 3}, static_cast<std::uint32_t>(1 + prng_.below(4)), 0};
    }
    all_ = views;
    strategy_.emplace(config, views);
    become(views);
  }

  void play(int steps, bool exact) {
    for (int step = 0; step < steps && !::testing::Test::HasFatalFailure(); ++step) {
      advance();
      const std::size_t index = prng_.below(eligible().size());
      switch (prng_.below(16)) {
        case 0: open_.open(index), strategy_->open(index); break;
        case 1: close(index); break;
        case 2: set_load(index, static_cast<std::uint32_t>(prng_.below(4)), false); break;
        case 3: pick(exact); break;  // And nobody goes there.
        case 4:
          if (prng_.below(10) == 0) change_set();
          break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9: finish(index); break;
        default: start(exact); break;
      }
      if (step % 5 == 0) compare_scores();
    }
  }

 private:
  [[nodiscard]] const std::vector<BackendView>& eligible() const { return strategy_->eligible(); }
  [[nodiscard]] BackendId id(std::size_t index) const { return eligible()[index].id; }

  // Mostly little; now and then so long that averages shrink to nothing.
  void advance() {
    const std::uint64_t unit = prng_.below(200) == 0 ? 60'000'000'000 : 20'000'000;
    const Duration elapsed{static_cast<std::int64_t>(prng_.below(unit))};
    strategy_->advance(elapsed);
    now_ += elapsed;
  }

  void become(std::vector<BackendView> set) {
    open_.reset(set.size());
    model_.become(set, now_);
    strategy_->become(std::move(set));
  }

  void change_set() {
    auto set = all_;
    for (std::size_t gone = prng_.below(3); gone > 0 && set.size() > 2; --gone) {
      set.erase(set.begin() + static_cast<std::ptrdiff_t>(prng_.below(set.size())));
    }
    for (BackendView& view : set) {
      view.weight = static_cast<std::uint32_t>(1 + prng_.below(4));
      view.in_flight = static_cast<std::uint32_t>(prng_.below(3));
    }
    become(set);
  }

  void close(std::size_t index) {
    if (open_.count() == 1) return;
    open_.close(index);
    strategy_->close(index);
  }

  void set_load(std::size_t index, std::uint32_t in_flight, bool ours) {
    if (in_flight == eligible()[index].in_flight) return;
    model_.set_load(id(index), in_flight, ours, now_);
    strategy_->set_load(index, in_flight);
  }

  std::size_t pick(bool exact) {
    const std::size_t index = strategy_->pick().index;
    EXPECT_TRUE(open_.contains(index));
    if (exact) expect_least(index);
    model_.picked(id(index));
    return index;
  }

  void start(bool exact) {
    const std::size_t index = pick(exact);
    set_load(index, eligible()[index].in_flight + 1, true);
  }

  void finish(std::size_t index) {
    const std::uint32_t in_flight = eligible()[index].in_flight;
    if (in_flight == 0) return;
    const bool left = prng_.below(6) == 0;  // The client did: no sample.
    if (!left) {
      const Duration latency{static_cast<std::int64_t>(1 + prng_.below(200'000'000))};
      const bool failed = prng_.below(8) == 0;
      model_.sample(id(index), latency, failed, now_);
      strategy_->sample(index, latency, failed);
    }
    set_load(index, in_flight - 1, false);
  }

  // What strategies may be off, as a share: a few steps of 1 ns in decay_time.
  [[nodiscard]] double rounding() const {
    return 5 / static_cast<double>(rules_.average.decay_time.count());
  }

  // Nobody open comes clearly before it; and of those exactly as good none is earlier in turn.
  void expect_least(std::size_t index) {
    const LatencyModel::Rank mine = model_.rank(id(index), now_);
    for (std::size_t i = 0; i < eligible().size(); ++i) {
      if (i == index || !open_.contains(i)) continue;
      const LatencyModel::Rank other = model_.rank(id(i), now_);
      ASSERT_GE(other.group, mine.group) << "index " << index << " before " << i;
      if (other.group > mine.group) continue;
      ASSERT_GE(other.score, mine.score * (1 - rounding()) - 1e-6) << index << " before " << i;
      if (!rules_.in_turn || mine.group != 0 || other.score > mine.score) continue;
      ASSERT_LT(std::pair(mine.picked, index), std::pair(other.picked, i));
    }
  }

  void compare_scores() {
    for (std::size_t i = 0; i < eligible().size(); ++i) {
      const LatencyModel::Rank rank = model_.rank(id(i), now_);
      const auto score = strategy_->score(i);
      ASSERT_EQ(score.has_value(), rank.group == 1) << i;
      ASSERT_NEAR(score.value_or(0) * 1e6, rank.group == 1 ? rank.score : 0,
                  rank.score * rounding() + 1e-6)
          << i;
    }
  }

  LatencyModel::Rules rules_;
  Prng prng_;
  LatencyModel model_;
  std::optional<StrategyAtWork> strategy_;
  std::vector<BackendView> all_;
  OpenSet open_;
  Instant now_{};
};

inline void play_latency_game(const StrategyConfig& config, const LatencyModel::Rules& rules,
                              bool exact) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LatencyGame{config, rules, seed}.play(3000, exact);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Requests one after the other to three backends, of which A fails in 1 ms and the others take
// 50 ms: how many of 2000 went to A.
inline int picks_of_one_that_fails_fast(const StrategyConfig& config) {
  using namespace std::chrono_literals;
  StrategyAtWork strategy{config, with_ids({0, 1, 2})};
  int on_a = 0;
  for (int n = 0; n < 2000; ++n) {
    const std::size_t index = strategy.start();
    strategy.advance(index == 0 ? 1ms : 50ms);
    strategy.finish(index, index == 0 ? 1ms : 50ms, index == 0);
    if (index == 0) ++on_a;
  }
  return on_a;
}

// A does not answer any more, B takes 20 ms: how many of 1000 requests, 100 us apart, went to A.
inline int picks_of_one_that_hangs(StrategyAtWork& strategy) {
  using namespace std::chrono_literals;
  int on_a = 0;
  for (int n = 0; n < 1000; ++n) {
    const std::size_t index = strategy.start();
    strategy.advance(100us);
    if (index == 0) ++on_a;
    if (index == 1) strategy.finish(1, 20ms);
  }
  return on_a;
}

}  // namespace lb::testing
