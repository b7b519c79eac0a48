// Goal: the least is on top whatever happened before, and the least open one is the least open one.
// Method: a few numbers by hand; then random changes against a full scan of a plain array.
#include "lbcore/strategy/indexed_heap.h"

#include <gtest/gtest.h>

#include <optional>

#include "lbcore/prng.h"

namespace lb {
namespace {

using Heap = IndexedHeap<int>;

OpenSet all_open(std::size_t count) {
  OpenSet open;
  open.reset(count);
  return open;
}

TEST(IndexedHeap, HasTheLeastOnTop) {
  Heap heap;
  heap.reset(4);
  EXPECT_EQ(heap.least(), nullptr);
  heap.put(2, 30);
  heap.put(0, 10);
  heap.put(3, 20);
  EXPECT_EQ(heap.least()->index, 0u);
  EXPECT_EQ(heap.least()->key, 10);
  EXPECT_EQ(heap.size(), 3u);
  EXPECT_FALSE(heap.contains(1));
}

TEST(IndexedHeap, AKeyCanChangeWhereItStands) {
  Heap heap;
  heap.reset(3);
  for (int i = 0; i < 3; ++i) heap.put(static_cast<std::size_t>(i), 10 + i);
  heap.put(0, 99);
  EXPECT_EQ(heap.least()->index, 1u);
  heap.put(2, 1);
  EXPECT_EQ(heap.least()->index, 2u);
  EXPECT_EQ(heap.size(), 3u);
}

TEST(IndexedHeap, TakesOut) {
  Heap heap;
  heap.reset(3);
  for (int i = 0; i < 3; ++i) heap.put(static_cast<std::size_t>(i), 10 + i);
  heap.erase(0);
  EXPECT_EQ(heap.least()->index, 1u);
  heap.erase(0);  // Again is no harm.
  heap.erase(2);
  heap.erase(1);
  EXPECT_EQ(heap.least(), nullptr);
  heap.put(1, 5);
  EXPECT_EQ(heap.least()->index, 1u);
}

TEST(IndexedHeap, ResetForgets) {
  Heap heap;
  heap.reset(2);
  heap.put(1, 5);
  heap.reset(5);
  EXPECT_EQ(heap.size(), 0u);
  EXPECT_FALSE(heap.contains(1));
  heap.put(4, 7);
  EXPECT_EQ(heap.least()->index, 4u);
}

TEST(IndexedHeap, FindsTheLeastOpenBelowClosedOnes) {
  Heap heap;
  heap.reset(30);
  for (int i = 0; i < 30; ++i) heap.put(static_cast<std::size_t>(i), 100 + i);
  OpenSet open = all_open(30);
  for (std::size_t i = 0; i < 29; ++i) {
    EXPECT_EQ(heap.least_open(open)->index, i);
    open.close(i);
  }
  EXPECT_EQ(heap.least_open(open)->index, 29u);
  open.close(29);
  EXPECT_EQ(heap.least_open(open), nullptr);
}

// How far below closed nodes one has to look, and what may be left out, shows only in odd shapes.
TEST(IndexedHeap, AgreesWithAFullScan) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Prng prng{seed};
    const std::size_t count = 1 + prng.below(seed % 10 == 0 ? 300 : 24);
    Heap heap;
    heap.reset(count);
    OpenSet open = all_open(count);
    std::vector<std::optional<int>> keys(count);
    const auto least = [&](bool any) {
      std::optional<int> best;
      for (std::size_t i = 0; i < count; ++i) {
        if (keys[i] && (any || open.contains(i)) && (!best || *keys[i] < *best)) best = keys[i];
      }
      return best;
    };
    for (int step = 0; step < 2000; ++step) {
      const std::size_t index = prng.below(count);
      const std::uint64_t choice = prng.below(10);
      if (choice < 5) {
        keys[index] = static_cast<int>(prng.below(50));
        heap.put(index, *keys[index]);
      } else if (choice < 7) {
        keys[index].reset();
        heap.erase(index);
      } else {
        prng.below(3) > 0 ? open.close(index) : open.open(index);
      }
      const Heap::Node* const top = heap.least();
      const Heap::Node* const best = heap.least_open(open);
      ASSERT_EQ(top == nullptr ? std::nullopt : std::optional{top->key}, least(true)) << seed;
      ASSERT_EQ(best == nullptr ? std::nullopt : std::optional{best->key}, least(false))
          << "seed " << seed << " step " << step;
      if (best != nullptr) {
        ASSERT_TRUE(open.contains(best->index));
        ASSERT_EQ(keys[best->index], best->key);
      }
      ASSERT_EQ(heap.contains(index), keys[index].has_value());
    }
  }
}

// What is not less than the best so far is not gone into, however many closed ones lie below.
struct Counted {
  int value = 0;
  static inline int comparisons = 0;
  bool operator<(const Counted& other) const {
    ++comparisons;
    return value < other.value;
  }
};

TEST(IndexedHeap, LooksNoFurtherThanItHasTo) {
  IndexedHeap<Counted> heap;
  heap.reset(10'000);
  for (int i = 0; i < 10'000; ++i) heap.put(static_cast<std::size_t>(i), {i});
  OpenSet open = all_open(10'000);
  Counted::comparisons = 0;
  EXPECT_EQ(heap.least_open(open)->index, 0u);
  EXPECT_EQ(Counted::comparisons, 0) << "the top is open";
  open.close(0);
  for (std::size_t i = 5; i < 10'000; ++i) open.close(i);
  EXPECT_EQ(heap.least_open(open)->index, 1u);
  EXPECT_LE(Counted::comparisons, 4) << "the top's children, and nobody below them";
}

}  // namespace
}  // namespace lb
