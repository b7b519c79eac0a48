// Hashing: how even the shares of keys are, and how many move when a backend leaves. On the
// strategies themselves: nothing here takes time. A seed means other backends and other keys.
#include <algorithm>
#include <numeric>

#include "lbcore/strategy/maglev.h"
#include "lbcore/strategy/ring_hash.h"
#include "tests/testing/backends.h"
#include "tests/validation/law.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "Hashing";

std::vector<BackendView> backends(std::uint64_t seed, std::uint32_t count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), static_cast<std::uint32_t>(seed) * 10'000);
  return testing::with_ids(ids);
}

std::vector<HashKey> keys(std::uint64_t seed, int count) {
  Prng prng{seed};
  std::vector<HashKey> keys;
  for (int n = 0; n < count; ++n) keys.push_back(prng.next());
  return keys;
}

// Who owns each key, by id.
std::vector<std::uint32_t> owners(const StrategyConfig& config, std::vector<BackendView> views,
                                  const std::vector<HashKey>& keys) {
  testing::StrategyAtWork strategy{config, std::move(views)};
  std::vector<std::uint32_t> owners;
  for (const HashKey key : keys) {
    owners.push_back(strategy.eligible()[strategy.pick(key).index].id.value);
  }
  return owners;
}

// The squared coefficient of variation of the shares of `count` backends.
double unevenness(const std::vector<std::uint32_t>& owners, std::uint64_t seed,
                  std::uint32_t count) {
  std::vector<double> shares(count);
  for (const std::uint32_t owner : owners) {
    shares[owner - seed * 10'000] += count / static_cast<double>(owners.size());
  }
  double sum = 0;
  for (const double share : shares) sum += (share - 1) * (share - 1) / count;
  return sum;
}

// Arcs between v n random points, v for each backend: their shares are Dirichlet(v, …, v), with
// a squared coefficient of variation of (n - 1) / (n v + 1). Counting them with k keys adds
// (n - 1) / k, nearly. Of two hundred backends and twenty rings it is known within 2.2 %.
void add_ring_evenness(std::vector<Law>& laws) {
  constexpr std::uint32_t kBackends = 200;
  constexpr int kKeys = 200'000;
  const double arcs = (kBackends - 1) / (kBackends * 160.0 + 1);
  laws.push_back({kSection, "ring_hash, 200 backends, 160 nodes each",
                  "unevenness: variance of shares / mean^2",
                  "(n - 1) / (n v + 1) for random arcs, (n - 1) / k for k keys",
                  arcs + (kBackends - 1 - arcs) / kKeys, 0.12, 0, [](std::uint64_t seed) {
                    return unevenness(
                        owners(RingHashConfig{}, backends(seed, kBackends), keys(seed, kKeys)),
                        seed, kBackends);
                  }});
}

struct Moved {
  double own = 0;     // Keys of the one that left, as a share of all keys.
  double others = 0;  // Of others.
};

Moved moved(const StrategyConfig& config, std::uint64_t seed, std::uint32_t count) {
  const std::vector<HashKey> all = keys(seed, 100'000);
  std::vector<BackendView> views = backends(seed, count);
  const std::vector<std::uint32_t> before = owners(config, views, all);
  const std::uint32_t leaver = views[count / 2].id.value;
  views.erase(views.begin() + count / 2);
  const std::vector<std::uint32_t> after = owners(config, views, all);
  Moved moved;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (before[i] == after[i]) continue;
    (before[i] == leaver ? moved.own : moved.others) += 1 / static_cast<double>(all.size());
  }
  return moved;
}

void add_moves(std::vector<Law>& laws) {
  laws.push_back({kSection, "ring_hash, one of 10 leaves", "share of others' keys that move",
                  "none; Karger et al. 1997", 0, 0, 0,
                  [](std::uint64_t seed) { return moved(RingHashConfig{}, seed, 10).others; }});
  laws.push_back({kSection, "ring_hash, one of 10 leaves", "share of keys that move",
                  "1/n; Karger et al. 1997", 0.1, 0.12, 0,
                  [](std::uint64_t seed) { return moved(RingHashConfig{}, seed, 10).own; }});
  laws.push_back({kSection, "maglev, one of 10 leaves", "share of its own keys, all of which move",
                  "1/n within 1 % of it; Eisenbud et al. 2016", 0.1, 0.02, 0.01,
                  [](std::uint64_t seed) { return moved(MaglevConfig{}, seed, 10).own; }});
}

// A table of M entries, a prime: with n equal backends each has floor(M/n) of them or one more.
void add_maglev_evenness(std::vector<Law>& laws) {
  laws.push_back({kSection, "maglev, 500 backends, 65537 entries",
                  "most entries of one, less the fewest", "one; Eisenbud et al. 2016", 1, 0, 0,
                  [](std::uint64_t seed) {
                    Prng prng{seed};
                    std::vector<MaglevClaim> claims(500);
                    for (MaglevClaim& claim : claims) {
                      claim.offset = static_cast<std::uint32_t>(prng.below(65'537));
                      claim.skip = static_cast<std::uint32_t>(1 + prng.below(65'536));
                    }
                    std::vector<int> entries(claims.size());
                    for (const std::uint32_t owner : maglev_table(claims, 65'537)) ++entries[owner];
                    const auto [fewest, most] = std::minmax_element(entries.begin(), entries.end());
                    return *most - *fewest;
                  }});
}

}  // namespace

std::vector<Law> hashing_laws() {
  std::vector<Law> laws;
  add_ring_evenness(laws);
  add_moves(laws);
  add_maglev_evenness(laws);
  return laws;
}

// Envoy's documentation of Maglev: about twice the keys of the one that left move in all.
std::vector<Claim> hashing_claims() {
  const Measure own_over_others = [](std::uint64_t seed) {
    const Moved keys = moved(MaglevConfig{}, seed, 100);
    return keys.own / keys.others;
  };
  return {{kSection, "maglev, one of 100 leaves: fewer keys of others move than its own",
           "Eisenbud et al. 2016; Envoy says about as many", "its own / others'", 1,
           own_over_others}};
}

}  // namespace lb::validation
