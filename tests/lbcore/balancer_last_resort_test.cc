// Goal: ejections, which are guesses, never cost a request its last chance.
// Method: the spoken fixture with backends that are ejected while the others fail or go.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;
using Kind = NextStep::Kind;

class LastResortTest : public BalancerFixture {
 protected:
  LastResortTest() { have_backends({"b1", "b2"}); }
};

TEST_F(LastResortTest, ARequestThatFailedOnAllOthersTriesAnEjectedBackend) {
  eject("b1");
  Assignment a = request();
  EXPECT_EQ(who(a), "b2");
  fail(a, AttemptFailure::connect_failure);
  a = retry(a);
  EXPECT_EQ(who(a), "b1");
  EXPECT_EQ(a.reason, PickReason::last_resort);
  send(a), answer(a), finish(a);
  EXPECT_EQ(who(request()), "b2") << "it is ejected still";
}

TEST_F(LastResortTest, IsTheOneWithTheLeastToDo) {
  have_backends({"b1", "b2", "b3"});
  const Assignment busy = request_to("b1");
  eject("b1"), eject("b2");
  const Assignment a = request();
  EXPECT_EQ(who(a), "b3");
  fail(a, AttemptFailure::connect_failure);
  EXPECT_EQ(who(retry(a)), "b2");
  leave(busy);
}

TEST_F(LastResortTest, IsNeverOneThatIsSickOrFullOrWasTried) {
  have_backends({"b1", "b2", "b3", "b4"});
  config.health_check.emplace();
  config.limits.max_in_flight_per_backend = 1;
  reload();
  for (const char* name : {"b1", "b2", "b3", "b4"}) make_healthy(name);
  const Assignment full = request_to("b1");
  Assignment a = request_to("b2");
  eject("b1"), eject("b2"), eject("b3");
  make_unhealthy("b3");
  fail(a, AttemptFailure::connect_failure);
  a = retry(a);
  EXPECT_EQ(who(a), "b4");
  fail(a, AttemptFailure::connect_failure);
  EXPECT_EQ(who(retry(a)), "b4") << "b1 is full, b2 was tried, b3 is sick";
  leave(full);
}

TEST_F(LastResortTest, EjectionsCountForNothingWhenNobodyIsLeft) {
  config.health_check.emplace();
  reload();
  make_healthy("b1"), make_healthy("b2");
  eject("b1");
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"}));
  make_unhealthy("b2");
  EXPECT_EQ(next_picks(2), (Names{"b1", "b1"}));
  make_healthy("b2");
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"})) << "and count again when somebody is";
}

}  // namespace
}  // namespace lb
