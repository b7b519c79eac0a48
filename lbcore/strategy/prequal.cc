// IMPLEMENTATION  The pool is small and unsorted: every pick walks it, throws out what is too old,
//   and ranks the rest. Of the recent loads a sorted copy is kept, so a quantile is one look.
#include "lbcore/strategy/prequal.h"

#include <algorithm>
#include <array>
#include <span>

#include "lbcore/assert.h"
#include "lbcore/strategy/by_id.h"

namespace lb {
namespace {

constexpr std::size_t kNone = ~std::size_t{0};

// Turns a rate that may be a fraction into whole numbers that add up to it.
class WholeSteps {
 public:
  std::uint32_t next(double rate) {
    owed_ += rate;
    const auto whole = static_cast<std::uint32_t>(owed_);
    owed_ -= whole;
    return whole;
  }

 private:
  double owed_ = 0;
};

// The requests in flight that the last answers told of, of whichever backend.
class RecentLoads {
 public:
  void add(std::uint32_t in_flight) {
    // What comes first is what leaves: the oldest value, or a free place behind the others.
    auto hole = sorted_.begin() + count_;
    if (count_ == kSize) {
      hole = std::lower_bound(sorted_.begin(), sorted_.end(), told_[next_]);
    } else {
      ++count_;
    }
    for (; hole + 1 < sorted_.begin() + count_ && *(hole + 1) < in_flight; ++hole) {
      *hole = *(hole + 1);
    }
    for (; hole > sorted_.begin() && *(hole - 1) > in_flight; --hole) *hole = *(hole - 1);
    *hole = in_flight;
    told_[next_] = in_flight;
    next_ = (next_ + 1) % kSize;
  }

  // The least that this share of them does not exceed. 0 when there are none.
  [[nodiscard]] std::uint32_t quantile(double share) const {
    if (count_ == 0) return 0;
    const double place = share * count_;
    auto rank = static_cast<std::uint32_t>(place);
    if (rank < place) ++rank;
    return sorted_[std::clamp(rank, 1U, count_) - 1];
  }

 private:
  static constexpr std::uint32_t kSize = 64;  // Four full pools.

  std::array<std::uint32_t, kSize> told_{};    // In the order of time, going round.
  std::array<std::uint32_t, kSize> sorted_{};  // The first count_.
  std::uint32_t next_ = 0;
  std::uint32_t count_ = 0;
};

class Prequal final : public Strategy {
 public:
  explicit Prequal(const PrequalConfig& config) : config_(config) {
    LB_ASSERT(config.probe_rate >= 0 && config.probe_rate <= config.kProbeRateMax);
    LB_ASSERT(config.remove_rate >= 0 && config.remove_rate <= config.kProbeRateMax);
    LB_ASSERT(config.reuse_max >= 1);
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<Prequal>(*this);
  }
  [[nodiscard]] bool uses_weights() const override { return false; }

  void rebuild(EligibleView eligible, Instant now) override;
  void latency_sampled(EligibleView eligible, std::size_t index,
                       const LatencySample& sample) override;
  void load_reported(EligibleView eligible, std::size_t index, const LoadReport& report,
                     Instant now) override;
  Pick pick(const PickContext& context) override;
  [[nodiscard]] bool asks_load() const override { return true; }
  std::optional<std::size_t> poll_load_probe() override;
  [[nodiscard]] std::optional<double> score(const PickContext& context,
                                            std::size_t index) const override;

 private:
  enum class Heat : std::uint8_t { cold, hot, failing };

  // The order of picking, less is better, in one number: a walk over the pool compares without
  // branches that nobody could guess. From the top:
  //    2 bits  heat
  //   62 bits  latency of a cold one, requests in flight of others
  //   40 bits  the other way round, in so far as it fits
  //   24 bits  how recent it is
  __extension__ using Rank = unsigned __int128;
  static constexpr Duration kLatencyMax{(std::int64_t{1} << 62U) - 1};
  static Heat heat_of(Rank rank) { return static_cast<Heat>(rank >> 126U); }
  static std::uint64_t value_of(Rank rank) {
    return static_cast<std::uint64_t>(rank >> 64U) &
           static_cast<std::uint64_t>(kLatencyMax.count());
  }

  struct Answer {
    std::uint32_t index = 0;
    BackendId id;
    std::uint32_t in_flight = 0;  // As told, and one for each pick since.
    std::uint32_t uses_left = 0;
    Duration latency{};
    Instant at;
    std::uint64_t serial = 0;  // Later answers have a higher one.
    Rank rank = 0;             // Of use during a pick.
  };
  struct Failures {
    std::uint32_t in_a_row = 0;
    Instant last;
  };

  [[nodiscard]] std::span<Answer> pool() { return {pool_.data(), pool_count_}; }
  [[nodiscard]] const Answer* answer_of(std::size_t index) const;
  [[nodiscard]] bool too_old(const Answer& answer, Instant now) const;
  [[nodiscard]] bool failing(std::size_t index, Instant now) const;
  [[nodiscard]] Rank rank_of(const PickContext& context, const Answer& answer,
                             std::uint32_t limit) const;

  [[nodiscard]] Answer& place_for(std::size_t index);
  [[nodiscard]] Answer& oldest();
  [[nodiscard]] Answer& worst();
  void forget(Answer& answer);
  void rank_pool(const PickContext& context, std::uint32_t limit);
  [[nodiscard]] Answer* best_open(const OpenSet& open);
  [[nodiscard]] std::size_t draw(const PickContext& context) const;
  void use(Answer& answer, const PickContext& context, std::uint32_t limit);
  void forget_surplus(std::size_t backend_count);
  void choose_probes(const PickContext& context);

  PrequalConfig config_;
  ById<Failures> failures_;
  std::size_t suspects_ = 0;  // Backends with kFailuresInARow and more; nearly always none.

  std::array<Answer, PrequalConfig::kPoolSize> pool_{};
  std::size_t pool_count_ = 0;
  std::uint64_t serial_ = 0;
  RecentLoads recent_;
  double uses_ = 1;  // Of one answer.
  WholeSteps use_steps_;
  WholeSteps remove_steps_;
  bool remove_oldest_ = false;  // Next; otherwise the worst.

  // To be polled, from the end. One place more, for a carried fraction that rounds up.
  std::array<std::size_t, PrequalConfig::kProbeRateMax + 1> probes_{};
  std::size_t probe_count_ = 0;
  std::size_t last_probed_ = kNone;
  WholeSteps probe_steps_;
};

// ---------------------------------------------------------------------------------------------
// What it is told

void Prequal::rebuild(EligibleView eligible, Instant) {
  failures_.rebuild(eligible);
  suspects_ = 0;
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    if (failures_[i].in_a_row >= config_.kFailuresInARow) ++suspects_;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(eligible.size(), 1));
  const double kept = (1 - config_.kPoolSize / count) * config_.probe_rate - config_.remove_rate;
  // At zero and below the pool does not fill by itself: every answer is worth keeping.
  uses_ = config_.reuse_max;
  if (kept > 0) uses_ = std::min(uses_, std::max(1.0, 2 / kept));

  std::size_t stay = 0;
  for (Answer answer : pool()) {
    const auto view =
        std::lower_bound(eligible.begin(), eligible.end(), answer.id,
                         [](const BackendView& v, BackendId id) { return v.id < id; });
    if (view == eligible.end() || view->id != answer.id) continue;
    answer.index = static_cast<std::uint32_t>(view - eligible.begin());
    pool_[stay++] = answer;
  }
  pool_count_ = stay;
  probe_count_ = 0;
  last_probed_ = kNone;
}

void Prequal::latency_sampled(EligibleView, std::size_t index, const LatencySample& sample) {
  Failures& failures = failures_[index];
  if (!sample.failed) {
    if (failures.in_a_row >= config_.kFailuresInARow) --suspects_;
    failures.in_a_row = 0;
    return;
  }
  failures.last = sample.at;
  if (++failures.in_a_row == config_.kFailuresInARow) ++suspects_;
}

void Prequal::load_reported(EligibleView eligible, std::size_t index, const LoadReport& report,
                            Instant now) {
  recent_.add(report.in_flight);
  place_for(index) = {static_cast<std::uint32_t>(index),
                      eligible[index].id,
                      report.in_flight,
                      use_steps_.next(uses_),
                      std::clamp(report.latency, Duration{}, kLatencyMax),
                      now,
                      ++serial_,
                      {}};
}

// ---------------------------------------------------------------------------------------------
// The pick

Pick Prequal::pick(const PickContext& context) {
  const std::uint32_t limit = recent_.quantile(config_.rif_quantile);
  rank_pool(context, limit);
  Pick pick{0, PickReason::drawn};
  Answer* const best = pool_count_ < config_.kPoolMin ? nullptr : best_open(context.open);
  if (best == nullptr) {
    pick.index = draw(context);
  } else {
    const bool cold = heat_of(best->rank) == Heat::cold;
    pick = {best->index, cold ? PickReason::fastest : PickReason::least_loaded};
    use(*best, context, limit);
  }
  forget_surplus(context.eligible.size());
  choose_probes(context);
  return pick;
}

void Prequal::rank_pool(const PickContext& context, std::uint32_t limit) {
  for (std::size_t place = 0; place < pool_count_;) {
    Answer& answer = pool_[place];
    if (too_old(answer, context.now)) {
      forget(answer);
      continue;
    }
    answer.rank = rank_of(context, answer, limit);
    ++place;
  }
}

Prequal::Rank Prequal::rank_of(const PickContext& context, const Answer& answer,
                               std::uint32_t limit) const {
  constexpr std::uint64_t kSecondMax = (std::uint64_t{1} << 40U) - 1;
  constexpr std::uint64_t kRecentMax = (std::uint64_t{1} << 24U) - 1;
  const std::uint64_t in_flight =
      std::max(answer.in_flight, context.eligible[answer.index].in_flight);
  const auto latency = static_cast<std::uint64_t>(answer.latency.count());
  const Heat heat = failing(answer.index, context.now) ? Heat::failing
                    : in_flight > limit                ? Heat::hot
                                                       : Heat::cold;
  const std::uint64_t first = heat == Heat::cold ? latency : in_flight;
  const std::uint64_t second = heat == Heat::cold ? in_flight : latency;
  const std::uint64_t recent = kRecentMax - std::min(serial_ - answer.serial, kRecentMax);
  const std::uint64_t high = static_cast<std::uint64_t>(heat) << 62U | first;
  const std::uint64_t low = std::min(second, kSecondMax) << 24U | recent;
  return Rank{high} << 64U | low;
}

Prequal::Answer* Prequal::best_open(const OpenSet& open) {
  std::size_t best = kNone;
  Rank least = ~Rank{0};
  for (std::size_t place = 0; place < pool_count_; ++place) {
    const Rank rank = open.contains(pool_[place].index) ? pool_[place].rank : ~Rank{0};
    best = rank < least ? place : best;
    least = rank < least ? rank : least;
  }
  return best == kNone ? nullptr : &pool_[best];
}

bool Prequal::failing(std::size_t index, Instant now) const {
  if (suspects_ == 0) return false;
  const Failures& failures = failures_[index];
  return failures.in_a_row >= config_.kFailuresInARow && now - failures.last < config_.failing_time;
}

std::size_t Prequal::draw(const PickContext& context) const {
  constexpr int kRedrawsMax = 8;
  const auto fits = [&](std::size_t index) {
    return context.open.contains(index) && !failing(index, context.now);
  };
  std::size_t index = context.prng.below(context.eligible.size());
  for (int n = 0; n < kRedrawsMax && !fits(index); ++n) {
    index = context.prng.below(context.eligible.size());
  }
  return context.open.next(index);
}

// ---------------------------------------------------------------------------------------------
// The pool

bool Prequal::too_old(const Answer& answer, Instant now) const {
  return now - answer.at > config_.probe_max_age;
}

const Prequal::Answer* Prequal::answer_of(std::size_t index) const {
  for (std::size_t place = 0; place < pool_count_; ++place) {
    if (pool_[place].index == index) return &pool_[place];
  }
  return nullptr;
}

// Where the answer of this backend goes: the place of its last one, a free one, or the oldest's.
Prequal::Answer& Prequal::place_for(std::size_t index) {
  for (Answer& answer : pool()) {
    if (answer.index == index) return answer;
  }
  return pool_count_ < pool_.size() ? pool_[pool_count_++] : oldest();
}

Prequal::Answer& Prequal::oldest() {
  std::size_t oldest = 0;
  std::uint64_t least = pool_[0].serial;
  for (std::size_t place = 1; place < pool_count_; ++place) {
    const std::uint64_t serial = pool_[place].serial;
    oldest = serial < least ? place : oldest;
    least = serial < least ? serial : least;
  }
  return pool_[oldest];
}

Prequal::Answer& Prequal::worst() {
  std::size_t worst = 0;
  Rank most = pool_[0].rank;
  for (std::size_t place = 1; place < pool_count_; ++place) {
    const Rank rank = pool_[place].rank;
    worst = most < rank ? place : worst;
    most = most < rank ? rank : most;
  }
  return pool_[worst];
}

void Prequal::forget(Answer& answer) { answer = pool_[--pool_count_]; }

void Prequal::use(Answer& answer, const PickContext& context, std::uint32_t limit) {
  if (--answer.uses_left == 0) return forget(answer);
  ++answer.in_flight;
  answer.rank = rank_of(context, answer, limit);
}

void Prequal::forget_surplus(std::size_t backend_count) {
  if (backend_count <= config_.kPoolSize) return;
  for (std::uint32_t n = remove_steps_.next(config_.remove_rate); n > 0; --n) {
    if (pool_count_ <= config_.kPoolMin) return;
    forget(remove_oldest_ ? oldest() : worst());
    remove_oldest_ = !remove_oldest_;
  }
}

// ---------------------------------------------------------------------------------------------
// Probes

// Uniformly, but never the same twice in a row: it could not say anything new.
void Prequal::choose_probes(const PickContext& context) {
  const std::size_t count = context.eligible.size();
  probe_count_ = probe_steps_.next(config_.probe_rate);
  for (std::size_t n = probe_count_; n > 0; --n) {
    std::size_t index = context.prng.below(last_probed_ == kNone ? count : count - 1);
    if (last_probed_ != kNone && index >= last_probed_) ++index;
    probes_[n - 1] = last_probed_ = index;
  }
}

std::optional<std::size_t> Prequal::poll_load_probe() {
  if (probe_count_ == 0) return std::nullopt;
  return probes_[--probe_count_];
}

// ---------------------------------------------------------------------------------------------
// Explanations

std::optional<double> Prequal::score(const PickContext& context, std::size_t index) const {
  constexpr double kStep = 1e9;
  const Answer* const answer = answer_of(index);
  if (answer == nullptr || too_old(*answer, context.now)) return std::nullopt;
  const Rank rank = rank_of(context, *answer, recent_.quantile(config_.rif_quantile));
  const auto value = static_cast<double>(value_of(rank));
  switch (heat_of(rank)) {
    case Heat::cold: return value / 1e6;
    case Heat::hot: return kStep + value;
    case Heat::failing: return 2 * kStep + value;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Strategy> make_strategy(const PrequalConfig& config) {
  return std::make_unique<Prequal>(config);
}

}  // namespace lb
