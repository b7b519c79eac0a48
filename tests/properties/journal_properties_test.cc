// Goal: a journal that was cut, changed or made up is found out: reading ends cleanly or with the
// byte where it went wrong, and never anywhere else.
// Method: journals of generated runs, damaged in every way; and entries with a right check around
// bytes that are none, because whoever wants to do harm can compute a check.
#include <rapidcheck.h>

#include "lbcore/config/cluster_text.h"
#include "lbcore/journal/codec.h"
#include "lbcore/journal/replay.h"
#include "lbcore/journal/text.h"
#include "tests/testing/property.h"

namespace lb::journal {
namespace {

using namespace std::chrono_literals;
using testing::expect_property;

ClusterPlan small_plan() {
  ClusterPlan plan{ClusterId{1}, {}, {}, {}, {}};
  plan.config.name = "web";
  plan.config.outlier_ejection.emplace();
  plan.config.health_check.emplace();
  for (std::uint32_t id = 0; id < 3; ++id) {
    plan.config.backends.push_back({.id = std::to_string(id), .address = "127.0.0.1:80"});
    plan.backend_ids.push_back(BackendId{id});
    plan.health.push_back(HealthState::healthy);
    plan.ejected.push_back(id == 2);
  }
  return plan;
}

// A run in which every kind of entry comes.
std::string journal_of(std::uint64_t seed, std::uint32_t requests) {
  std::string bytes;
  Writer writer([&](std::string_view piece) { bytes += piece; });
  ClusterPlan plan = small_plan();
  Instant now{1h};
  Balancer balancer(now, plan, seed);
  balancer.tell(writer.begin(7, now, plan, seed));
  for (std::uint32_t n = 0; n < requests; ++n) {
    now += 1ms * static_cast<int>(seed % 5);
    const Start start = balancer.handle_request(now, {.key = seed + n, .priority = n % 3});
    if (!start) continue;
    if (!start->reused) balancer.handle_connected(now, start->request);
    balancer.handle_progress(now, start->request);
    balancer.handle_sent(now, start->request);
    const AttemptFacts facts{.idempotent = true, .body_replayable = true};
    if (n % 3 == 0) {
      const NextStep step =
          balancer.handle_attempt_failed(now, start->request, AttemptFailure::reset, facts);
      balancer.handle_timeout(now + 1s);
      while (balancer.poll_action()) {
      }
      if (step.kind != NextStep::Kind::retry) continue;
      if (const Start again = balancer.handle_attempt_due(now + 1s, start->request)) {
        balancer.handle_finished(now + 1s, again->request, Outcome::client_gone, false);
      }
      now += 1s;
    } else if (balancer.handle_answer(now, start->request, 200, facts).kind ==
               NextStep::Kind::deliver) {
      balancer.handle_finished(now, start->request, Outcome::success, true);
    }
  }
  balancer.handle_health(now, BackendId{1}, HealthState::unhealthy);
  balancer.handle_ejection(now, BackendId{2}, false);
  balancer.handle_sibling_load(now, 1, {{BackendId{0}, 3}, {BackendId{2}, 1}});
  balancer.handle_load_report(now, BackendId{0}, {2, 5ms});
  balancer.handle_connection_closed(now, ConnectionId{0, 0});
  balancer.handle_spare_connection(now, ConnectionId{9, 0}, true);
  static_cast<void>(balancer.take_tallies(now));
  plan.config.timeouts.idle += 1s;
  balancer.handle_config(now, plan);
  while (balancer.poll_action()) {
  }
  return bytes;
}

struct Damage {
  std::uint32_t how = 0;  // 0 cuts the end off, 1 flips bits, 2 takes out, 3 and 4 put in.
  std::uint32_t place = 0;
  std::uint8_t byte = 0;
};
void showValue(const Damage& damage, std::ostream& os) {
  os << "damage " << damage.how << " at " << damage.place << ", byte " << int{damage.byte};
}

rc::Gen<Damage> any_damage() {
  return rc::gen::build<Damage>(rc::gen::set(&Damage::how, rc::gen::inRange(0U, 5U)),
                                rc::gen::set(&Damage::place, rc::gen::inRange(0U, 100'000U)),
                                rc::gen::set(&Damage::byte));
}

void apply(const Damage& damage, std::string& bytes) {
  if (bytes.empty()) return;
  const std::size_t place = damage.place % bytes.size();
  switch (damage.how) {
    case 0: bytes.resize(place); break;
    case 1: bytes[place] = static_cast<char>(bytes[place] ^ damage.byte); break;
    case 2: bytes.erase(place, 1 + damage.byte % 8); break;
    default: bytes.insert(place, 1 + damage.byte % 8, static_cast<char>(damage.byte)); break;
  }
}

// Reads to the end, and puts every entry in words.
std::string read_all(std::string_view bytes, std::size_t& entries) {
  Reader reader(bytes);
  entries = 0;
  while (const auto entry = reader.next()) {
    ++entries;
    static_cast<void>(to_text(*entry));
  }
  RC_ASSERT(!reader.next().has_value());  // And there it stays.
  return reader.problem();
}

TEST(JournalProperty, DamageIsFoundAtTheByteWhereItBegins) {
  expect_property(
      [] {
        const std::string whole =
            journal_of(*rc::gen::inRange<std::uint64_t>(0, 50), *rc::gen::inRange(0U, 6U));
        std::string bytes = whole;
        for (const Damage& one : *rc::gen::resize(
                 4, rc::gen::nonEmpty(rc::gen::container<std::vector<Damage>>(any_damage())))) {
          apply(one, bytes);
        }
        std::size_t all = 0;
        RC_ASSERT(read_all(whole, all).empty());
        std::size_t entries = 0;
        const std::string problem = read_all(bytes, entries);
        RC_ASSERT(entries <= all);
        if (problem.empty()) {
          // Cut exactly between two entries, or not changed at all.
          RC_ASSERT(whole.starts_with(bytes));
          return;
        }
        if (!bytes.starts_with("LBJ2")) {
          RC_ASSERT(problem.starts_with("not a journal"));
          return;
        }
        RC_ASSERT(problem.starts_with("byte "));
        const std::size_t place = std::stoul(problem.substr(5));
        RC_ASSERT(place < bytes.size());
        // All that comes before it is as it was written.
        RC_ASSERT(whole.substr(0, place) == bytes.substr(0, place));
      },
      2000);
}

// Entry by entry: what is decoded encodes to the same bytes.
TEST(JournalProperty, WhatWasWrittenReadsBackAsTheSame) {
  expect_property(
      [] {
        const std::string bytes =
            journal_of(*rc::gen::inRange<std::uint64_t>(0, 50), *rc::gen::inRange(0U, 6U));
        std::string again = bytes.substr(0, 4);
        Instant last;
        std::uint64_t check = 0;
        Reader reader(bytes);
        while (const auto entry = reader.next()) {
          const std::string piece = encode(*entry, last);
          last = entry->at;
          check = combine(check, hash_bytes(piece));
          Encoder length;
          length.number(piece.size());
          again += length.take() + piece + static_cast<char>(check & 0xffU) +
                   static_cast<char>(check >> 8U & 0xffU);
        }
        RC_ASSERT(reader.problem().empty());
        RC_ASSERT(again == bytes);
        Reader anew(bytes);
        const Replayed replayed = replay(anew);
        RC_ASSERT(replayed.problem.empty());
        RC_ASSERT(!replayed.divergence.has_value());
        RC_ASSERT(replayed.brains == 1U);
      },
      100);
}

// The pieces between lengths and checks.
std::vector<std::string> entries_of(const std::string& bytes) {
  std::vector<std::string> entries;
  Instant last;
  Reader reader(bytes);
  while (const auto entry = reader.next()) {
    entries.push_back(encode(*entry, last));
    last = entry->at;
  }
  return entries;
}

TEST(JournalProperty, BytesThatAreNoEntryAreRefused) {
  const std::vector<std::string> entries = entries_of(journal_of(3, 6));
  expect_property(
      [&] {
        std::string bytes = *rc::gen::elementOf(entries);
        for (const Damage& one :
             *rc::gen::resize(4, rc::gen::container<std::vector<Damage>>(any_damage()))) {
          apply(one, bytes);
        }
        const Instant last{Duration{*rc::gen::arbitrary<std::int64_t>()}};
        const auto entry = decode(bytes, last);
        if (!entry) return;
        static_cast<void>(to_text(*entry));
        RC_ASSERT(encode(*entry, last).size() <= bytes.size() + 4096);
      },
      5000);
}

TEST(JournalProperty, AnyBytesAreReadWithoutHarm) {
  expect_property(
      [] {
        const auto any = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        std::size_t entries = 0;
        static_cast<void>(read_all("LBJ2" + any, entries));
        static_cast<void>(decode(any, Instant{}));
      },
      2000);
}

// A text that is nested without end is one more way to be hostile.
TEST(JournalProperty, AConfigurationNestedWithoutEndIsRefused) {
  for (const char* bracket : {"[", "{\"a\":"}) {
    std::string text;
    for (int n = 0; n < 100'000; ++n) text += bracket;
    EXPECT_FALSE(config::parse_cluster_text(text).has_value());
  }
}

}  // namespace
}  // namespace lb::journal
