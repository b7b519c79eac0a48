#include "lbsim/scenario/part.h"

namespace lb::scenario {

void Part::report() {
  reported = true;
  next_batch = batch_time(1);
}

Duration Part::batch_time(std::size_t number) const {
  return from + (end - from) * static_cast<std::int64_t>(number) /
                    static_cast<std::int64_t>(BatchMeans::kBatches);
}

void Part::end_batch() {
  backends.settle();
  backend_batches.end_batch(backends.all());
  total_batches.end_batch({&total, 1});
}

// The last one takes what comes late, too.
void Part::end_batches(Duration now) {
  while (now >= next_batch) {
    end_batch();
    const std::size_t ended = total_batches.ended();
    next_batch = ended + 1 < BatchMeans::kBatches ? batch_time(ended + 1) : Duration::max();
  }
}

void Part::finish() {
  backends.settle();
  while (reported && total_batches.ended() < BatchMeans::kBatches) end_batch();
}

}  // namespace lb::scenario
