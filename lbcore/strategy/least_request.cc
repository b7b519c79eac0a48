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
  explicit LeastRequest(const LeastRequestConfig& config) : config_(config) {
    LB_ASSERT(config.choice_count >= 1 && config.choice_count <= config.kChoiceCountMax);
  }

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<LeastRequest>(*this);
  }

  void rebuild(EligibleView eligible, Instant) override { by_weight_.rebuild(eligible); }

  Pick pick(const PickContext& context) override {
    if (config_.choice_count == 2 && context.open.all()) return pick_of_two(context);
    const std::size_t choices = std::min<std::size_t>(config_.choice_count, context.open.count());
    const bool plain = by_weight_.equal_weights() && context.open.all();
    Drawn drawn;
    std::size_t best = 0;
    for (std::size_t n = 0; n < choices; ++n) {
      const std::size_t index = plain ? draw_equal(context, drawn) : draw_weighted(context, drawn);
      drawn.insert(index);
      if (n == 0 || less_loaded(context.eligible[index], context.eligible[best])) best = index;
    }
    return {best, choices == 1 ? PickReason::drawn : PickReason::least_loaded};
  }

  [[nodiscard]] std::optional<double> score(const PickContext& context,
                                            std::size_t index) const override {
    if (config_.choice_count == 1) return std::nullopt;
    const BackendView& view = context.eligible[index];
    return static_cast<double>(view.in_flight) / view.weight;
  }

 private:
  // What this pick has drawn so far, ascending.
  class Drawn {
   public:
    void insert(std::size_t index) {
      std::size_t place = count_++;
      for (; place > 0 && indices_[place - 1] > index; --place) {
        indices_[place] = indices_[place - 1];
      }
      indices_[place] = index;
    }
    [[nodiscard]] bool contains(std::size_t index) const {
      return std::find(begin(), end(), index) != end();
    }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] const std::size_t* begin() const { return indices_.data(); }
    [[nodiscard]] const std::size_t* end() const { return indices_.data() + count_; }

   private:
    std::array<std::size_t, LeastRequestConfig::kChoiceCountMax> indices_;
    std::size_t count_ = 0;
  };

  // The same for nearly every pick there is, faster: nothing to remember, and both draws are under
  // way before the first of them is looked at.
  [[nodiscard]] Pick pick_of_two(const PickContext& context) const {
    std::size_t first = 0;
    std::size_t second = 0;
    if (by_weight_.equal_weights()) {
      first = context.prng.below(context.eligible.size());
      second = context.prng.below(context.eligible.size() - 1);
      second += second >= first ? 1 : 0;
    } else {
      first = by_weight_.draw(context.prng);
      second = by_weight_.draw(context.prng);
      for (int n = 0; n < WeightedDraw::kRedrawsMax && second == first; ++n) {
        second = by_weight_.draw(context.prng);
      }
      if (second == first) second = first + 1 == context.eligible.size() ? 0 : first + 1;
    }
    const bool less = less_loaded(context.eligible[second], context.eligible[first]);
    return {less ? second : first, PickReason::least_loaded};
  }

  // Of those not drawn yet one, each as likely: a number among them, and past the drawn ones.
  static std::size_t draw_equal(const PickContext& context, const Drawn& drawn) {
    std::size_t index = context.prng.below(context.eligible.size() - drawn.count());
    for (const std::size_t before : drawn) {
      if (index >= before) ++index;
    }
    return index;
  }

  // One backend may hold nearly all the weight, and then most draws repeat; after a few the next
  // one in order is taken, so a pick always ends.
  [[nodiscard]] std::size_t draw_weighted(const PickContext& context, const Drawn& drawn) const {
    const auto fits = [&](std::size_t i) { return context.open.contains(i) && !drawn.contains(i); };
    std::size_t index = by_weight_.draw(context.prng);
    for (int n = 0; n < WeightedDraw::kRedrawsMax && !fits(index); ++n) {
      index = by_weight_.draw(context.prng);
    }
    while (!fits(index)) {
      index = index + 1 == context.eligible.size() ? 0 : index + 1;
      index = context.open.next(index);
    }
    return index;
  }

  LeastRequestConfig config_;
  WeightedDraw by_weight_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const LeastRequestConfig& config) {
  return std::make_unique<LeastRequest>(config);
}

}  // namespace lb
