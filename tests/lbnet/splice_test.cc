// Goal: a bulk stream passes through a pipe byte by byte as it came, a message is left to be
// copied, and no pipe is held or lost by a stream that stands still or breaks. Method: two
// connections on the test's thread, their other ends in the test's hands.
#include "lbnet/splice.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include "tests/lbnet/sockets.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::Peer;

class Counter final : public SpliceWatcher {
 public:
  bool moved(std::size_t more) override {
    bytes += more;
    return bytes <= most;
  }
  std::size_t bytes = 0;
  std::size_t most = std::size_t{1} << 40U;
};

// A stream on `io`, and who is at its other end.
struct Side {
  std::unique_ptr<Stream> stream;
  Peer peer;
};

Side make_side(boost::asio::io_context& io) {
  const testing::TestBackend place;
  Peer peer = Peer::connect_to(place.port());
  const int fd = ::accept4(place.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return {std::make_unique<Stream>(io, fd), std::move(peer)};
}

class SpliceTest : public ::testing::Test {
 protected:
  SpliceTest() : from(make_side(io)), to(make_side(io)) { std::signal(SIGPIPE, SIG_IGN); }

  void start() { spawn(run()); }
  template <class Condition>
  void run_until(Condition&& done) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    while (!done() && std::chrono::steady_clock::now() < give_up) {
      io.restart();
      io.run_one_for(1ms);
    }
    EXPECT_TRUE(done()) << "it did not happen within five seconds";
  }
  // Gives the kernel time for what it can do by itself.
  void settle() {
    for (int n = 0; n < 20; ++n) {
      io.restart();
      io.run_one_for(1ms);
    }
  }
  std::optional<Spliced> result() {
    run_until([&] { return ended.has_value(); });
    return ended;
  }
  // `size` bytes that say where they are.
  static std::string numbered(std::size_t size) {
    std::string text;
    while (text.size() < size) text += std::to_string(text.size()) + ' ';
    text.resize(size);
    return text;
  }

  boost::asio::io_context io{1};
  PipePool pipes{2};
  Side from, to;
  Counter counter;
  std::optional<Spliced> ended;

 private:
  Task<void> run() {
    const Spliced how = co_await splice_while_bulk(pipes, *from.stream, *to.stream, counter);
    ended = how;
  }
};

TEST_F(SpliceTest, PassesAStreamOnToItsEnd) {
  const std::string much = numbered(5'000'000);
  std::thread sender([&] {
    from.peer.send(much);
    from.peer.shut_down_write();
  });
  std::string got;
  std::thread reader([&] { got = to.peer.read(much.size()); });
  // It may find the stream at a moment with little in it: then it is asked again.
  do {
    ended.reset();
    start();
    result();
  } while (ended == Spliced::trickles);
  EXPECT_EQ(ended, Spliced::ended);
  sender.join();
  reader.join();
  EXPECT_TRUE(got == much);
  EXPECT_EQ(counter.bytes, much.size());
  EXPECT_EQ(pipes.lent(), 0u);
}

TEST_F(SpliceTest, LeavesMessagesToBeCopiedAndLosesNone) {
  from.peer.send("a message");
  start();
  EXPECT_EQ(result(), Spliced::trickles);
  EXPECT_EQ(to.peer.read(counter.bytes), std::string{"a message"}.substr(0, counter.bytes));
}

TEST_F(SpliceTest, HoldsNoPipeWhileNothingComes) {
  const std::string much = numbered(60'000);
  from.peer.send(much);
  start();
  run_until([&] { return counter.bytes == much.size(); });
  EXPECT_FALSE(ended) << "it was bulk: more may come";
  EXPECT_EQ(pipes.lent(), 0u);
  from.peer.send(much);
  run_until([&] { return counter.bytes == 2 * much.size(); });
  EXPECT_TRUE(to.peer.read(2 * much.size()) == much + much);
  from.peer.shut_down_write();
  EXPECT_EQ(result(), Spliced::ended);
}

TEST_F(SpliceTest, WaitsForAReaderThatIsSlow) {
  const std::string much = numbered(20'000'000);
  std::thread sender([&] {
    from.peer.send(much);
    from.peer.shut_down_write();
  });
  ended = Spliced::trickles;
  while (ended == Spliced::trickles && pipes.lent() == 0) {
    ended.reset();
    start();
    run_until([&] { return ended || pipes.lent() == 1; });
  }
  std::size_t stuck = 0;
  do {  // Until nothing moves any more.
    stuck = counter.bytes;
    settle();
  } while (counter.bytes != stuck);
  EXPECT_LT(counter.bytes, much.size());
  std::string got;
  std::thread reader([&] { got = to.peer.read(much.size()); });
  do {
    if (ended) start();
    ended.reset();
    result();
  } while (ended == Spliced::trickles);
  EXPECT_EQ(ended, Spliced::ended);
  sender.join();
  reader.join();
  EXPECT_TRUE(got == much);
}

TEST_F(SpliceTest, WithoutAPipeNothingIsTouched) {
  from.peer.send("message");
  std::array<Pipe, 2> others{pipes.take(), pipes.take()};
  start();
  EXPECT_EQ(result(), Spliced::trickles);
  EXPECT_EQ(counter.bytes, 0u);
  for (const Pipe& pipe : others) pipes.give(pipe);
  EXPECT_EQ(pipes.open(), 2u);
}

// What is left in it must not come out in somebody else's stream.
TEST_F(SpliceTest, APipeThatIsNotEmptyIsNotUsedAgain) {
  const std::string much = numbered(20'000'000);
  std::thread sender([&] { from.peer.send(much); });
  while (pipes.lent() == 0) {  // Until what nobody reads is stuck in it.
    ended.reset();
    start();
    run_until([&] { return ended || pipes.lent() == 1; });
    settle();
  }
  to.stream->cancel();
  EXPECT_EQ(result(), Spliced::broken);
  EXPECT_EQ(pipes.open(), 0u);
  const Pipe next = pipes.take();
  ASSERT_GE(next.out, 0);
  char byte = 0;
  EXPECT_LT(::read(next.out, &byte, 1), 0) << "it is empty";
  pipes.give(next);
  from.stream.reset();
  sender.join();
}

// Whoever is told what moved can end it.
TEST_F(SpliceTest, EndsWhenItIsToldTo) {
  counter.most = 10'000;
  from.peer.send(numbered(60'000));
  start();
  EXPECT_EQ(result(), Spliced::broken);
  EXPECT_EQ(pipes.lent(), 0u);
}

TEST_F(SpliceTest, EndsWhenItIsCancelled) {
  from.peer.send(numbered(60'000));
  start();
  run_until([&] { return counter.bytes == 60'000; });
  from.stream->cancel();
  EXPECT_EQ(result(), Spliced::broken);
}

TEST_F(SpliceTest, ABrokenReaderEndsIt) {
  from.peer.send(numbered(60'000));
  start();
  run_until([&] { return counter.bytes == 60'000; });
  to.peer.reset();
  from.peer.send(numbered(60'000));
  run_until([&] { return ended || counter.bytes > 60'000; });
  if (!ended) from.peer.send(numbered(60'000));
  EXPECT_EQ(result(), Spliced::broken);
  EXPECT_EQ(pipes.lent(), 0u);
}

TEST(PipePool, AsksSeldomWhileTheSystemHasNone) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  PipePool pool(4);
  ::setrlimit(RLIMIT_NOFILE, &none);
  EXPECT_LT(pool.take().out, 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  int refused = 0;
  Pipe pipe = pool.take();
  while (pipe.out < 0 && refused < 1000) {
    ++refused;
    pipe = pool.take();
  }
  EXPECT_EQ(refused, 64) << "each ask is a system call";
  ASSERT_GE(pipe.out, 0);
  EXPECT_GE(::fcntl(pipe.in, F_GETPIPE_SZ), 256 << 10);
  pool.give(pipe);
}

TEST(PipePool, KeepsWhatItMadeAndMakesNoMoreThanItMay) {
  PipePool pool(1);
  const Pipe first = pool.take();
  EXPECT_LT(pool.take().out, 0);
  pool.give(first);
  const Pipe again = pool.take();
  EXPECT_EQ(again.out, first.out);
  pool.give(again);
  EXPECT_EQ(pool.open(), 1u);
}

}  // namespace
}  // namespace lb::net
