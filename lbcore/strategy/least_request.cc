#include "lbcore/strategy/least_request.h"

#include <algorithm>
#include <array>

#include "lbcore/assert.h"
#include "lbcore/strategy/load_order.h"
#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

class LeastRequest final : public Strategy {
 public:
  explicit LeastRequest(LeastRequestConfig config) : config_(config) {
    LB_ASSERT(config.choice_count >= 1 && config.choice_count <= config.kChoiceCountMax);
  }

  void rebuild(EligibleView eligible) override { by_weight_.rebuild(eligible); }

  Pick pick(EligibleView eligible, HashKey, Prng& prng) override {
    const std::size_t choices = std::min<std::size_t>(config_.choice_count, eligible.size());
    std::array<std::size_t, LeastRequestConfig::kChoiceCountMax> drawn{};
    std::size_t best = 0;
    for (std::size_t n = 0; n < choices; ++n) {
      drawn[n] = draw_another({drawn.data(), n}, eligible.size(), prng);
      if (n == 0 || less_loaded(eligible[drawn[n]], eligible[best])) best = drawn[n];
    }
    return {best, choices == 1 ? PickReason::drawn : PickReason::least_loaded};
  }

 private:
  // A draw that is none of `drawn`. One backend may hold nearly all the weight, and then most
  // draws repeat; after a few the next one in order is taken, so a pick always ends.
  std::size_t draw_another(std::span<const std::size_t> drawn, std::size_t count, Prng& prng) {
    const auto is_new = [&](std::size_t i) {
      return std::find(drawn.begin(), drawn.end(), i) == drawn.end();
    };
    std::size_t index = by_weight_.draw(prng);
    for (int redraws = 0; redraws < kRedrawsMax && !is_new(index); ++redraws) {
      index = by_weight_.draw(prng);
    }
    while (!is_new(index)) index = (index + 1) % count;
    return index;
  }

  static constexpr int kRedrawsMax = 8;  // Misses once in 256 for two equal backends.
  LeastRequestConfig config_;
  WeightedDraw by_weight_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const LeastRequestConfig& config) {
  return std::make_unique<LeastRequest>(config);
}

}  // namespace lb
