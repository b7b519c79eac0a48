// Goal: a buffer gives and takes bytes in order and holds memory only while it has to.
// Method: one step after the other; a model of a string for the rest.
#include "lbnet/buffer.h"

#include <gtest/gtest.h>

#include "lbcore/prng.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

TEST(Buffer, TakesAtTheEndAndGivesAtTheFront) {
  BufferPool pool;
  Buffer buffer(pool);
  EXPECT_TRUE(buffer.empty());
  buffer.append("hello");
  buffer.append(" world");
  buffer.consume(6);
  EXPECT_EQ(buffer.view(), "world");
  EXPECT_EQ(buffer.size(), 5u);
  buffer.consume(5);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.room().size(), kBufferSize) << "empty again: all of it is free";
}

TEST(Buffer, MovesWhatIsLeftOnlyWhenItHasTo) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.append(std::string(kBufferSize - 1, 'x'));
  buffer.append("y");
  EXPECT_TRUE(buffer.full());
  buffer.consume(kBufferSize - 1);
  const char* const place = buffer.view().data();
  EXPECT_EQ(buffer.view(), "y");
  EXPECT_EQ(buffer.room().size(), kBufferSize - 1);
  EXPECT_NE(buffer.view().data(), place);
  EXPECT_EQ(buffer.view(), "y");
}

TEST(Buffer, GivesItsMemoryBackWhenItRests) {
  BufferPool pool;
  Buffer first(pool);
  Buffer second(pool);
  const char* const memory = first.room().data();
  first.rest();
  EXPECT_EQ(second.room().data(), memory);
  second.append("x");
  second.rest();
  EXPECT_EQ(second.view(), "x") << "not while there is something in it";
  second.clear();
  second.rest();
  EXPECT_EQ(first.room().data(), memory);
}

TEST(Buffer, GivesItsMemoryBackWhenItGoes) {
  BufferPool pool;
  const char* memory = nullptr;
  {
    Buffer buffer(pool);
    buffer.append("x");
    memory = buffer.view().data();
  }
  Buffer next(pool);
  EXPECT_EQ(next.room().data(), memory);
}

TEST(BufferPool, AllocatesNothingOnceItIsWarm) {
  BufferPool pool;
  pool.give(pool.take());
  const std::uint64_t before = lb::testing::allocations();
  for (int n = 0; n < 1000; ++n) {
    Buffer buffer(pool);
    buffer.append("x");
  }
  EXPECT_EQ(lb::testing::allocations() - before, 0u);
}

TEST(BufferPool, KeepsABoundedNumber) {
  BufferPool pool;
  std::vector<std::unique_ptr<char[]>> many;
  for (int n = 0; n < 300; ++n) many.push_back(pool.take());
  for (auto& memory : many) pool.give(std::move(memory));
  const std::uint64_t before = lb::testing::allocations();
  many.clear();
  for (int n = 0; n < 300; ++n) many.push_back(pool.take());
  EXPECT_GE(lb::testing::allocations() - before, 300u - 256u);
}

TEST(Buffer, DoesWhatAStringWould) {
  BufferPool pool;
  Buffer buffer(pool);
  std::string model;
  Prng prng(7);
  for (int n = 0; n < 20'000; ++n) {
    if (prng.below(2) == 0 && !buffer.full()) {
      const std::size_t size = prng.below(std::min<std::size_t>(buffer.room().size(), 5000)) + 1;
      const std::string text(std::min(size, buffer.room().size()),
                             static_cast<char>('a' + prng.below(26)));
      buffer.append(text);
      model += text;
    } else if (!model.empty()) {
      const std::size_t size = prng.below(model.size() + 1);
      buffer.consume(size);
      model.erase(0, size);
    }
    ASSERT_EQ(buffer.size(), model.size());
    ASSERT_TRUE(n % 100 != 0 || buffer.view() == model);
  }
}

}  // namespace
}  // namespace lb::net
