// SeriesBatches: how sure one run can be of the figures of each of several Series, such as those of
// all backends. It is told when a batch has ended, and looks at what they have counted anyway: a
// request costs nothing more.
//
// METHOD  Averages and shares by batch means, as in batch_means.h, but a request belongs to the
//   batch in which it ended. A quantile is where a share q of all values is below: the batches say
//   how sure that share is, and the histogram of all turns the ends of its interval into times
//   (Heidelberger and Lewis, "Quantile estimation in dependent sequences", Operations Research 32,
//   1984). Of each batch is known how many values were below the steps of the histogram, four for
//   each power of two: how many times more than those of independent values these counts vary, is
//   taken from the steps on both sides of the quantile.
// COST  For each series and batch 32 bytes, and 4 for each step from its quickest value to its
//   slowest: some 4 KB for each series, however long the run.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lbsim/scenario/batch_means.h"
#include "lbsim/scenario/series.h"

namespace lb::scenario {

// Those that a report has.
inline constexpr std::array<double, 4> kQuantiles{0.5, 0.9, 0.99, 0.999};

// How sure the figures of a Series are. Times are in seconds.
struct SeriesIntervals {
  Interval mean_latency;
  std::array<Interval, kQuantiles.size()> quantiles;
  Interval error_ratio;
  std::array<Interval, kClientResultCount> ratios;
};

// One number of each batch.
using InBatches = std::array<double, BatchMeans::kBatches>;

class SeriesBatches {
 public:
  // The next batch has ended, and they have counted so much since the first one began. There may be
  // more of them than before. REQUIRES: ended() < BatchMeans::kBatches.
  void end_batch(std::span<const Series> all);
  [[nodiscard]] std::size_t ended() const { return ends_.size(); }

  // REQUIRES for all below: every batch has ended.
  // Of series number `place`, which has this latency in the end.
  [[nodiscard]] SeriesIntervals intervals(std::size_t place, const Histogram& latency) const;
  // Of one series, and of all together.
  [[nodiscard]] InBatches answers(std::size_t place) const;
  [[nodiscard]] InBatches answers() const;

 private:
  // What a series has counted.
  struct Counts {
    std::uint64_t latency = 0;
    std::array<std::uint32_t, kClientResultCount> results{};  // These may have overflowed.
    std::uint32_t first_step = 0;                             // Of those that are not empty,
    std::uint32_t steps_begin = 0;                            // and where it is in `steps`.
  };
  struct End {
    std::vector<Counts> counts;  // By place.
    // Values up to each step, of all series after each other. These may have overflowed, too.
    std::vector<std::uint32_t> steps;
  };
  // The values that a quantile is of.
  struct Values {
    std::size_t place;
    const Histogram& latency;
    InBatches counts;
  };
  using Batches = std::array<Counts, BatchMeans::kBatches>;

  [[nodiscard]] Batches batches_of(std::size_t place) const;
  [[nodiscard]] InBatches below(std::size_t place, std::size_t step) const;
  [[nodiscard]] Interval quantile(const Values& of, double q) const;

  std::vector<End> ends_;
};

// How sure the share is that `part` is of `whole`.
[[nodiscard]] Interval interval_of_share(const InBatches& part, const InBatches& whole);

// How sure Jain's index is (jain_index() in lbcore/observables.h) of what each of several got, by
// batch. By the jackknife over the batches (Efron and Stein, The Annals of Statistics 9, 1981), as
// it is no average. Few answers never look quite fair: what the jackknife says of that bias is
// added to the half-width.
[[nodiscard]] Interval interval_of_fairness(std::span<const InBatches> parts);

}  // namespace lb::scenario
