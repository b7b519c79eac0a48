#include "lbcore/rate_limiter.h"

#include <algorithm>
#include <utility>

#include "lbcore/assert.h"

namespace lb {
namespace {

constexpr std::size_t kSlotsMin = 64;
// With a fifth of the table free, linear probing meets 13 slots on average before it knows that a
// key is new (Knuth, vol. 3, 6.4): a few cache lines next to each other.
constexpr std::size_t kLoadPercentMax = 80;
constexpr int kLooksMax = 32;  // Before one is forgotten: enough to find one that is nearly full.
// No bucket is further from full than a hundred years, so that instants cannot overflow.
constexpr std::int64_t kDebtMax = std::int64_t{100} * 365 * 24 * 3600 * 1'000'000'000;

}  // namespace

RateLimiter::RateLimiter(const RateLimitConfig& config, std::uint64_t seed, Siblings siblings)
    : config_(config),
      seed_(seed),
      siblings_(siblings),
      milli_rate_(static_cast<std::uint32_t>(config.rate * 1000 + 0.5)),
      slots_(kSlotsMin) {
  LB_ASSERT(milli_rate_ > 0 && config.burst > 0 && config.max_keys > 0);
  token_time_ = time_for(1);
  burst_time_ = time_for(config.burst - 1);
}

// 1e12 / milli_rate_ nanoseconds for each.
RateLimiter::Exact RateLimiter::time_for(std::uint64_t tokens) const {
  __extension__ using Wide = unsigned __int128;
  const Wide scaled = Wide{tokens} * 1'000'000'000'000ULL;
  const Wide whole = std::min<Wide>(scaled / milli_rate_, kDebtMax);
  return {static_cast<std::int64_t>(whole), static_cast<std::uint32_t>(scaled % milli_rate_)};
}

RateLimiter::Exact RateLimiter::plus(Exact at, Exact length) const {
  const std::uint64_t fraction = std::uint64_t{at.fraction} + length.fraction;
  const bool carry = fraction >= milli_rate_;
  return {at.whole + length.whole + carry,
          static_cast<std::uint32_t>(carry ? fraction - milli_rate_ : fraction)};
}

RateLimiter::Exact RateLimiter::minus(Exact at, Exact length) const {
  const bool borrow = at.fraction < length.fraction;
  const std::uint64_t fraction = at.fraction + (borrow ? std::uint64_t{milli_rate_} : 0);
  return {at.whole - length.whole - borrow, static_cast<std::uint32_t>(fraction - length.fraction)};
}

RateLimiter::Decision RateLimiter::admit(Instant now, HashKey key) {
  const Exact present{now.time_since_epoch().count(), 0};
  const std::size_t position = position_of(key);
  const bool known = !slots_[position].is_free();
  const Exact full_at = known ? std::max(slots_[position].full_at(), present) : present;
  const Exact admitted_at = minus(full_at, burst_time_);
  if (admitted_at > present) {
    const Duration wait{admitted_at.whole - present.whole + (admitted_at.fraction > 0)};
    return {false, wait};
  }
  Slot& slot = known ? slots_[position] : find_or_insert(now, key);
  slot.set_full_at(plus(full_at, token_time_));
  if (siblings_ == Siblings::some) note_spent(slot);
  return {true, Duration{}};
}

void RateLimiter::note_spent(Slot& slot) {
  if (slot.spent < spent_.size() && spent_[slot.spent].key == slot.key) {
    ++spent_[slot.spent].count;
  } else if (spent_.size() < config_.max_keys) {
    slot.spent = static_cast<std::uint32_t>(spent_.size());
    spent_.push_back({slot.key, 1});
  }
}

std::vector<RateLimiter::Spent> RateLimiter::take_spent() { return std::exchange(spent_, {}); }

void RateLimiter::debit(Instant now, HashKey key, std::uint32_t count) {
  const Exact present{now.time_since_epoch().count(), 0};
  Slot& slot = find_or_insert(now, key);
  Exact full_at = plus(std::max(slot.full_at(), present), time_for(count));
  full_at.whole = std::min(full_at.whole, present.whole + kDebtMax);
  slot.set_full_at(full_at);
}

// -- The table

std::size_t RateLimiter::home_of(HashKey key) const {
  return static_cast<std::size_t>(mix(key ^ seed_)) & (slots_.size() - 1);
}

// Where the key is, or the free slot it would go to.
std::size_t RateLimiter::position_of(HashKey key) const {
  std::size_t position = home_of(key);
  while (!slots_[position].is_free() && slots_[position].key != key) {
    position = (position + 1) & (slots_.size() - 1);
  }
  return position;
}

RateLimiter::Slot& RateLimiter::find_or_insert(Instant now, HashKey key) {
  std::size_t position = position_of(key);
  if (!slots_[position].is_free()) return slots_[position];
  if (size_ == config_.max_keys) {
    forget_one(now);
    position = position_of(key);
  } else if ((size_ + 1) * 100 > slots_.size() * kLoadPercentMax) {
    grow();
    position = position_of(key);
  }
  ++size_;
  slots_[position] = Slot{key, now.time_since_epoch().count(), 0, ~std::uint32_t{0}};
  return slots_[position];
}

void RateLimiter::grow() {
  const std::vector<Slot> last = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : last) {
    if (!slot.is_free()) slots_[position_of(slot.key)] = slot;
  }
}

// REQUIRES: it remembers at least one.
void RateLimiter::forget_one(Instant now) {
  const Exact present{now.time_since_epoch().count(), 0};
  std::size_t best = slots_.size();
  for (int looks = 0; looks < kLooksMax && looks < static_cast<int>(size_);) {
    hand_ = (hand_ + 1) & (slots_.size() - 1);
    if (slots_[hand_].is_free()) continue;
    ++looks;
    const Exact full_at = slots_[hand_].full_at();
    if (best == slots_.size() || full_at < slots_[best].full_at()) best = hand_;
    if (full_at <= present) break;
  }
  erase(best);
}

// Closes the gap, so that a search may stop at the first free slot.
void RateLimiter::erase(std::size_t position) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t gap = position;
  for (std::size_t next = (gap + 1) & mask; !slots_[next].is_free(); next = (next + 1) & mask) {
    // It may move into the gap unless its home lies behind the gap.
    const std::size_t distance = (next - home_of(slots_[next].key)) & mask;
    if (distance < ((next - gap) & mask)) continue;
    slots_[gap] = slots_[next];
    gap = next;
  }
  slots_[gap] = Slot{};
  --size_;
}

}  // namespace lb
