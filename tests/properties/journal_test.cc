// Goal: what the properties of journals cannot say by chance: time may go backwards between brains,
// nothing may stand behind an entry, a length is not believed, and a replay notices.
// Method: journals written by hand, in which one thing is wrong.
#include <gtest/gtest.h>

#include <limits>

#include "lbcore/journal/codec.h"
#include "lbcore/journal/replay.h"

namespace lb::journal {
namespace {

using namespace std::chrono_literals;

ClusterPlan plan_of(std::uint32_t backends) {
  ClusterPlan plan{ClusterId{1}, {}, {}, {}, {}};
  plan.config.name = "web";
  for (std::uint32_t id = 0; id < backends; ++id) {
    plan.config.backends.push_back({.id = std::to_string(id), .address = "127.0.0.1:80"});
    plan.backend_ids.push_back(BackendId{id});
    plan.health.push_back(HealthState::healthy);
  }
  return plan;
}

TEST(JournalEntry, MayBeEarlierThanTheOneBeforeIt) {
  const Entry entry{3, Instant{5ms}, Said{input::TimePassed{}, {}}};
  for (const Instant last : {Instant{9ms}, Instant{5ms}, Instant{1ms}, Instant{-1h}}) {
    const auto read = decode(encode(entry, last), last);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->at, entry.at) << last.time_since_epoch().count();
    EXPECT_EQ(read->brain, 3u);
  }
}

TEST(JournalEntry, HasNothingBehindIt) {
  const std::string bytes = encode({3, Instant{5ms}, Said{input::TimePassed{}, {}}}, Instant{});
  EXPECT_TRUE(decode(bytes, Instant{}).has_value());
  EXPECT_FALSE(decode(bytes + '\0', Instant{}).has_value());
}

TEST(JournalFile, SaysThatItIsOfAnotherVersion) {
  EXPECT_EQ(Reader("LBJ1...").problem(),
            "not a journal of this version: it begins with \"LBJ1\", not with \"LBJ2\"");
  EXPECT_EQ(Reader("text").problem(), "not a journal: it does not begin with \"LBJ2\"");
}

TEST(JournalFile, ALengthIsNotBelieved) {
  for (const std::uint64_t length :
       {std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max() - 1,
        std::uint64_t{1} << 40U, std::uint64_t{9}}) {
    Encoder encoder;
    encoder.number(length);
    const std::string bytes = "LBJ2" + encoder.take() + "12345678";
    Reader reader(bytes);
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.problem(), "byte 4: the file ends in the middle of an entry") << length;
  }
}

// A journal of one brain with two backends, in which `lie` is written down as well.
template <class Lie>
Replayed replay_with(Lie lie) {
  std::string bytes;
  Writer writer([&](std::string_view piece) { bytes += piece; });
  const ClusterPlan plan = plan_of(2);
  Balancer balancer(Instant{}, plan, 1);
  Journal* journal = writer.begin(0, Instant{}, plan, 1);
  balancer.tell(journal);
  static_cast<void>(balancer.handle_request(Instant{1ms}, {.key = 1}));
  lie(*journal);
  Reader reader(bytes);
  return replay(reader);
}

TEST(JournalReplay, FindsNothingWhereNothingIsWrong) {
  const Replayed replayed = replay_with([](Journal&) {});
  EXPECT_EQ(replayed.problem, "");
  EXPECT_FALSE(replayed.divergence.has_value());
  EXPECT_EQ(replayed.entries, 2u);
  EXPECT_EQ(replayed.answers, 1u);
}

TEST(JournalReplay, AnAnswerThatDiffersIsADivergence) {
  const Replayed replayed = replay_with([](Journal& journal) {
    journal.handled(Instant{2ms}, input::Request{{.key = 2}},
                    Start{.kind = Start::Kind::refused, .outcome = Outcome::no_backend});
  });
  ASSERT_TRUE(replayed.divergence.has_value());
  EXPECT_EQ(replayed.divergence->entry, 3u);
  EXPECT_NE(replayed.divergence->expected.find("no_backend"), std::string::npos)
      << replayed.divergence->expected;
  EXPECT_NE(replayed.divergence->found, replayed.divergence->expected);
}

TEST(JournalReplay, AnActionThatDoesNotComeIsADivergence) {
  const Replayed replayed = replay_with([](Journal& journal) {
    journal.acted({.kind = Action::Kind::close_connection, .connection = ConnectionId{0, 0}});
  });
  ASSERT_TRUE(replayed.divergence.has_value());
  EXPECT_EQ(replayed.divergence->found, "nothing");
}

}  // namespace
}  // namespace lb::journal
