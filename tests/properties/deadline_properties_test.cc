// Goal: deadlines fire in order of time, then in the order they were set; none early, none lost,
// none that was cancelled.
// Method: any sequence of calls to a DeadlineTable next to a plain list.
#include <rapidcheck.h>

#include <algorithm>

#include "lbcore/deadline_table.h"
#include "tests/testing/property.h"

namespace lb::testing {
namespace {

struct Listed {
  Instant at;
  std::uint64_t subject;  // Grows with every deadline that is set.
  DeadlineId id;
  DeadlineKind kind;
};

void fire_all(DeadlineTable& table, std::vector<Listed>& list, Instant now) {
  std::stable_sort(list.begin(), list.end(),
                   [](const Listed& a, const Listed& b) { return a.at < b.at; });
  while (!list.empty() && list.front().at <= now) {
    const auto expired = table.pop_expired(now);
    RC_ASSERT(expired.has_value());
    RC_ASSERT(expired->subject == list.front().subject);
    RC_ASSERT(expired->at == list.front().at);
    RC_ASSERT(expired->kind == list.front().kind);
    list.erase(list.begin());
  }
  RC_ASSERT(!table.pop_expired(now).has_value());
}

TEST(Deadlines, FireInOrderAndNoneIsLost) {
  expect_property(
      [] {
        struct Step {
          unsigned what, kind, value;
        };
        const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
            rc::gen::set(&Step::what, rc::gen::weightedElement<unsigned>({{6, 0}, {2, 1}, {2, 2}})),
            rc::gen::set(&Step::kind, rc::gen::inRange(0U, 3U)),
            rc::gen::set(&Step::value, rc::gen::inRange(0U, 1000U))));
        DeadlineTable table;
        std::vector<Listed> list;
        std::uint64_t subject = 0;
        Instant now;
        for (const Step& step : steps) {
          if (step.what == 0) {
            const Instant at = now + Duration{step.value};
            const auto kind = static_cast<DeadlineKind>(step.kind);
            list.push_back({at, ++subject, table.set(kind, at, subject), kind});
          } else if (step.what == 1 && !list.empty()) {
            const auto chosen =
                list.begin() + static_cast<std::ptrdiff_t>(step.value % list.size());
            RC_ASSERT(table.contains(chosen->id));
            table.cancel(chosen->id);
            RC_ASSERT(chosen->id == DeadlineId{});
            list.erase(chosen);
          } else {
            now += Duration{step.value / 4};
            fire_all(table, list, now);
          }
          RC_ASSERT(table.size() == list.size());
          const auto earliest = std::min_element(
              list.begin(), list.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
          RC_ASSERT(table.earliest().has_value() == !list.empty());
          if (!list.empty()) RC_ASSERT(*table.earliest() == earliest->at);
        }
        fire_all(table, list, now + Duration{1000});
        RC_ASSERT(table.size() == 0U);
      },
      1000);
}

}  // namespace
}  // namespace lb::testing
