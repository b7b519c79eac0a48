#include "lbcore/strategy/peak_ewma.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "lbcore/assert.h"
#include "lbcore/strategy/by_id.h"
#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

using Stage = LatencyRecord::Stage;

class PeakEwma final : public Strategy {
 public:
  explicit PeakEwma(const PeakEwmaConfig& config)
      : choice_count_(config.choice_count), rule_(config.average) {
    LB_ASSERT(config.choice_count >= 1 && config.choice_count <= config.kChoiceCountMax);
    LB_ASSERT(config.average.decay_time > Duration{});
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<PeakEwma>(*this);
  }

  void rebuild(EligibleView eligible, Instant now) override {
    by_weight_.rebuild(eligible);
    records_.rebuild(eligible);
    for (std::size_t i = 0; i < eligible.size(); ++i) {
      records_[i].set_in_flight(eligible[i].in_flight, false, now, rule_);
    }
    picked_ = kNone;
  }

  void load_changed(EligibleView eligible, std::size_t index, Instant now) override {
    const bool ours = picked_ == index && picked_at_ == now;
    records_[index].set_in_flight(eligible[index].in_flight, ours, now, rule_);
    picked_ = kNone;
  }

  void latency_sampled(EligibleView, std::size_t index, const LatencySample& sample) override {
    records_[index].sample(sample, rule_, Averaging::peak_sensitive);
  }

  Pick pick(const PickContext& context) override {
    const std::size_t choices = std::min<std::size_t>(choice_count_, context.open.count());
    std::array<std::size_t, PeakEwmaConfig::kChoiceCountMax> drawn{};
    Cost least;
    for (std::size_t n = 0; n < choices; ++n) {
      drawn[n] = draw_another({drawn.data(), n}, context);
      const Cost cost = cost_of(context, drawn[n]);
      if (n > 0 && !(cost < least)) continue;
      least = cost;
      picked_ = drawn[n];
    }
    picked_at_ = context.now;
    const bool known = records_[picked_].stage() == Stage::known;
    return {picked_, !known         ? PickReason::unexplored
                     : choices == 1 ? PickReason::drawn
                                    : PickReason::fastest};
  }

  [[nodiscard]] std::optional<double> score(const PickContext& context,
                                            std::size_t index) const override {
    if (records_[index].stage() != Stage::known) return std::nullopt;
    return cost_of(context, index).score / 1e6;
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  struct Cost {
    int order = 0;  // To be explored, known, being explored.
    double score = std::numeric_limits<double>::infinity();
    bool operator<(const Cost& other) const {
      return order != other.order ? order < other.order : score < other.score;
    }
  };

  [[nodiscard]] Cost cost_of(const PickContext& context, std::size_t index) const {
    const LatencyRecord& record = records_[index];
    const double load = (static_cast<double>(record.in_flight()) + 1) /
                        static_cast<double>(context.eligible[index].weight);
    switch (record.stage()) {
      case Stage::untried: return {0, static_cast<double>(record.in_flight())};
      case Stage::tried: return {2, load};
      case Stage::known: break;
    }
    return {1, record.average_at(context.now, rule_) * load};
  }

  // An open one that is none of `drawn`. One backend may hold nearly all the weight, and then most
  // draws repeat; after a few the next one in order is taken, so a pick always ends.
  std::size_t draw_another(std::span<const std::size_t> drawn, const PickContext& context) {
    const OpenSet& open = context.open;
    const auto is_new = [&](std::size_t i) {
      return open.contains(i) && std::find(drawn.begin(), drawn.end(), i) == drawn.end();
    };
    std::size_t index = by_weight_.draw(context.prng);
    for (int n = 0; n < WeightedDraw::kRedrawsMax && !is_new(index); ++n) {
      index = by_weight_.draw(context.prng);
    }
    while (!is_new(index)) index = open.next(index + 1 < open.size() ? index + 1 : 0);
    return index;
  }

  std::uint32_t choice_count_;
  LatencyRule rule_;
  WeightedDraw by_weight_;
  ById<LatencyRecord> records_;
  std::size_t picked_ = kNone;  // The last pick, if no load has changed since.
  Instant picked_at_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const PeakEwmaConfig& config) {
  return std::make_unique<PeakEwma>(config);
}

}  // namespace lb
