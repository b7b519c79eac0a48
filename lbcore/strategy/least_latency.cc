// IMPLEMENTATION  Backends are compared by the logarithm of their score, in whole numbers, where an
//   idle backend's score falls by one every nanosecond, as every other idle one's does. So the idle
//   ones keep their order while time passes, and one heap holds them by score + time; a second one
//   holds the busy ones, whose scores stand still; and the lesser of the two tops is the least of
//   all. Nothing is ever rescaled.
//
//   By latency alone, a backend that hangs would keep its good average and get everything. There
//   the time that our first unanswered request has waited counts, once it is more than the average:
//   a lower bound of the latency to come. Those rise, all by the same amount, so they have a heap
//   of their own too, the one asked last on top. A backend moves there when it is found on top of
//   the busy ones and should not be; until then its old score, too low, keeps it from being missed.
//
//   Sampling, picking and a change of load often follow each other on the same backend; the heaps
//   are put in order before the next other one is looked at.
#include "lbcore/strategy/least_latency.h"

#include <algorithm>
#include <array>

#include "lbcore/assert.h"
#include "lbcore/strategy/by_id.h"
#include "lbcore/strategy/indexed_heap.h"
#include "lbcore/strategy/log_scale.h"
#include "lbcore/strategy/turns.h"

namespace lb {
namespace {

using Stage = LatencyRecord::Stage;
using Score = std::int64_t;  // A logarithm on a LogScale.

// Beyond all scores of backends with a sample, and far enough from the ends for what is added.
constexpr Score kFirst = -(Score{1} << 62U);
constexpr Score kLast = Score{1} << 62U;
constexpr std::uint64_t kShift = std::uint64_t{1} << 63U;

Score count(Instant at) { return at.time_since_epoch().count(); }

class LeastLatency final : public Strategy {
 public:
  LeastLatency(const LatencyAverageConfig& config, Comparing comparing)
      : rule_(config), by_load_(comparing == Comparing::latency_and_load), log_(config.decay_time) {
    LB_ASSERT(config.decay_time > Duration{});
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<LeastLatency>(*this);
  }
  [[nodiscard]] bool uses_weights() const override { return by_load_; }

  void rebuild(EligibleView eligible, Instant now) override {
    turns_.rebuild(eligible);
    backends_.rebuild(eligible);
    for (const Kind kind : {Kind::idle, Kind::busy, Kind::late}) {
      heap(kind).reset(by_load_ && kind == Kind::late ? 0 : eligible.size());
    }
    for (std::size_t i = 0; i < eligible.size(); ++i) {
      backends_[i].record.set_in_flight(eligible[i].in_flight, false, now, rule_);
      backends_[i].weight = by_load_ ? log_.of_count(eligible[i].weight) : 0;
      put_in_order(i);
    }
    picked_ = out_of_order_ = kNone;
  }

  void load_changed(EligibleView eligible, std::size_t index, Instant now) override {
    touch(index);
    const bool ours = picked_ == index && picked_at_ == now;
    backends_[index].record.set_in_flight(eligible[index].in_flight, ours, now, rule_);
    picked_ = kNone;
  }

  void latency_sampled(EligibleView, std::size_t index, const LatencySample& sample) override {
    touch(index);
    Backend& backend = backends_[index];
    backend.record.sample(sample, rule_, Averaging::even);
    backend.average = log_.of(backend.record.average());
  }

  Pick pick(const PickContext& context) override {
    touch(kNone);
    const std::size_t index = least(context);
    turns_.take(index);
    picked_ = out_of_order_ = index;
    picked_at_ = context.now;
    const bool known = backends_[index].record.stage() == Stage::known;
    return {index, known ? PickReason::fastest : PickReason::unexplored};
  }

  [[nodiscard]] std::optional<double> score(const PickContext& context,
                                            std::size_t index) const override {
    const Backend& backend = backends_[index];
    if (backend.record.stage() != Stage::known) return std::nullopt;
    Score score = standing_score(backend);
    if (backend.record.in_flight() == 0) score += shrinking(backend) - count(context.now);
    if (may_be_late(backend)) score = std::max(score, waited(backend, context.now));
    return log_.value(score) / 1e6;
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  enum class Kind : std::uint8_t {
    idle,  // Or to be explored, first of all.
    busy,  // Or being explored, last of all.
    late,
  };

  struct Backend {
    LatencyRecord record;
    Kind kind = Kind::idle;  // The heap it is in.
    Score average = 0;       // Of record.average().
    Score weight = 0;
  };
  // Scores go into the heap shifted above zero, where they compare without a sign.
  struct Key {
    std::uint64_t shifted = 0;
    std::uint64_t turn = 0;
    bool operator<(const Key& other) const {
      return less_or_in_turn(shifted, turn, other.shifted, other.turn);
    }
  };
  static std::uint64_t shifted(Score score) { return static_cast<std::uint64_t>(score) + kShift; }
  static Score score_of(const Key& key) { return static_cast<Score>(key.shifted - kShift); }
  using Heap = IndexedHeap<Key>;
  [[nodiscard]] Heap& heap(Kind kind) { return heaps_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Heap& heap(Kind kind) const { return heaps_[static_cast<std::size_t>(kind)]; }

  // -- Scores

  // Of the requests there, with the one to come.
  [[nodiscard]] Score load(const Backend& backend) const {
    return log_.of_count(std::uint64_t{backend.record.in_flight()} + 1);
  }

  // Of one with a sample, but for the time that it is idle now.
  [[nodiscard]] Score standing_score(const Backend& backend) const {
    const Score average = backend.average - backend.record.idle_before().count();
    return by_load_ ? average + load(backend) - backend.weight : average;
  }
  // What an idle one's score loses is the time since then.
  [[nodiscard]] static Score shrinking(const Backend& backend) {
    return count(backend.record.idle_since());
  }

  [[nodiscard]] bool may_be_late(const Backend& backend) const {
    return !by_load_ && backend.record.stage() == Stage::known && backend.record.asked();
  }
  [[nodiscard]] Score waited(const Backend& backend, Instant now) const {
    const Duration waited = now - *backend.record.asked();
    return waited > Duration{} ? log_.of(static_cast<double>(waited.count())) : kFirst;
  }

  // -- Heaps

  // Before another one than `index` changes or is looked at.
  void touch(std::size_t index) {
    if (out_of_order_ != index && out_of_order_ != kNone) put_in_order(out_of_order_);
    out_of_order_ = index;
  }

  void put_in_order(std::size_t index) {
    const Backend& backend = backends_[index];
    const bool idle = backend.record.in_flight() == 0;
    switch (backend.record.stage()) {
      case Stage::untried: return put(Kind::idle, index, kFirst + backend.record.in_flight());
      case Stage::tried: return put(Kind::busy, index, kLast + load(backend) - backend.weight);
      case Stage::known: break;
    }
    if (idle) return put(Kind::idle, index, standing_score(backend) + shrinking(backend));
    put(Kind::busy, index, standing_score(backend));
  }
  void put_late(std::size_t index) {
    put(Kind::late, index, -count(*backends_[index].record.asked()));
  }

  void put(Kind kind, std::size_t index, Score score) {
    Kind& old = backends_[index].kind;
    if (old != kind) heap(old).erase(index);
    old = kind;
    heap(kind).put(index, {shifted(score), turns_.of(index)});
  }

  // -- The least of the three tops

  struct Candidate {
    Key key;
    std::size_t index = kNone;
  };
  static Candidate lesser(const Candidate& a, const Candidate& b) {
    if (a.index == kNone || b.index == kNone) return a.index == kNone ? b : a;
    return b.key < a.key ? b : a;
  }

  [[nodiscard]] std::size_t least(const PickContext& context) {
    Candidate best = lesser(least_idle(context), least_late(context));
    for (;;) {
      const Heap::Node* const busy = heap(Kind::busy).least_open(context.open);
      if (busy == nullptr || (best.index != kNone && best.key < busy->key)) break;
      const std::size_t index = busy->index;
      const Backend& backend = backends_[index];
      const Score known = score_of(busy->key);
      if (!may_be_late(backend) || waited(backend, context.now) <= known) return index;
      put_late(index);
      best = lesser(best, least_late(context));
    }
    LB_ASSERT(best.index != kNone);
    return best.index;
  }

  [[nodiscard]] Candidate least_idle(const PickContext& context) const {
    const Heap::Node* const node = heap(Kind::idle).least_open(context.open);
    if (node == nullptr) return {};
    const Score score = score_of(node->key) - count(context.now);
    return {{shifted(score), node->key.turn}, node->index};
  }

  [[nodiscard]] Candidate least_late(const PickContext& context) const {
    const Heap::Node* const node = heap(Kind::late).least_open(context.open);
    if (node == nullptr) return {};
    const Score score = waited(backends_[node->index], context.now);
    return {{shifted(score), node->key.turn}, node->index};
  }

  LatencyRule rule_;
  bool by_load_;
  LogScale log_;
  ById<Backend> backends_;
  Turns turns_;
  std::array<Heap, 3> heaps_;
  std::size_t picked_ = kNone;  // The last pick, if no load has changed since.
  Instant picked_at_;
  std::size_t out_of_order_ = kNone;  // Whose key in the heaps is an old one.
};

}  // namespace

std::unique_ptr<Strategy> make_least_latency(const LatencyAverageConfig& config,
                                             Comparing comparing) {
  return std::make_unique<LeastLatency>(config, comparing);
}

}  // namespace lb
