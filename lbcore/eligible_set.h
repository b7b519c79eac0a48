// EligibleSet: who may be picked, kept ready for the strategy, and the pick itself.
//
// Backends of one priority form a level with a strategy of its own. Requests go to the levels in
// the proportion their health allows: the first takes all it can, what it cannot spills over to
// the next. Nearly every cluster has one level, and then none of this costs anything.
//
// The arithmetic of levels and panic is Envoy's ("Priority levels", "Panic threshold"): a level
// carries min(100, 140 * well / members) percent, so that it may lose 28 % of its backends before
// anything spills; when the levels together carry less than 100, they share what there is in
// proportion, and a level whose well share is below the panic threshold uses all of its members.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lbcore/connection_pool.h"
#include "lbcore/strategy/registry.h"

namespace lb {

class EligibleSet {
 public:
  // A backend that an operator has not taken out.
  struct Member {
    BackendSlot slot = 0;
    BackendId id;
    std::uint32_t weight = 1;
    std::uint32_t ramp_percent = 100;  // Of its weight, while it starts slowly.
    std::uint32_t in_flight = 0;
    std::uint32_t priority = 0;
    bool well = true;       // Health and ejection have nothing against it.
    bool may_panic = true;  // It may be used in a panic though it is not well.
    bool open = true;
  };

  // Where a backend stands; empty for one that is not eligible.
  struct Place {
    static constexpr std::uint32_t kNowhere = 0xffffffffU;
    std::uint32_t level = 0;
    std::uint32_t index = kNowhere;
    explicit operator bool() const { return index != kNowhere; }
  };

  struct Choice {
    BackendSlot slot = 0;
    PickReason reason = PickReason::only_one;
    std::uint32_t candidates = 0;  // How many were eligible in its level.
  };

  EligibleSet() = default;
  EligibleSet(EligibleSet&&) = default;
  EligibleSet& operator=(EligibleSet&&) = default;

  // A copy that goes on by itself. O(n) and more: for explanations.
  [[nodiscard]] EligibleSet clone() const;

  // Strategies of this kind from now on; what earlier ones learnt is forgotten.
  void use(const StrategyConfig& config);

  // Takes the members anew, sorted by id, and says where each stands, in the same order. O(n); and
  // what the strategy's header says, for levels in which something has changed.
  std::vector<Place> rebuild(std::span<const Member> members, std::uint32_t panic_threshold,
                             Instant now);

  // -- Changes of one backend. REQUIRES: the place is not empty.
  void set_in_flight(Place place, std::uint32_t in_flight, Instant now);
  void set_open(Place place, bool open);
  void sample(Place place, const LatencySample& sample);
  void report(Place place, const LoadReport& report, Instant now);

  // Somebody is eligible; somebody is open.
  [[nodiscard]] bool any() const { return eligible_count_ > 0; }
  [[nodiscard]] bool any_open() const {
    for (const Level& level : levels_) {
      if (!level.open.none()) return true;
    }
    return false;
  }
  [[nodiscard]] std::size_t size() const { return eligible_count_; }

  // Who gets a request with this key: open, and not one of `tried` while another is open.
  // REQUIRES: any_open(). Allocates nothing.
  [[nodiscard]] Choice pick(HashKey key, std::span<const Place> tried, Instant now, Prng& prng);
  // The same where nothing has been tried.
  [[nodiscard]] Choice pick(HashKey key, Instant now, Prng& prng) {
    Level& level = levels_.size() == 1 ? levels_.front() : choose_level(key, prng);
    const Pick choice = pick_in(level, key, now, prng);
    return {level.slots[choice.index], choice.reason,
            static_cast<std::uint32_t>(level.views.size())};
  }

  // The next backend the strategy wants to be asked for its load.
  [[nodiscard]] std::optional<BackendSlot> poll_load_probe();
  [[nodiscard]] bool asks_load() const { return asks_load_; }  // It may want one.

  // -- For explanations and metrics
  [[nodiscard]] std::optional<double> score(Place place, HashKey key, Instant now,
                                            Prng& prng) const;
  [[nodiscard]] std::uint32_t effective_weight(Place place) const;
  [[nodiscard]] bool panicking() const;

 private:
  struct Level {
    std::unique_ptr<Strategy> strategy;
    std::uint32_t priority = 0;
    std::uint32_t load_percent = 0;  // Of all requests.
    bool panicking = false;
    std::uint64_t in_flight = 0;
    std::vector<BackendView> views;
    std::vector<BackendSlot> slots;
    std::vector<std::uint8_t> ramps;  // Percent; empty when nobody starts slowly.
    OpenSet open;
    bool strategy_is_new = true;     // It has not been rebuilt yet.
    std::vector<BackendView> known;  // For rebuild(): what the strategy has seen.
  };

  void renew_strategy(Level& level);
  [[nodiscard]] Level& level_of_priority(std::uint32_t priority);
  static void share_load(std::span<Level> levels, std::span<const Member> members,
                         std::uint32_t panic_threshold);
  [[nodiscard]] Level& choose_level(HashKey key, Prng& prng);
  [[nodiscard]] Pick pick_in(Level& level, HashKey key, Instant now, Prng& prng);
  [[nodiscard]] Pick pick_ramping(Level& level, const PickContext& context);

  StrategyConfig config_;
  bool asks_load_ = false;     // Its strategies do.
  std::vector<Level> levels_;  // By priority.
  std::size_t eligible_count_ = 0;
};

}  // namespace lb
