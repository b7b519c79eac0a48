// Goal: the promises of rate_limiter.h, for any rate, any keys and any times.
// Method: a reference model that keeps the content of each bucket in exact fractions, next to the
// limiter; and the law itself, burst + rate x time, over every window of what was admitted.
#include <rapidcheck.h>

#include <map>
#include <numeric>
#include <vector>

#include "lbcore/rate_limiter.h"
#include "tests/testing/property.h"

namespace lb::testing {
namespace {

using namespace std::chrono_literals;
__extension__ using Wide = __int128;

struct Try {
  Duration wait{};  // Since the one before.
  HashKey key = 0;
};

std::ostream& operator<<(std::ostream& out, const Try& each) {
  return out << "+" << each.wait.count() << "ns key " << each.key;
}

rc::Gen<Duration> any_wait() {
  return rc::gen::map(
      rc::gen::tuple(
          rc::gen::inRange<std::int64_t>(0, 1000),
          rc::gen::element<std::int64_t>(0, 1, 1'000, 1'000'000, 33'333'333, 500'000'000)),
      [](const auto& pair) { return Duration{std::get<0>(pair) * std::get<1>(pair)}; });
}

rc::Gen<std::vector<Try>> any_tries(HashKey keys) {
  return rc::gen::container<std::vector<Try>>(
      rc::gen::build<Try>(rc::gen::set(&Try::wait, any_wait()),
                          rc::gen::set(&Try::key, rc::gen::inRange<HashKey>(0, keys))));
}

RateLimitConfig any_limit(std::uint32_t max_keys) {
  const double rate = *rc::gen::element(0.001, 0.5, 1.0, 3.0, 7.777, 100.0, 333.333, 1e6);
  return {.rate = rate, .burst = *rc::gen::inRange(1U, 10U), .max_keys = max_keys};
}

// A rate in thousandths of a token a second.
std::int64_t milli_rate(const RateLimitConfig& config) {
  return static_cast<std::int64_t>(config.rate * 1000 + 0.5);
}

// The content of buckets, in units of which 10^12 are a token and milli_rate come every nanosecond.
class Reference {
 public:
  explicit Reference(const RateLimitConfig& config) : config_(config) {}

  bool admit(Instant now, HashKey key) {
    Bucket& bucket = refill(now, key);
    if (bucket.content < kToken) return false;
    bucket.content -= kToken;
    return true;
  }
  void debit(Instant now, HashKey key, std::uint32_t count) {
    refill(now, key).content -= kToken * count;
  }

 private:
  static constexpr Wide kToken = 1'000'000'000'000;
  struct Bucket {
    Instant at;
    Wide content = 0;
  };

  Bucket& refill(Instant now, HashKey key) {
    const Wide full = kToken * config_.burst;
    Bucket& bucket = buckets_.try_emplace(key, Bucket{now, full}).first->second;
    const Wide gained = Wide{(now - bucket.at).count()} * milli_rate(config_);
    bucket = {now, std::min(full, bucket.content + gained)};
    return bucket;
  }

  RateLimitConfig config_;
  std::map<HashKey, Bucket> buckets_;
};

TEST(RateLimiterLaw, AdmitsWhatTheReferenceAdmits) {
  expect_property([] {
    const auto config = any_limit(50);
    RateLimiter limiter(config, *rc::gen::arbitrary<std::uint64_t>());
    Reference reference(config);
    Instant now{1h};
    for (const Try& each : *any_tries(50)) {
      now += each.wait;
      if (each.wait % 7 == 3ns) {
        const auto count = static_cast<std::uint32_t>(each.wait.count() % 5);
        limiter.debit(now, each.key, count);
        reference.debit(now, each.key, count);
      }
      const auto decision = limiter.admit(now, each.key);
      RC_ASSERT(decision.admitted == reference.admit(now, each.key));
      if (decision.admitted) continue;
      // One nanosecond before its word, the reference would refuse; at its word, admit.
      Reference early = reference, due = reference;
      RC_ASSERT(decision.retry_after > 0ns);
      RC_ASSERT(!early.admit(now + decision.retry_after - 1ns, each.key));
      RC_ASSERT(due.admit(now + decision.retry_after, each.key));
    }
  });
}

TEST(RateLimiterLaw, NoWindowHasMoreThanBurstAndRate) {
  expect_property([] {
    const auto config = any_limit(4);
    RateLimiter limiter(config, 1);
    std::map<HashKey, std::vector<Instant>> admitted;
    Instant now{1h};
    for (const Try& each : *any_tries(4)) {
      now += each.wait;
      if (limiter.admit(now, each.key).admitted) admitted[each.key].push_back(now);
    }
    for (const auto& [_, times] : admitted) {
      for (std::size_t first = 0; first < times.size(); ++first) {
        for (std::size_t last = first; last < times.size(); ++last) {
          const Wide beyond_burst = static_cast<Wide>(last - first + 1) - config.burst;
          const Wide elapsed = (times[last] - times[first]).count();
          RC_ASSERT(beyond_burst * 1'000'000'000'000 <= elapsed * milli_rate(config));
        }
      }
    }
  });
}

// With more keys than it may remember it only ever admits more, and its memory stays bounded.
TEST(RateLimiterLaw, BeyondItsMemoryItIsOnlyMoreGenerous) {
  expect_property([] {
    const auto config = any_limit(*rc::gen::inRange(1U, 40U));
    RateLimiter limiter(config, *rc::gen::arbitrary<std::uint64_t>());
    Reference reference(config);
    Instant now{1h};
    std::map<HashKey, std::uint32_t> more;
    for (const Try& each : *any_tries(100)) {
      now += each.wait;
      const bool admitted = limiter.admit(now, each.key).admitted;
      if (admitted && !reference.admit(now, each.key)) ++more[each.key];
      // Once it has admitted more than the reference, the two are about different buckets.
      RC_ASSERT(admitted || more[each.key] > 0 || !Reference(reference).admit(now, each.key));
      RC_ASSERT(limiter.size() <= config.max_keys);
      RC_ASSERT(limiter.capacity() <= 64U);
    }
    RC_ASSERT(limiter.take_spent().size() <= config.max_keys);
  });
}

TEST(RateLimiterLaw, TheSameCallsGiveTheSameAnswers) {
  expect_property([] {
    const auto config = any_limit(20);
    const auto tries = *any_tries(60);
    const auto run = [&] {
      RateLimiter limiter(config, 9);
      std::vector<std::pair<bool, Duration>> answers;
      Instant now{1h};
      for (const Try& each : tries) {
        now += each.wait;
        const auto decision = limiter.admit(now, each.key);
        answers.emplace_back(decision.admitted, decision.retry_after);
      }
      return std::pair(answers, limiter.take_spent());
    };
    RC_ASSERT(run() == run());
  });
}

// Several workers: none admits more than one limit does, counting its own requests and those that
// it was told of. So all together exceed it by no more than what they have not told yet.
TEST(RateLimiterLaw, WorkersTogetherObeyOneLimit) {
  expect_property([] {
    const auto config = any_limit(10);
    const auto count = *rc::gen::inRange<std::size_t>(2, 5);
    std::vector<RateLimiter> workers(count, RateLimiter(config, 1));
    std::vector<std::int64_t> own(count), told(count);
    const auto exchange = [&](Instant now) {
      for (std::size_t from = 0; from < count; ++from) {
        for (const auto& spent : workers[from].take_spent()) {
          for (std::size_t to = 0; to < count; ++to) {
            if (to != from) workers[to].debit(now, spent.key, spent.count);
          }
        }
      }
      told = own;
    };
    Duration elapsed{};
    for (const Try& each : *any_tries(count)) {  // The key says which worker is asked.
      elapsed += each.wait;
      const Instant now = Instant{1h} + elapsed;
      if (each.wait % 2 == 1ns) exchange(now);
      if (!workers[each.key].admit(now, 7).admitted) continue;
      ++own[each.key];
      const std::int64_t known = std::accumulate(told.begin(), told.end(), std::int64_t{0}) -
                                 told[each.key] + own[each.key];
      const Wide beyond_burst = Wide{known} - config.burst;
      RC_ASSERT(beyond_burst * 1'000'000'000'000 <= Wide{elapsed.count()} * milli_rate(config));
    }
  });
}

}  // namespace
}  // namespace lb::testing
