// Goal: first in, first out, however the ring wraps and grows.
// Method: every start offset before a growth, then a std::deque as the model.
#include "lbcore/ring_queue.h"

#include <gtest/gtest.h>

#include <deque>

#include "lbcore/prng.h"

namespace lb {
namespace {

TEST(RingQueue, IsEmptyAtFirst) {
  RingQueue<int> queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(RingQueue, KeepsTheOrderWhenItGrowsAtAnyOffset) {
  for (int offset = 0; offset < 8; ++offset) {
    RingQueue<int> queue;
    for (int i = 0; i < offset; ++i) queue.push(-1);
    for (int i = 0; i < offset; ++i) EXPECT_EQ(queue.pop(), -1);
    for (int i = 0; i < 20; ++i) queue.push(i);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(queue.pop(), i) << "offset " << offset;
    EXPECT_TRUE(queue.empty());
  }
}

TEST(RingQueue, BehavesLikeADeque) {
  Prng prng{11};
  RingQueue<int> queue;
  std::deque<int> model;
  for (int step = 0; step < 20'000; ++step) {
    if (prng.below(2) == 0) {
      queue.push(step);
      model.push_back(step);
    } else if (model.empty()) {
      ASSERT_EQ(queue.pop(), std::nullopt);
    } else {
      ASSERT_EQ(queue.pop(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace
}  // namespace lb
