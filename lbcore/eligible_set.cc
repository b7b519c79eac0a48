#include "lbcore/eligible_set.h"

#include <algorithm>
#include <array>

#include "lbcore/assert.h"

namespace lb {
namespace {

constexpr std::uint32_t kOverprovisioningPercent = 140;

bool ramps_by_weight(const Strategy& strategy) {
  return strategy.uses_weights() && !strategy.uses_key();
}

// Positions closed for the length of one pick.
class Closed {
 public:
  explicit Closed(OpenSet& open) : open_(open) {}
  ~Closed() {
    for (std::size_t n = 0; n < count_; ++n) open_.open(indices_[n]);
  }
  Closed(const Closed&) = delete;
  Closed& operator=(const Closed&) = delete;

  [[nodiscard]] bool full() const { return count_ == indices_.size(); }
  void close(std::size_t index) {
    if (!open_.contains(index)) return;
    open_.close(index);
    indices_[count_++] = index;
  }

 private:
  OpenSet& open_;
  std::array<std::size_t, 2 * RetryConfig::kAttemptsMax> indices_{};
  std::size_t count_ = 0;
};

}  // namespace

EligibleSet EligibleSet::clone() const {
  EligibleSet copy;
  copy.config_ = config_;
  copy.asks_load_ = asks_load_;
  copy.eligible_count_ = eligible_count_;
  for (const Level& level : levels_) {
    copy.levels_.push_back({level.strategy->clone(),
                            level.priority,
                            level.load_percent,
                            level.panicking,
                            level.in_flight,
                            level.views,
                            level.slots,
                            level.ramps,
                            level.open,
                            level.strategy_is_new,
                            {}});
  }
  return copy;
}

void EligibleSet::use(const StrategyConfig& config) {
  config_ = config;
  for (Level& level : levels_) {
    renew_strategy(level);
  }
}

// ---------------------------------------------------------------------------------------------
// Who is eligible

std::vector<EligibleSet::Place> EligibleSet::rebuild(std::span<const Member> members,
                                                     std::uint32_t panic_threshold, Instant now) {
  for (Level& level : levels_) {
    level.known.swap(level.views);
    level.views.clear();
    level.slots.clear();
    level.ramps.clear();
    level.in_flight = 0;
  }
  for (const Member& member : members) static_cast<void>(level_of_priority(member.priority));
  share_load(levels_, members, panic_threshold);

  eligible_count_ = 0;
  std::vector<Place> places(members.size());
  for (std::size_t n = 0; n < members.size(); ++n) {
    const Member& member = members[n];
    Level& level = level_of_priority(member.priority);
    if (level.load_percent == 0) continue;
    if (!member.well && !(level.panicking && member.may_panic)) continue;
    places[n] = {static_cast<std::uint32_t>(&level - levels_.data()),
                 static_cast<std::uint32_t>(level.views.size())};
    level.views.push_back({member.id, member.weight, member.in_flight});
    level.slots.push_back(member.slot);
    level.ramps.push_back(static_cast<std::uint8_t>(member.ramp_percent));
    level.in_flight += member.in_flight;
    ++eligible_count_;
  }
  for (std::size_t n = 0; n < members.size(); ++n) {
    if (!places[n]) continue;
    Level& level = levels_[places[n].level];
    if (level.open.size() != level.views.size() || places[n].index == 0) {
      level.open.reset(level.views.size());
    }
    if (!members[n].open) level.open.close(places[n].index);
  }
  for (Level& level : levels_) {
    if (level.views.empty()) level.open.reset(0);
    const bool ramping = std::any_of(level.ramps.begin(), level.ramps.end(),
                                     [](std::uint8_t percent) { return percent < 100; });
    if (!ramping) level.ramps.clear();
    // All weights grow together, so that the shares in between can be told in whole numbers.
    if (ramping && ramps_by_weight(*level.strategy)) {
      for (std::size_t i = 0; i < level.views.size(); ++i) level.views[i].weight *= level.ramps[i];
    }
    if (level.views != level.known || level.strategy_is_new) {
      level.strategy->rebuild(level.views, now);
    }
    level.strategy_is_new = false;
  }
  return places;
}

void EligibleSet::renew_strategy(Level& level) {
  level.strategy = make_strategy(config_);
  level.strategy_is_new = true;
  asks_load_ = level.strategy->asks_load();
}

EligibleSet::Level& EligibleSet::level_of_priority(std::uint32_t priority) {
  const auto place = std::lower_bound(
      levels_.begin(), levels_.end(), priority,
      [](const Level& level, std::uint32_t wanted) { return level.priority < wanted; });
  if (place != levels_.end() && place->priority == priority) return *place;
  Level level;
  level.priority = priority;
  renew_strategy(level);
  return *levels_.insert(place, std::move(level));
}

void EligibleSet::share_load(std::span<Level> levels, std::span<const Member> members,
                             std::uint32_t panic_threshold) {
  struct Census {
    std::uint32_t members = 0;
    std::uint32_t well = 0;
    std::uint32_t usable = 0;  // Well, or of use in a panic.
    std::uint32_t health = 0;  // Percent of all requests it can carry.
  };
  std::array<Census, 16> censuses{};
  for (const Member& member : members) {
    LB_ASSERT(member.priority < censuses.size());
    Census& census = censuses[member.priority];
    ++census.members;
    if (member.well) ++census.well;
    if (member.well || member.may_panic) ++census.usable;
  }
  std::uint32_t total = 0;
  for (Census& census : censuses) {
    if (census.members == 0) continue;
    census.health =
        std::min<std::uint32_t>(100, kOverprovisioningPercent * census.well / census.members);
    total += census.health;
  }
  total = std::min<std::uint32_t>(total, 100);
  std::uint32_t left = 100;
  Level* first = nullptr;
  for (Level& level : levels) {
    const Census& census = censuses[level.priority];
    level.load_percent = total == 0 ? 0 : std::min(left, census.health * 100 / total);
    left -= level.load_percent;
    level.panicking =
        total < 100 && census.usable > 0 && census.well * 100 < panic_threshold * census.members;
    const bool usable = total > 0 ? census.health > 0 : census.well > 0 || level.panicking;
    if (first == nullptr && usable) first = &level;
  }
  // What rounding left over; and everything, when nobody is well and panic is all there is.
  if (first != nullptr) first->load_percent += left;
}

void EligibleSet::set_in_flight(Place place, std::uint32_t in_flight, Instant now) {
  Level& level = levels_[place.level];
  BackendView& view = level.views[place.index];
  level.in_flight += in_flight;
  level.in_flight -= view.in_flight;
  view.in_flight = in_flight;
  level.strategy->load_changed(level.views, place.index, now);
}

void EligibleSet::set_open(Place place, bool open) {
  OpenSet& set = levels_[place.level].open;
  open ? set.open(place.index) : set.close(place.index);
}

void EligibleSet::sample(Place place, const LatencySample& sample) {
  Level& level = levels_[place.level];
  level.strategy->latency_sampled(level.views, place.index, sample);
}

void EligibleSet::report(Place place, const LoadReport& report, Instant now) {
  Level& level = levels_[place.level];
  level.strategy->load_reported(level.views, place.index, report, now);
}

// ---------------------------------------------------------------------------------------------
// The pick

EligibleSet::Choice EligibleSet::pick(HashKey key, std::span<const Place> tried, Instant now,
                                      Prng& prng) {
  // What has been tried is closed for this pick, unless nobody else is left.
  std::array<Place, RetryConfig::kAttemptsMax> closed{};
  std::size_t closed_count = 0;
  for (const Place place : tried) {
    if (!place || !levels_[place.level].open.contains(place.index)) continue;
    set_open(place, false);
    closed[closed_count++] = place;
  }
  const auto reopen = [&] {
    while (closed_count > 0) set_open(closed[--closed_count], true);
  };
  if (!any_open()) reopen();
  const Choice choice = pick(key, now, prng);
  reopen();
  return choice;
}

EligibleSet::Level& EligibleSet::choose_level(HashKey key, Prng& prng) {
  Level* only = nullptr;
  std::uint32_t total = 0;
  for (Level& level : levels_) {
    if (level.open.none()) continue;
    only = &level;
    total += level.load_percent;
  }
  LB_ASSERT(only != nullptr);
  if (only->load_percent == total) return *only;
  std::uint64_t position = only->strategy->uses_key() ? mix(key) % total : prng.below(total);
  for (Level& level : levels_) {
    if (level.open.none()) continue;
    if (position < level.load_percent) return level;
    position -= level.load_percent;
  }
  return *only;
}

Pick EligibleSet::pick_in(Level& level, HashKey key, Instant now, Prng& prng) {
  if (level.views.size() == 1) return {0, PickReason::only_one};
  const PickContext context{level.views, level.open, level.in_flight, key, now, prng};
  if (!level.ramps.empty() && !ramps_by_weight(*level.strategy)) {
    return pick_ramping(level, context);
  }
  const Pick choice = level.strategy->pick(context);
  if (level.open.contains(choice.index)) return choice;
  return {level.open.next(choice.index), PickReason::moved_on};
}

// A strategy without weights has its picks of a starting backend thinned out instead: only the
// ramp's share of them stands, and for the others it is asked again without that backend. Where a
// key decides it decides this, too: the backend gets more and more keys, and none of them twice.
Pick EligibleSet::pick_ramping(Level& level, const PickContext& context) {
  const auto draw = [&](BackendId id) {
    return level.strategy->uses_key() ? combine(context.key, id.value) % 100
                                      : context.prng.below(100);
  };
  Closed closed(level.open);
  for (;;) {
    Pick choice = level.strategy->pick(context);
    if (!level.open.contains(choice.index)) {
      choice = {level.open.next(choice.index), PickReason::moved_on};
    }
    const bool last = level.open.count() == 1 || closed.full();
    const std::uint8_t percent = level.ramps[choice.index];
    if (last || percent == 100 || draw(level.views[choice.index].id) < percent) return choice;
    closed.close(choice.index);
  }
}

std::optional<BackendSlot> EligibleSet::poll_load_probe() {
  for (Level& level : levels_) {
    if (const auto index = level.strategy->poll_load_probe()) return level.slots[*index];
  }
  return std::nullopt;
}

// ---------------------------------------------------------------------------------------------
// Explanations

std::optional<double> EligibleSet::score(Place place, HashKey key, Instant now, Prng& prng) const {
  const Level& level = levels_[place.level];
  return level.strategy->score({level.views, level.open, level.in_flight, key, now, prng},
                               place.index);
}

std::uint32_t EligibleSet::effective_weight(Place place) const {
  return levels_[place.level].views[place.index].weight;
}

bool EligibleSet::panicking() const {
  return std::any_of(levels_.begin(), levels_.end(),
                     [](const Level& level) { return level.panicking && level.load_percent > 0; });
}

}  // namespace lb
