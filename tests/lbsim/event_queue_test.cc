// Goal: events come out in order of their instants, and in the order they went in where those are
// equal, whatever is pushed and popped in between.
// Method: the same operations on a sorted list, by RapidCheck.
#include "lbsim/event_queue.h"

#include "tests/testing/property.h"

namespace lb::sim {
namespace {

using namespace std::chrono_literals;

Event event_at(std::int64_t at, std::uint32_t name) {
  return {.at = Instant{Duration{at}}, .kind = EventKind::arrival, .a = name};
}

TEST(EventQueue, KeepsTheOrderOfInsertionWhereInstantsAreEqual) {
  EventQueue queue;
  for (std::uint32_t name = 0; name < 1000; ++name) queue.push(event_at(name % 3, name));
  for (std::uint32_t instant = 0; instant < 3; ++instant) {
    for (std::uint32_t name = instant; name < 1000; name += 3) EXPECT_EQ(queue.pop().a, name);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, GivesBackWhatWasPutIn) {
  EventQueue queue;
  queue.push({.at = Instant{5ms},
              .kind = EventKind::idle_broken,
              .a = 1,
              .b = 2,
              .c = 0xffffffffffffffffU});
  const Event event = queue.pop();
  EXPECT_EQ(event.at, Instant{5ms});
  EXPECT_EQ(event.kind, EventKind::idle_broken);
  EXPECT_EQ(event.a, 1u);
  EXPECT_EQ(event.b, 2u);
  EXPECT_EQ(event.c, 0xffffffffffffffffU);
}

TEST(EventQueueProperty, DoesWhatAStableSortWould) {
  testing::expect_property(
      [] {
        EventQueue queue;
        std::vector<Event> model;  // In order of insertion.
        std::uint32_t names = 0;
        const auto pop = [&] {
          // The first of the earliest: what a stable sort would put in front.
          const auto first =
              std::min_element(model.begin(), model.end(),
                               [](const Event& a, const Event& b) { return a.at < b.at; });
          const Event event = queue.pop();
          RC_ASSERT(event.a == first->a);
          RC_ASSERT(event.at == first->at);
          model.erase(first);
        };
        // Few instants, so that many are equal; a negative one pops.
        for (const int at : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-8, 12))) {
          if (at >= 0) {
            model.push_back(event_at(at, names++));
            queue.push(model.back());
          } else if (!model.empty()) {
            pop();
          }
          RC_ASSERT(queue.empty() == model.empty());
        }
        while (!model.empty()) pop();
        RC_ASSERT(queue.empty());
      },
      1000);
}

}  // namespace
}  // namespace lb::sim
