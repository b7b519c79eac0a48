// BatchMeans: how sure one run can be of its own averages, and whether its start differs from the
// rest.
//
// METHOD  The time a run counts is cut into 30 batches of equal length, and each request belongs to
//   the batch in which its client meant to send it. Batches that are long next to the memory of the
//   system are nearly independent, so their scatter shows how far the average may be off: the
//   method of batch means (Law, Simulation Modeling and Analysis, 5th edition, section 9.5.3; 20 to
//   30 batches are Schmeiser's advice, Operations Research 30, 1982). As batches have unequal
//   numbers of requests, the average is a ratio of two sums, with the usual variance of a ratio
//   (Cochran, Sampling Techniques, 3rd edition, section 6.4) and Student's t with 29 degrees of
//   freedom.
// WEAKNESS  It is about a steady state. Where batches follow each other too closely to be called
//   independent, there is no interval: a lag-1 correlation beyond what one run in twenty of
//   independent batches shows. What passes may be correlated still, so at high load intervals are
//   somewhat too narrow: their cover is 0.9 rather than 0.95.
// COST  O(1) a request, and 240 slots of memory, however long the run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lbsim/scenario/sample.h"

namespace lb::scenario {

enum class Confidence : std::uint8_t {
  told,        // There is an interval.
  too_few,     // A batch without requests, or too few of what is counted.
  correlated,  // Batches are not independent: the run is too short for how long it remembers.
  not_steady,  // Events or loads change the run on its way, so it has no long-run average.
};
[[nodiscard]] std::string_view to_string(Confidence confidence);

// Of an average: it is within `half_width` with a confidence of 95 %.
struct Interval {
  Confidence confidence = Confidence::too_few;
  double half_width = 0;  // When told.
};

// One batch's part of an average: the average is the sum of all `sum` by the sum of all `count`.
struct Batch {
  double sum = 0;
  double count = 0;
};
// REQUIRES: batches.size() == BatchMeans::kBatches.
[[nodiscard]] Interval interval_of(std::span<const Batch> batches);
// The same where a value is so far off as the sum of the deviations of all batches, divided by
// `count`. REQUIRES: they sum to zero, and there are BatchMeans::kBatches.
[[nodiscard]] Interval interval_of(std::span<const double> deviations, double count);

// Fewer than so many good answers, or of what a share counts, say nothing about their scatter.
inline constexpr double kGoodAnswersMin = 300;
inline constexpr double kCountedMin = 10;

// How many values to drop from the start so that the mean of the others is surest: the d that
// minimises the sum of their squared distances from their mean, by (n - d)^2 (MSER: White, "An
// effective truncation heuristic for bias reduction in simulation output", Simulation 69, 1997; of
// batch means it is MSER-5, for batches of 5). At most half of them, as its authors say.
[[nodiscard]] std::size_t mser(std::span<const double> values);

class BatchMeans {
 public:
  static constexpr std::size_t kBatches = 30;
  static constexpr std::size_t kSlotsPerBatch = 8;
  static constexpr std::size_t kSlots = kBatches * kSlotsPerBatch;

  // Of the time from `from` up to `to`. REQUIRES: from < to.
  BatchMeans(Duration from, Duration to);

  // REQUIRES: sample.sent >= from. What comes after `to` is of the last slot.
  void add(const Sample& sample) {
    Slot& slot = slots_[slot_of(sample.sent)];
    ++slot.results[static_cast<std::size_t>(sample.result)];
    const auto latency = static_cast<std::uint64_t>(sample.latency.count());
    slot.in_system += latency;
    if (sample.result == ClientResult::ok) slot.latency += latency;
  }

  // Of the mean latency of good answers, in seconds.
  [[nodiscard]] Interval mean_latency() const;
  // Of the share of requests that ended so.
  [[nodiscard]] Interval ratio(ClientResult result) const;
  // Of the share that did not end well. One of `ok` is as wide.
  [[nodiscard]] Interval error_ratio() const;
  // Of good answers per second.
  [[nodiscard]] Interval throughput() const;
  // Of the requests that were in the system: by Little's law, the time that those sent in a batch
  // spent there, by its length.
  [[nodiscard]] Interval in_system() const;
  // Sent in each batch.
  [[nodiscard]] std::vector<double> requests() const;

  // How much of the start should be left out besides, when it differs from the rest for sure:
  // mser() of the mean latencies of the slots says how much, and the mean of what it leaves out is
  // more than five standard errors away from the mean of the others (five, as mser() looks for the
  // most striking place; errors are those of a first-order autoregression), and changes the mean of
  // all by more than 1 %.
  [[nodiscard]] std::optional<Duration> warmup_missing() const;

 private:
  struct Slot {
    std::uint64_t latency = 0;    // Of good answers.
    std::uint64_t in_system = 0;  // Of all.
    std::array<std::uint32_t, kClientResultCount> results{};
  };

  // Most come in the slot of the one before.
  [[nodiscard]] std::size_t slot_of(Duration sent) {
    if (sent < last_begin_ || sent >= last_begin_ + length_) {
      last_ = static_cast<std::size_t>((sent - from_) / length_);
      if (last_ >= kSlots) last_ = kSlots - 1;
      last_begin_ = from_ + length_ * static_cast<std::int64_t>(last_);
    }
    return last_;
  }
  template <class Of>
  [[nodiscard]] std::vector<Batch> batches(Of of) const;
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(length_).count() * kSlotsPerBatch;
  }

  Duration from_;
  Duration length_;  // Of a slot.
  Duration last_begin_;
  std::size_t last_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace lb::scenario
