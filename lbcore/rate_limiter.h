// RateLimiter: how many requests each client, or whatever else a key is made from, may send.
//
// DESCRIPTION  One token bucket for each key: it holds up to `burst` tokens, a request takes one,
//   and `rate` of them come back in a second. Kept as virtual scheduling (ITU-T I.371, "GCRA"): of
//   each key only the instant at which its bucket will be full again is stored, so nothing has to
//   be refilled. Integers throughout.
// GUARANTEES   As long as a key is remembered: in any span of time t it is admitted at most
//   burst + rate x t times, exactly; and whenever its bucket holds a whole token. A refusal costs
//   nothing. The same calls give the same answers, and `seed` only decides where entries lie.
//   Cost: O(1). Allocates only while it grows to `max_keys` entries of 24 bytes, in a table that is
//   filled to between two fifths and four fifths then.
// MEMORY       When `max_keys` are known and another comes, one is forgotten, which is to say its
//   bucket is full again: of the next 32 entries in turn the first whose bucket is full, which
//   loses nothing; else the one closest to full.
// AN ATTACKER  with many addresses gets what each of them is entitled to, and no limit by address
//   can prevent that. By using more than `max_keys` of them he makes the limiter forget those that
//   sent least, so he gains at most a few tokens for a key that had spent a few. A key that spent
//   much is forgotten only when the 31 next to it spent more: neither can he reset one of his own
//   that way for less than it costs, nor does anyone else get a smaller share than without him.
//   Whoever can choose the text that keys are made from (a header, a cookie) can also choose two
//   with the same hash, and share a bucket with somebody; and can be somebody new each time. Limit
//   by address, or by what has been authenticated.
// SEVERAL      workers keep a limiter each and tell the others what they let pass (take_spent,
//   debit). A bucket may go below empty by that: together they admit at most
//   burst + rate x t, and what the others admitted since they last told.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "lbcore/hash.h"
#include "lbcore/request_attributes.h"
#include "lbcore/time.h"

namespace lb {

struct RateLimitConfig {
  static constexpr double kRateMin = 0.001;
  static constexpr double kRateMax = 1'000'000;
  static constexpr std::uint32_t kBurstMax = 1'000'000;
  static constexpr std::uint32_t kKeysMax = 10'000'000;

  KeyExpression key;
  double rate = 0;  // Requests a second; taken to the nearest thousandth.
  // Requests at once, of a key that has been quiet: a browser opens a page with dozens.
  std::uint32_t burst = 1;
  // Known at the same time, in each worker: 100'000 are 3 MB.
  std::uint32_t max_keys = 100'000;
  bool operator==(const RateLimitConfig&) const = default;
};

class RateLimiter {
 public:
  struct Decision {
    bool admitted = false;
    Duration retry_after{};  // Until one would be, if no other came before; 0 when admitted.
  };
  // Whether anybody is to be told what was spent.
  enum class Siblings : std::uint8_t { none, some };
  struct Spent {
    HashKey key = 0;
    std::uint32_t count = 0;
    bool operator==(const Spent&) const = default;
  };

  // REQUIRES: the bounds of the config; max_keys > 0.
  RateLimiter(const RateLimitConfig& config, std::uint64_t seed,
              Siblings siblings = Siblings::some);

  [[nodiscard]] Decision admit(Instant now, HashKey key);

  // What was admitted since the last call, in the order keys first came; of more than `max_keys`
  // different ones, the first. Nothing without siblings.
  [[nodiscard]] std::vector<Spent> take_spent();

  // A sibling admitted `count` requests of `key`.
  void debit(Instant now, HashKey key, std::uint32_t count);

  [[nodiscard]] std::size_t size() const { return size_; }              // Keys it remembers.
  [[nodiscard]] std::size_t capacity() const { return slots_.size(); }  // Of the table.
  [[nodiscard]] const RateLimitConfig& config() const { return config_; }

 private:
  // A point or a length of time, exactly: nanoseconds, and a fraction of one in units of
  // 1 / milli_rate_, in which the time between two tokens has no remainder.
  struct Exact {
    std::int64_t whole = 0;
    std::uint32_t fraction = 0;  // Below milli_rate_.
    auto operator<=>(const Exact&) const = default;
  };
  static constexpr std::int64_t kFree = std::numeric_limits<std::int64_t>::min();
  struct Slot {
    HashKey key = 0;
    std::int64_t full_at_whole = kFree;  // When its bucket is full, if nothing more is taken.
    std::uint32_t full_at_fraction = 0;
    std::uint32_t spent = 0;  // Where in spent_ it is counted, if that is of the same key.

    [[nodiscard]] bool is_free() const { return full_at_whole == kFree; }
    [[nodiscard]] Exact full_at() const { return {full_at_whole, full_at_fraction}; }
    void set_full_at(Exact at) { full_at_whole = at.whole, full_at_fraction = at.fraction; }
  };

  [[nodiscard]] Exact time_for(std::uint64_t tokens) const;
  [[nodiscard]] Exact plus(Exact at, Exact length) const;
  [[nodiscard]] Exact minus(Exact at, Exact length) const;

  [[nodiscard]] std::size_t home_of(HashKey key) const;
  [[nodiscard]] Slot& find_or_insert(Instant now, HashKey key);
  [[nodiscard]] std::size_t position_of(HashKey key) const;
  void grow();
  void forget_one(Instant now);
  void erase(std::size_t position);
  void note_spent(Slot& slot);

  RateLimitConfig config_;
  std::uint64_t seed_;
  Siblings siblings_;
  std::uint32_t milli_rate_;
  Exact token_time_;         // Between two tokens.
  Exact burst_time_;         // How far ahead full_at may be for one more to be admitted.
  std::vector<Slot> slots_;  // Open addressing, linear probing; a power of two.
  std::size_t size_ = 0;
  std::size_t hand_ = 0;  // Where the search for one to forget goes on.
  std::vector<Spent> spent_;
};

}  // namespace lb
