// Split: one of several clusters by their weights, as a pure function of a number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lbcore/ids.h"
#include "lbcore/request_attributes.h"

namespace lb {

class Split {
 public:
  struct Side {
    ClusterId cluster;
    std::uint32_t weight = 1;
  };
  using Sides = std::vector<Side>;

  // REQUIRES: at least one side, all weights above zero.
  Split(const Sides& sides, const std::optional<KeyExpression>& key);

  // `draw` is 64 uniform bits; with a key it does not count. Sides lie next to each other in the
  // order of the file, so a weight that grows moves only those it has to move.
  [[nodiscard]] ClusterId pick(const RequestAttributes& request, std::uint64_t draw) const;
  // One side only: no draw is needed.
  [[nodiscard]] bool trivial() const { return ends_.size() == 1; }

 private:
  struct End {
    ClusterId cluster;
    std::uint64_t weight = 0;  // Of this side and all before it.
  };
  std::vector<End> ends_;
  std::optional<KeyExpression> key_;
};

}  // namespace lb
