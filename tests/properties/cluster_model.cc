#include "tests/properties/cluster_model.h"

#include <algorithm>

namespace lb::testing {

bool NaiveBreaker::end(unsigned began, CircuitBreaker::Result result,
                       const CircuitBreakerConfig& config) {
  using Result = CircuitBreaker::Result;
  if (began != epoch || state == BreakerState::open) return false;  // Of an earlier time.
  if (state == BreakerState::half_open) --trials;
  if (result == Result::neither) return false;
  const bool wanted = (result == Result::success) == (state == BreakerState::half_open);
  if (wanted) {
    ++in_a_row;
  } else if (state == BreakerState::half_open) {
    enter(BreakerState::open);
    return true;
  } else {
    in_a_row = 0;
  }
  if (state == BreakerState::half_open && in_a_row >= config.successes) {
    enter(BreakerState::closed);
  } else if (state == BreakerState::closed && in_a_row >= config.consecutive_failures) {
    enter(BreakerState::open);
    return true;
  }
  return false;
}

bool NaiveBreaker::end_answer(unsigned began, CircuitBreaker::Result result,
                              const CircuitBreakerConfig& config) {
  if (state != BreakerState::half_open) return end(began, result, config);
  if (began != epoch || result != CircuitBreaker::Result::failure) return false;
  enter(BreakerState::open);
  return true;
}

void NaiveQueue::put_back(unsigned priority, const Entry& entry) {
  std::deque<Entry>& entries = classes_[priority];
  const bool was_newest = !entries.empty() && entries.front().since < entry.since;
  entries.insert(was_newest ? entries.end() : entries.begin(), entry);
}

void NaiveQueue::remove(RequestId request) {
  for (auto& [_, entries] : classes_) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.request == request; });
  }
}

std::optional<RequestId> NaiveQueue::next(Instant now, const LimitsConfig& limits) const {
  for (const auto& [_, entries] : classes_) {
    if (entries.empty()) continue;
    const bool long_waits = now - entries.front().since > limits.queue_timeout / 2;
    const bool newest = limits.queue_order == QueueOrder::adaptive_lifo && long_waits;
    return newest ? entries.back().request : entries.front().request;
  }
  return std::nullopt;
}

std::size_t NaiveQueue::size() const {
  std::size_t size = 0;
  for (const auto& [_, entries] : classes_) size += entries.size();
  return size;
}

Exclusion ClusterModel::standing(const Member& member) const {
  const Exclusion alone = standing_alone(member);
  if (alone != Exclusion::ejected) return alone;
  const bool others = std::any_of(members.begin(), members.end(), [&](const auto& entry) {
    return standing_alone(entry.second) == Exclusion::none;
  });
  return others ? Exclusion::ejected : Exclusion::none;
}

Exclusion ClusterModel::standing_alone(const Member& member) const {
  const bool probed = config.health_check.has_value();
  if (!member.configured) return Exclusion::removed;
  if (member.config.state == AdminState::disabled) return Exclusion::disabled;
  if (member.config.state == AdminState::draining) return Exclusion::draining;
  if (probed && member.health == HealthState::unknown) return Exclusion::unknown;
  if (probed && member.health == HealthState::unhealthy) return Exclusion::unhealthy;
  return member.ejected ? Exclusion::ejected : Exclusion::none;
}

// Envoy's "Priority levels" and "Panic threshold", in whole percent.
std::map<std::uint32_t, ClusterModel::Level> ClusterModel::levels() const {
  std::map<std::uint32_t, Level> levels;
  for (const auto& [_, member] : members) {
    const Exclusion why = standing(member);
    if (why != Exclusion::none && why < Exclusion::unknown) continue;
    Level& level = levels[member.config.priority];
    ++level.members;
    level.well += why == Exclusion::none ? 1 : 0;
    level.usable += why != Exclusion::unknown ? 1 : 0;
  }
  const auto health = [](const Level& level) {
    return std::min(100U, 140 * level.well / level.members);
  };
  std::uint32_t total = 0;
  for (const auto& [_, level] : levels) total += health(level);
  std::uint32_t left = 100;
  for (auto& [_, level] : levels) {
    if (total > 0) level.percent = std::min(left, health(level) * 100 / std::min(100U, total));
    left -= level.percent;
    level.panicking = total < 100 && level.usable > 0 &&
                      level.well * 100 < config.panic_threshold * level.members;
  }
  for (auto& [_, level] : levels) {
    const bool takes = total > 0 ? health(level) > 0 : level.well > 0 || level.panicking;
    if (!takes) continue;
    level.percent += left;
    break;
  }
  return levels;
}

std::set<BackendId> ClusterModel::eligible() const {
  const auto all = levels();
  std::set<BackendId> ids;
  for (const auto& [id, member] : members) {
    const Exclusion why = standing(member);
    const auto level = all.find(member.config.priority);
    if (level == all.end() || level->second.percent == 0) continue;
    const bool in_panic =
        level->second.panicking && (why == Exclusion::unhealthy || why == Exclusion::ejected);
    if (why == Exclusion::none || in_panic) ids.insert(id);
  }
  return ids;
}

std::uint64_t ClusterModel::in_flight(BackendId id) const {
  std::uint64_t count = members.at(id).in_flight;
  for (const auto& [_, loads] : siblings) {
    const auto load = loads.find(id);
    if (load != loads.end()) count += load->second;
  }
  return count;
}

bool ClusterModel::full() const {
  std::uint64_t count = 0;
  for (const auto& [id, _] : members) count += in_flight(id);
  return config.limits.max_in_flight > 0 && count >= config.limits.max_in_flight;
}

bool ClusterModel::below_limit(BackendId id) const {
  const std::uint32_t limit = config.limits.max_in_flight_per_backend;
  return limit == 0 || in_flight(id) < limit;
}

bool ClusterModel::is_open(BackendId id) const { return below_limit(id) && breaker_admits(id); }

bool ClusterModel::breaker_admits(BackendId id) const {
  const NaiveBreaker& breaker = members.at(id).breaker;
  return !config.circuit_breaker || breaker.state == BreakerState::closed ||
         (breaker.state == BreakerState::half_open &&
          breaker.trials < config.circuit_breaker->trials);
}

std::set<BackendId> ClusterModel::open() const {
  std::set<BackendId> ids = eligible();
  std::erase_if(ids, [&](BackendId id) { return !is_open(id); });
  return ids;
}

ClusterModel::Room ClusterModel::room() const {
  const std::set<BackendId> ids = eligible();
  const auto count = [&](auto test) { return std::count_if(ids.begin(), ids.end(), test); };
  if (count([&](BackendId id) { return is_open(id); }) > 0) return full() ? Room::later : Room::now;
  // A limit is over when somebody finishes; a breaker when its time has come.
  return count([&](BackendId id) { return !below_limit(id); }) > 0 ? Room::later : Room::never;
}

Exclusion ClusterModel::exclusion(BackendId id) const {
  const Exclusion why = standing(members.at(id));
  if (!eligible().contains(id)) return why == Exclusion::none ? Exclusion::lower_priority : why;
  if (!breaker_admits(id)) return Exclusion::breaker_open;
  return below_limit(id) ? Exclusion::none : Exclusion::at_limit;
}

bool ClusterModel::takes_session(BackendId id) const {
  const auto found = members.find(id);
  if (found == members.end() || !is_open(id) || full()) return false;
  const bool drains = standing(found->second) == Exclusion::draining && !found->second.ejected &&
                      (!config.health_check || found->second.health == HealthState::healthy);
  return drains || eligible().contains(id);
}

void ClusterModel::changed(Instant now) {
  for (auto& [_, member] : members) {
    const Exclusion why = standing(member);
    const bool well = why == Exclusion::none;
    const bool is_new = well && !member.was_well && !member.founder;
    if (is_new) member.ramp_since = now;
    if (!well || !config.slow_start) member.ramp_since.reset();
    if (is_new || !member.ramp_since) member.ramp_percent = member.ramp_since ? 0 : 100;
    if (why != Exclusion::unknown) member.founder = false;  // It was found out how it is.
    member.was_well = well;
  }
}

void ClusterModel::reloaded(Instant now) {
  for (auto& [_, member] : members) {
    if (!config.outlier_ejection) member.results.clear();
    if (config.circuit_breaker) continue;
    member.breaker.enter(BreakerState::closed);
    member.breaker.half_opens.reset();
  }
  changed(now);
}

void ClusterModel::forget_finished() {
  std::erase_if(members, [&](const auto& entry) {
    const Member& member = entry.second;
    const bool finished = !member.configured && member.in_flight == 0 && member.spares_opening == 0;
    if (finished) {
      for (auto& [_, loads] : siblings) loads.erase(entry.first);
    }
    return finished;
  });
}

}  // namespace lb::testing
