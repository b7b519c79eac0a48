// Goal: a Stream does what a socket does, wastes no system call on the way, and can be destroyed
// whatever is under way.
// Method: an io_context on the test's thread; the other end of the connection in the test's hands.
#include "lbnet/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <memory>
#include <optional>

#include "lbnet/endpoint.h"
#include "lbnet/task.h"
#include "tests/lbnet/counters.h"
#include "tests/lbnet/sockets.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::Peer;
using testing::socket_reads;

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() : StreamTest(connected_pair()) {}
  void start_anew() {
    const auto [ours, theirs] = connected_pair();
    stream_ = std::make_unique<Stream>(io_, ours);
    peer_ = Peer(theirs);
  }

  // Runs the loop until `done`.
  template <class Condition>
  void run_until(Condition&& done) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    while (!done() && std::chrono::steady_clock::now() < give_up) {
      io_.restart();
      io_.run_one_for(1ms);
    }
    EXPECT_TRUE(done()) << "it did not happen within five seconds";
  }
  // Carries out what can be done now, and no more.
  void settle() {
    for (int n = 0; n < 3; ++n) {
      io_.restart();
      io_.poll();
    }
  }

  // Starts to read; the result appears in result_.
  void read() {
    result_.reset();
    spawn(read_once());
  }
  std::optional<IoError> result() {
    run_until([&] { return result_.has_value(); });
    return result_;
  }
  std::string taken() {
    std::string text{in_.view()};
    in_.clear();
    return text;
  }

  boost::asio::io_context io_{1};
  BufferPool pool_;
  Buffer in_{pool_};
  std::unique_ptr<Stream> stream_;
  Peer peer_;
  std::optional<IoError> result_;

 private:
  explicit StreamTest(std::pair<int, int> pair)
      : stream_(std::make_unique<Stream>(io_, pair.first)), peer_(pair.second) {}

  // Ours does not block, the other does.
  static std::pair<int, int> connected_pair() {
    const int listening = testing::bind_free_port();
    ::listen(listening, 1);
    const int ours = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = testing::loopback(testing::port_of(listening));
    EXPECT_EQ(::connect(ours, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const int theirs = ::accept(listening, nullptr, nullptr);
    ::close(listening);
    ::fcntl(ours, F_SETFL, O_NONBLOCK);
    return {ours, theirs};
  }
  Task<void> read_once() { result_ = co_await stream_->read_into(in_); }
};

TEST_F(StreamTest, ReadsWhatIsThereAndWaitsForWhatIsNot) {
  peer_.send("one");
  read();
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "one");
  read();
  settle();
  EXPECT_FALSE(result_.has_value());
  peer_.send("two");
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "two");
}

TEST_F(StreamTest, AddsToWhatTheBufferHas) {
  in_.append("one ");
  peer_.send("two");
  read();
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "one two");
}

TEST_F(StreamTest, ReadsOnceForEachThingThatComesAndNeverInVain) {
  peer_.send("first");
  read();
  EXPECT_EQ(result(), 0);
  const auto before = socket_reads();
  for (int n = 0; n < 10; ++n) {
    taken();
    read();  // The last one came up short: nothing is there.
    settle();
    peer_.send("more");
    EXPECT_EQ(result(), 0);
  }
  EXPECT_EQ(socket_reads().all - before.all, 10u);
  EXPECT_EQ(socket_reads().in_vain - before.in_vain, 0u);
}

TEST_F(StreamTest, GivesTheBufferBackWhileItWaits) {
  Buffer other(pool_);
  read();
  settle();
  const char* const memory = other.room().data();
  other.rest();
  peer_.send("x");
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(in_.view().data(), memory);
}

TEST_F(StreamTest, TellsTheEndFromABreak) {
  peer_.send("last");
  peer_.close();
  read();
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "last");
  read();
  EXPECT_EQ(result(), kEndOfStream);
  EXPECT_TRUE(in_.empty());
}

// Bytes and the end in one packet: epoll tells of both once, and the bytes are a short read, after
// which nothing more is expected. The end must not get lost.
TEST_F(StreamTest, NoticesAnEndThatCameWithTheLastBytes) {
  for (const bool broken : {false, true}) {
    start_anew();
    read();
    settle();
    peer_.send("last");
    broken ? peer_.reset() : peer_.close();
    EXPECT_EQ(result(), 0);
    EXPECT_EQ(taken(), "last");
    read();
    EXPECT_EQ(result(), broken ? ECONNRESET : kEndOfStream);
  }
}

// A read stops in front of urgent data, however much is behind them, and they come but once.
TEST_F(StreamTest, ReadsOnBehindUrgentData) {
  read();
  settle();
  peer_.send("before");
  peer_.send_urgent('!');
  peer_.send("behind");
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "before");
  read();
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "behind");
}

TEST_F(StreamTest, ReportsAReset) {
  read();
  settle();
  peer_.reset();
  EXPECT_EQ(result(), ECONNRESET);
}

TEST_F(StreamTest, AReadThatIsCancelledCanBeMadeAgain) {
  read();
  settle();
  stream_->cancel();
  EXPECT_FALSE(result_.has_value()) << "soon, not at once";
  EXPECT_EQ(result(), ECANCELED);
  read();
  peer_.send("x");
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken(), "x");
}

TEST_F(StreamTest, CancellingNothingDoesNothing) {
  stream_->cancel();
  peer_.send("x");
  read();
  EXPECT_EQ(result(), 0);
}

// -- Reads that nobody awaits

void count(void* calls) { ++*static_cast<int*>(calls); }

TEST_F(StreamTest, CallsTheWatcherOfAReadThatNobodyAwaits) {
  int calls = 0;
  stream_->on_unawaited_read(&count, &calls);
  stream_->start_read_into(in_);
  settle();
  EXPECT_EQ(calls, 0);
  peer_.send("x");
  run_until([&] { return calls > 0; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(in_.view(), "x");
}

TEST_F(StreamTest, ALaterReadTakesTheResultOfTheWatch) {
  int calls = 0;
  stream_->on_unawaited_read(&count, &calls);
  stream_->start_read_into(in_);
  peer_.send("x");
  run_until([&] { return calls > 0; });
  const auto before = socket_reads();
  read();
  EXPECT_EQ(result_, 0) << "at once";
  EXPECT_EQ(socket_reads().all, before.all);
  EXPECT_EQ(taken(), "x");
}

TEST_F(StreamTest, ALaterReadWaitsOnWithTheWatch) {
  int calls = 0;
  stream_->on_unawaited_read(&count, &calls);
  stream_->start_read_into(in_);
  settle();
  const auto before = socket_reads();
  read();
  settle();
  EXPECT_FALSE(result_.has_value());
  peer_.send("x");
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(calls, 0) << "somebody waited";
  EXPECT_EQ(socket_reads().all - before.all, 1u);
}

TEST_F(StreamTest, TheWatcherLearnsOfTheEnd) {
  int calls = 0;
  stream_->on_unawaited_read(&count, &calls);
  stream_->start_read_into(in_);
  peer_.close();
  run_until([&] { return calls > 0; });
  EXPECT_TRUE(in_.empty());
}

// -- Destruction

TEST_F(StreamTest, CanBeDestroyedWhileItWatches) {
  stream_->start_read_into(in_);
  settle();
  stream_.reset();
  settle();
  EXPECT_TRUE(peer_.at_end());
}

TEST_F(StreamTest, CanBeDestroyedWithAResultThatNobodyTook) {
  stream_->start_read_into(in_);
  peer_.send("x");
  run_until([&] { return !in_.empty(); });
  stream_.reset();
  settle();
}

TEST_F(StreamTest, CanBeDestroyedBetweenAResultAndItsDelivery) {
  peer_.send(std::string(kBufferSize, 'y'));
  peer_.send("x");
  run_until([&] {
    int there = 0;
    ::ioctl(stream_->fd(), FIONREAD, &there);
    return there > static_cast<int>(kBufferSize);
  });
  read();
  EXPECT_EQ(result(), 0);
  EXPECT_EQ(taken().size(), kBufferSize);
  stream_->start_read_into(in_);  // The last one was full: it tries at once, and has it.
  EXPECT_EQ(in_.view(), "x");
  stream_.reset();  // Before the loop has said so.
  settle();
}

TEST_F(StreamTest, CanBeDestroyedByItsWatcher) {
  stream_->on_unawaited_read(
      [](void* stream) { static_cast<std::unique_ptr<Stream>*>(stream)->reset(); }, &stream_);
  stream_->start_read_into(in_);
  peer_.send("x");
  run_until([&] { return stream_ == nullptr; });
}

TEST_F(StreamTest, CanBeLeftToALoopThatNeverRunsAgain) {
  stream_->start_read_into(in_);
  settle();
  stream_.reset();
}

TEST_F(StreamTest, EndsWithAResetOnRequest) {
  stream_->reset_when_destroyed();
  stream_.reset();
  EXPECT_TRUE(peer_.was_reset());
}

// -- Writing

TEST_F(StreamTest, WritesPiecesInOneGo) {
  const std::array<std::string_view, 4> pieces{"a", "", "bc", "def"};
  EXPECT_TRUE(stream_->try_write(pieces));
  EXPECT_EQ(stream_->write_error(), 0);
  EXPECT_EQ(peer_.read(6), "abcdef");
  EXPECT_TRUE(stream_->try_write({}));
  EXPECT_EQ(stream_->write_error(), 0);
}

class LargeWrite : public StreamTest {
 protected:
  LargeWrite() {
    for (std::size_t n = 0; n < 3; ++n) texts_[n] = std::string(3'000'000 + n, "abc"[n]);
    for (std::size_t n = 0; n < 3; ++n) pieces_[n] = texts_[n];
    all_ = texts_[0] + texts_[1] + texts_[2];
  }
  void write() { spawn(write_once()); }

  std::string all_;
  std::optional<IoError> written_;

 private:
  Task<void> write_once() {
    const bool done = stream_->try_write(pieces_);
    EXPECT_FALSE(done);
    if (!done) written_ = co_await stream_->finish_write();
  }
  std::array<std::string, 3> texts_;
  std::array<std::string_view, 3> pieces_;
};

TEST_F(LargeWrite, FinishesWhenThePeerReads) {
  write();
  settle();
  EXPECT_FALSE(written_.has_value());
  std::string got;
  run_until([&] {
    got += peer_.read_what_is_there();
    return written_.has_value() && got.size() == all_.size();
  });
  EXPECT_EQ(written_, 0);
  EXPECT_TRUE(got == all_);
}

TEST_F(LargeWrite, GoesOnBesideARead) {
  write();
  read();
  settle();
  peer_.send("x");
  EXPECT_EQ(result(), 0);
  EXPECT_FALSE(written_.has_value());
  std::size_t got = 0;
  run_until([&] {
    got += peer_.read_what_is_there().size();
    return written_.has_value();
  });
  EXPECT_EQ(written_, 0);
}

TEST_F(LargeWrite, CanBeCancelled) {
  write();
  settle();
  stream_->cancel();
  run_until([&] { return written_.has_value(); });
  EXPECT_EQ(written_, ECANCELED);
}

TEST_F(LargeWrite, FailsWhenThePeerBreaks) {
  write();
  settle();
  peer_.reset();
  run_until([&] { return written_.has_value(); });
  EXPECT_EQ(written_, ECONNRESET);
}

TEST_F(StreamTest, SaysThatNobodyListensAnyMore) {
  stream_->shut_down_write();
  EXPECT_TRUE(peer_.at_end());
  const std::string_view piece = "x";
  EXPECT_TRUE(stream_->try_write({&piece, 1}));
  EXPECT_EQ(stream_->write_error(), EPIPE);
}

// -- Connecting

TEST_F(StreamTest, FinishesAConnection) {
  testing::TestBackend backend;
  const int fd = start_connecting({boost::asio::ip::address_v4::loopback(), backend.port()});
  ASSERT_GE(fd, 0);
  Stream made(io_, fd);
  std::optional<IoError> error;
  const auto connect = [&]() -> Task<void> { error = co_await made.finish_connect(); };
  spawn(connect());
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(error, 0);
  EXPECT_TRUE(backend.somebody_waits());
}

TEST_F(StreamTest, LearnsThatAConnectionIsRefused) {
  const testing::RefusingPort nobody;
  const int fd = start_connecting({boost::asio::ip::address_v4::loopback(), nobody.port()});
  if (fd < 0) {  // The kernel may know at once.
    EXPECT_EQ(errno, ECONNREFUSED);
    return;
  }
  Stream made(io_, fd);
  std::optional<IoError> error;
  const auto connect = [&]() -> Task<void> { error = co_await made.finish_connect(); };
  spawn(connect());
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(StreamTest, AllocatesNothingOnceItIsWarm) {
  const auto exchange = [&] {
    peer_.send("ping");
    read();
    result();
    in_.clear();
    const std::string_view piece = "pong";
    EXPECT_TRUE(stream_->try_write({&piece, 1}));
  };
  exchange();
  exchange();
  const std::uint64_t before = lb::testing::allocations();
  for (int n = 0; n < 1000; ++n) exchange();
  EXPECT_EQ(lb::testing::allocations() - before, 0u);
}

}  // namespace
}  // namespace lb::net
