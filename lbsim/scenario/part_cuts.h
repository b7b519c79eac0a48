// PartCuts: how a world stood where the batches of a part of a run begin and end, and what that
// says of the part.
#pragma once

#include <vector>

#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/cut.h"
#include "lbsim/scenario/report.h"

namespace lb::scenario {

struct PartCuts {
  struct At {
    const Cut* cut = nullptr;
    Duration time{};
  };
  // In order. The first is where the part begins, the last where it ends; only those two when it
  // has no batches.
  std::vector<At> all;
  std::vector<const Cut*> within;  // All there are after its beginning, up to its end.

  // The world said how it stood there.
  [[nodiscard]] bool known() const {
    return all.front().cut != nullptr && all.back().cut != nullptr;
  }
  [[nodiscard]] bool batched() const { return all.size() == BatchMeans::kBatches + 1; }

  // What grew by `of`, for each `whole` that something else grew by; both are functions of an At.
  // Zero of nothing. REQUIRES: known().
  template <class Of, class Whole>
  [[nodiscard]] Estimate ratio(Of of, Whole whole) const {
    const auto grown = [&](const At& from, const At& to) {
      return Batch{static_cast<double>(of(to) - of(from)),
                   static_cast<double>(whole(to) - whole(from))};
    };
    const Batch sum = grown(all.front(), all.back());
    Estimate estimate{sum.count == 0 ? 0 : sum.sum / sum.count, {Confidence::not_steady}};
    if (!batched()) return estimate;
    std::vector<Batch> batches;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) batches.push_back(grown(all[i], all[i + 1]));
    estimate.interval = interval_where_some(batches);
    return estimate;
  }
  // The average of a level over time, by its integral in nanoseconds.
  template <class Of>
  [[nodiscard]] Estimate mean(Of of) const {
    return ratio(of, [](const At& at) { return at.time.count(); });
  }
  template <class Of>
  [[nodiscard]] std::uint32_t peak(Of of) const {
    std::uint32_t highest = 0;
    for (const Cut* cut : within) highest = std::max(highest, of(*cut).peak);
    return highest;
  }

  // Of what there is too rarely to tell, there is none.
  [[nodiscard]] static Interval interval_where_some(const std::vector<Batch>& batches) {
    const auto some = std::count_if(batches.begin(), batches.end(),
                                    [](const Batch& batch) { return batch.sum > 0; });
    return static_cast<double>(some) < kCountedMin ? Interval{} : interval_of(batches);
  }
};

}  // namespace lb::scenario
