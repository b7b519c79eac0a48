// Goal: a coroutine runs when it is awaited and wakes whoever awaited it, in that order, and costs
// no allocation once its frames are warm.
// Method: a log of who ran when; a count of operator new.
#include "lbnet/task.h"

#include <gtest/gtest.h>

#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using Log = std::vector<std::string>;

Task<int> number(Log& log, int value) {
  log.push_back("number " + std::to_string(value));
  co_return value;
}

TEST(Task, RunsWhenItIsAwaitedAndNotBefore) {
  Log log;
  const auto outer = [&]() -> Task<void> {
    Task<int> later = number(log, 1);
    log.emplace_back("made");
    log.push_back("got " + std::to_string(co_await std::move(later)));
  };
  spawn(outer());
  EXPECT_EQ(log, (Log{"made", "number 1", "got 1"}));
}

TEST(Task, ThatNobodyAwaitsNeverRuns) {
  Log log;
  { const Task<int> unused = number(log, 1); }
  EXPECT_EQ(log, Log{});
}

Task<int> wait_for(Signal& signal, Log& log) {
  log.emplace_back("inner waits");
  co_await signal;
  log.emplace_back("inner ends");
  co_return 7;
}

TEST(Task, ResumesItsAwaiterAsItsLastAct) {
  Log log;
  Signal signal;
  const auto outer = [&]() -> Task<void> {
    const int value = co_await wait_for(signal, log);
    log.push_back("outer has " + std::to_string(value));
  };
  spawn(outer());
  log.emplace_back("spawned");
  signal.raise();
  log.emplace_back("raised");
  EXPECT_EQ(log, (Log{"inner waits", "spawned", "inner ends", "outer has 7", "raised"}));
}

// Each resumption is a jump, not a call: otherwise a loop over ready tasks would eat the stack. GCC
// makes it a call without optimisation and for sanitizers: there it is not as often.
TEST(Task, AwaitingOverAndOverDoesNotGrowTheStack) {
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kTimes = 1'000;
#else
  constexpr int kTimes = 1'000'000;
#endif
  const auto one = []() -> Task<int> { co_return 1; };
  int sum = 0;
  const auto loop = [&]() -> Task<void> {
    for (int n = 0; n < kTimes; ++n) sum += co_await one();
  };
  spawn(loop());
  EXPECT_EQ(sum, kTimes);
}

Task<void> pass_twice(Signal& signal, int& passed) {
  co_await signal;
  ++passed;
  signal.reset();
  co_await signal;
  ++passed;
}

TEST(Signal, RaisedBeforeTheWaitIsNotLost) {
  Signal signal;
  int passed = 0;
  signal.raise();
  EXPECT_TRUE(signal.raised());
  spawn(pass_twice(signal, passed));
  EXPECT_EQ(passed, 1);
  signal.raise();
  EXPECT_EQ(passed, 2);
}

TEST(Signal, WakesItsWaiterInsideRaise) {
  Signal signal;
  int passed = 0;
  spawn(pass_twice(signal, passed));
  EXPECT_EQ(passed, 0);
  signal.raise();
  EXPECT_EQ(passed, 1) << "it was reset, and waits again";
  signal.raise();
  EXPECT_EQ(passed, 2);
  signal.raise();  // Nobody waits: nothing happens.
}

Task<int> leaf(int depth) {
  if (depth == 0) co_return 1;
  co_return co_await leaf(depth - 1) + 1;
}

TEST(FrameMemory, AWarmCoroutineAllocatesNothing) {
  int sum = 0;
  const auto work = [&](int rounds) -> Task<void> {
    for (int n = 0; n < rounds; ++n) sum += co_await leaf(5);
  };
  spawn(work(1));
  const std::uint64_t before = lb::testing::allocations();
  spawn(work(1000));
  EXPECT_EQ(lb::testing::allocations() - before, 0u);
  EXPECT_EQ(sum, 6 * 1001);
}

TEST(FrameMemory, RecyclesBySizeAndLetsLargeFramesGo) {
  void* const small = FrameMemory::take(100);
  FrameMemory::give(small, 100);
  EXPECT_EQ(FrameMemory::take(128), small) << "the same class";
  void* const other = FrameMemory::take(129);
  EXPECT_NE(other, small);
  FrameMemory::give(small, 128);
  FrameMemory::give(other, 129);
  void* const large = FrameMemory::take(100'000);
  std::memset(large, 1, 100'000);
  FrameMemory::give(large, 100'000);
}

}  // namespace
}  // namespace lb::net
