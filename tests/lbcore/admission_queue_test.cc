// Goal: who waited longest is next, in its class; unless waits grow long, and then the newest.
// Method: spoken out in small cases, the turn of the order at its very instant, and many random
// steps against vectors as the model.
#include "lbcore/admission_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "lbcore/prng.h"

namespace lb {
namespace {

using namespace std::chrono_literals;

class AdmissionQueueTest : public testing::Test {
 protected:
  QueueEntryId push(std::uint32_t request, std::uint32_t priority = 0) {
    return queue.push(RequestId{request, 0}, priority, now);
  }
  // Who is next, one after the other, until it is empty.
  std::vector<std::uint32_t> rest() {
    std::vector<std::uint32_t> order;
    while (const auto next = queue.pop(now, limits)) order.push_back(next->slot);
    EXPECT_TRUE(queue.empty());
    return order;
  }
  std::uint32_t pop() { return queue.pop(now, limits)->slot; }

  using Order = std::vector<std::uint32_t>;
  AdmissionQueue queue;
  LimitsConfig limits{.queue_timeout = 1s};
  Instant now{};
};

TEST_F(AdmissionQueueTest, IsEmptyAtFirst) {
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.pop(now, limits), std::nullopt);
}

TEST_F(AdmissionQueueTest, ServesWhoCameFirst) {
  for (std::uint32_t n = 1; n <= 5; ++n) push(n), now += 400ms;
  EXPECT_EQ(queue.size(), 5u);
  EXPECT_EQ(rest(), (Order{1, 2, 3, 4, 5})) << "however long they have waited";
}

TEST_F(AdmissionQueueTest, ServesTheClassesInOrder) {
  push(1, 7);
  push(2, 1);
  push(3, 0);
  push(4, 1);
  push(5, 7);
  push(6, 0);
  EXPECT_EQ(rest(), (Order{3, 6, 2, 4, 1, 5}));
}

TEST_F(AdmissionQueueTest, LetsGoOfAnybodyAnywhere) {
  const auto a = push(1);
  push(2);
  const auto c = push(3);
  push(4);
  const auto e = push(5);
  queue.remove(c);
  queue.remove(a);
  queue.remove(e);
  queue.remove(e);
  queue.remove(QueueEntryId{});
  EXPECT_EQ(queue.size(), 2u);
  push(6);
  EXPECT_EQ(rest(), (Order{2, 4, 6}));
}

TEST_F(AdmissionQueueTest, LetsGoOfTheOnlyOne) {
  queue.remove(push(1));
  EXPECT_TRUE(queue.empty());
  push(2);
  EXPECT_EQ(rest(), (Order{2}));
}

TEST_F(AdmissionQueueTest, AnIdThatIsGoneDoesNotHitItsSuccessor) {
  const auto old = push(1);
  EXPECT_EQ(pop(), 1u);
  const auto fresh = push(2);
  EXPECT_EQ(fresh.slot, old.slot);
  queue.remove(old);
  EXPECT_EQ(rest(), (Order{2}));
}

TEST_F(AdmissionQueueTest, PutsBackWhoWasCalledInVainToTheHeadOfItsClass) {
  push(1, 1);
  push(2, 1);
  EXPECT_EQ(pop(), 1u);
  push(3, 0);
  queue.put_back(RequestId{1, 0}, 1, Instant{});
  EXPECT_EQ(rest(), (Order{3, 1, 2}));
}

TEST_F(AdmissionQueueTest, PutsBackTheOnlyOne) {
  queue.put_back(RequestId{1, 0}, 0, now);
  push(2);
  EXPECT_EQ(rest(), (Order{1, 2}));
}

// -- Adaptive LIFO

TEST_F(AdmissionQueueTest, TurnsRoundOnceTheOldestHasWaitedHalfItsTime) {
  limits.queue_order = QueueOrder::adaptive_lifo;
  push(1);
  now += 100ms;
  push(2);
  now += 100ms;
  push(3);
  push(4);
  now = Instant{500ms};
  EXPECT_EQ(pop(), 1u) << "half of it is not more than half";
  now = Instant{600ms} + 1ns;
  EXPECT_EQ(pop(), 4u) << "2 has waited longer than that now";
  EXPECT_EQ(pop(), 3u);
  push(5);
  EXPECT_EQ(pop(), 5u);
  EXPECT_EQ(rest(), (Order{2}));
}

TEST_F(AdmissionQueueTest, TurnsBackWhenTheOldestIsYoungAgain) {
  limits.queue_order = QueueOrder::adaptive_lifo;
  const auto stale = push(1);
  now += 600ms;
  push(2);
  push(3);
  queue.remove(stale);
  EXPECT_EQ(rest(), (Order{2, 3}));
}

TEST_F(AdmissionQueueTest, EveryClassTurnsRoundByItself) {
  limits.queue_order = QueueOrder::adaptive_lifo;
  push(1, 1);
  push(2, 1);
  now += 501ms;
  push(3, 0);
  push(4, 0);
  EXPECT_EQ(rest(), (Order{3, 4, 2, 1}));
}

TEST_F(AdmissionQueueTest, TheNewestIsStillNextAfterItWasCalledInVain) {
  limits.queue_order = QueueOrder::adaptive_lifo;
  push(1);
  now += 100ms;
  push(2);
  now += 100ms;
  push(3);
  now = Instant{800ms};  // All three are old.
  EXPECT_EQ(pop(), 3u);
  queue.put_back(RequestId{3, 0}, 0, Instant{200ms});
  EXPECT_EQ(rest(), (Order{3, 2, 1}));
}

TEST_F(AdmissionQueueTest, TheOldestIsStillNextAfterItWasCalledInVain) {
  limits.queue_order = QueueOrder::adaptive_lifo;
  push(1);
  now += 100ms;
  push(2);
  EXPECT_EQ(pop(), 1u);
  queue.put_back(RequestId{1, 0}, 0, Instant{});
  EXPECT_EQ(rest(), (Order{1, 2}));
}

// -- The model

TEST_F(AdmissionQueueTest, BehavesLikeAListForEachClass) {
  struct Waiting {
    std::uint32_t request;
    QueueEntryId id;
    Instant since;
  };
  for (const QueueOrder order : {QueueOrder::fifo, QueueOrder::adaptive_lifo}) {
    limits.queue_order = order;
    queue = {};
    Prng prng{23};
    std::vector<std::vector<Waiting>> model(AdmissionQueue::kClassCount);  // Oldest first.
    std::size_t size = 0;
    for (std::uint32_t step = 0; step < 20'000; ++step) {
      now += Duration{1ms} * prng.below(40);
      const auto priority = static_cast<std::uint32_t>(prng.below(AdmissionQueue::kClassCount));
      const std::uint64_t choice = prng.below(10);
      std::vector<Waiting>& list = model[priority];
      if (choice < 5) {
        list.push_back({step, push(step, priority), now});
        ++size;
      } else if (choice < 8) {
        const auto popped = queue.pop(now, limits);
        ASSERT_EQ(popped.has_value(), size > 0);
        for (std::vector<Waiting>& each : model) {
          if (each.empty()) continue;
          const bool newest =
              order == QueueOrder::adaptive_lifo && now - each.front().since > 500ms;
          const auto next = newest ? std::prev(each.end()) : each.begin();
          ASSERT_EQ(popped->slot, next->request);
          each.erase(next);
          --size;
          break;
        }
      } else if (!list.empty()) {
        const auto victim = list.begin() + static_cast<std::ptrdiff_t>(prng.below(list.size()));
        queue.remove(victim->id);
        list.erase(victim);
        --size;
      }
      ASSERT_EQ(queue.size(), size);
      ASSERT_EQ(queue.empty(), size == 0);
    }
  }
}

}  // namespace
}  // namespace lb
