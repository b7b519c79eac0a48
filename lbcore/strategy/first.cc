#include "lbcore/strategy/first.h"

namespace lb {
namespace {

class First final : public Strategy {
 public:
  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<First>(*this);
  }
  [[nodiscard]] bool uses_weights() const override { return false; }

  Pick pick(const PickContext& context) override {
    return {context.open.next(0), PickReason::first_open};
  }
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const FirstConfig&) { return std::make_unique<First>(); }

}  // namespace lb
