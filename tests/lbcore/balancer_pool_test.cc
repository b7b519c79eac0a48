// Goal: connections are there before they are needed, are used for as long as they may be, and
// never lead to another backend than the one they were opened to. Method: the spoken fixture; what
// it asks to open and to close, by name.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class PoolTest : public BalancerFixture {
 protected:
  PoolTest() { have_backends({"b1"}); }
  std::uint32_t idle(const std::string& name) { return status(name).idle_connections; }
};

// However many of them a backend left behind when it was started again, a request meets one.
TEST_F(PoolTest, AfterADeadConnectionARequestHasOneOfItsOwn) {
  std::vector<Assignment> all;
  for (int n = 0; n < 5; ++n) all.push_back(request());
  for (const Assignment& a : all) send(a), answer(a), finish(a);
  EXPECT_EQ(idle("b1"), 5u);
  Assignment a = request();
  EXPECT_TRUE(a.reused);
  fail(a, AttemptFailure::reset);
  a = retry(a);
  EXPECT_FALSE(a.reused);
  send(a), answer(a), finish(a);
  EXPECT_EQ(idle("b1"), 5u);
  EXPECT_TRUE(request().reused) << "others are not told";
}

// -- The end of a connection's life

TEST_F(PoolTest, ClosesAConnectionThatIsTooOld) {
  config.connection_pool.max_age = 30s;
  config.connection_pool.idle_timeout = 20s;
  serve();
  advance(20s - 1ns);
  serve();
  EXPECT_EQ(balancer().counters().connections_opened, 1u);
  advance(10s);
  EXPECT_EQ(actions(), Names{});
  advance(1ns);
  EXPECT_EQ(actions(), Names{"close c1"}) << "30 s old, though used 10 s ago";
  EXPECT_FALSE(serve().reused);
}

TEST_F(PoolTest, DoesNotPutAnOldConnectionBack) {
  config.connection_pool.max_age = 30s;
  const Assignment a = request();
  send(a), answer(a);
  advance(30s);
  finish(a);
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b1"), 0u);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(PoolTest, ClosesAConnectionThatHasServedEnough) {
  config.connection_pool.max_requests = 3;
  EXPECT_FALSE(serve().reused);
  EXPECT_TRUE(serve().reused);
  EXPECT_EQ(actions(), Names{});
  EXPECT_TRUE(serve().reused);
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_FALSE(serve().reused);
}

TEST_F(PoolTest, OneRequestForEachConnection) {
  config.connection_pool.max_requests = 1;
  serve();
  EXPECT_EQ(actions(), Names{"close c1"});
  serve();
  EXPECT_EQ(actions(), Names{"close c2"});
}

// -- Connections that begin with a PROXY header, and so are one client's alone

TEST_F(PoolTest, KeepsNoConnectionThatBeganWithAHeader) {
  config.proxy_protocol = SentProxyHeader::v2;
  EXPECT_FALSE(serve().reused);
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b1"), 0u);
  EXPECT_FALSE(serve().reused);
  EXPECT_EQ(actions(), Names{"close c2"});
}

TEST_F(PoolTest, AReloadThatWantsHeadersClosesWhatIsIdle) {
  const Assignment in_use = request();
  serve();
  EXPECT_EQ(idle("b1"), 1u);
  EXPECT_EQ(actions(), Names{});
  config.proxy_protocol = SentProxyHeader::v1;
  reload();
  EXPECT_EQ(actions(), Names{"close c2"});
  send(in_use), answer(in_use), finish(in_use);
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_FALSE(serve().reused);
}

// -- Spare connections

TEST_F(PoolTest, WarmsUpWhoIsThereFromTheStart) {
  config.connection_pool.warm_up = 2;
  have_backends({"b1", "b2"});
  balancer();
  EXPECT_EQ(actions(), (Names{"open c1 to b1", "open c2 to b1", "open c3 to b2", "open c4 to b2"}));
  EXPECT_EQ(idle("b1"), 0u) << "they are opening";
  const ConnectionId spare = open_spare();
  EXPECT_EQ(idle("b1"), 1u);
  const Assignment a = request();
  EXPECT_TRUE(a.reused);
  EXPECT_EQ(a.connection, spare);
  EXPECT_EQ(actions(), Names{});
}

TEST_F(PoolTest, ASpareConnectionIsIdleLikeAnyOther) {
  config.connection_pool.warm_up = 1;
  balancer();
  actions();
  open_spare();
  EXPECT_EQ(next_timeout(), 55s);
  advance(55s);
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b1"), 0u);
}

TEST_F(PoolTest, OpensNothingWithoutAWarmUp) {
  balancer();
  reload();
  EXPECT_EQ(actions(), Names{});
}

TEST_F(PoolTest, NoMoreThanMayBeIdle) {
  config.connection_pool.warm_up = 5;
  config.connection_pool.max_idle_per_backend = 2;
  balancer();
  EXPECT_EQ(actions(), (Names{"open c1 to b1", "open c2 to b1"}));
}

TEST_F(PoolTest, WarmsUpWhoBecomesEligibleAndNobodyTwice) {
  config.connection_pool.warm_up = 1;
  have_health_check();
  have_backends({"b1", "b2"});
  balancer();
  EXPECT_EQ(actions(), Names{}) << "nobody is known to be well";
  make_healthy("b1");
  EXPECT_EQ(actions(), Names{"open c1 to b1"});
  make_healthy("b2");
  EXPECT_EQ(actions(), Names{"open c2 to b2"});
  reload();
  eject("b2");
  EXPECT_EQ(actions(), Names{});
  open_spare();
  open_spare();
  EXPECT_EQ(actions(), Names{"close c2"}) << "of no use while it is ejected";
  eject("b2", false);
  EXPECT_EQ(actions(), Names{"open c3 to b2"});
}

TEST_F(PoolTest, OpensExactlyWhatIsMissing) {
  config.connection_pool.warm_up = 3;
  have_backends({"b1", "b2"});
  balancer();
  EXPECT_EQ(actions().size(), 6u);
  open_spare();
  open_spare();
  open_spare(false);
  EXPECT_EQ(idle("b1"), 2u);
  eject("b1");
  EXPECT_EQ(actions(), Names{}) << "an ejected one keeps what it has";
  eject("b1", false);
  EXPECT_EQ(actions(), Names{"open c7 to b1"});
}

// A backend that flaps faster than connections open must not collect them.
TEST_F(PoolTest, WhatIsOpeningIsNotMissing) {
  config.connection_pool.warm_up = 2;
  have_backends({"b1", "b2"});
  balancer();
  EXPECT_EQ(actions(), (Names{"open c1 to b1", "open c2 to b1", "open c3 to b2", "open c4 to b2"}));
  for (int n = 0; n < 3; ++n) {
    eject("b1");
    eject("b1", false);
  }
  EXPECT_EQ(actions(), Names{});
  open_spare(false);
  eject("b1");
  eject("b1", false);
  EXPECT_EQ(actions(), Names{"open c5 to b1"});
}

TEST_F(PoolTest, WarmsUpABackupWhenItIsNeeded) {
  config.connection_pool.warm_up = 1;
  have_health_check();
  have_backends({"b1", "b2"});
  backend("b2").priority = 1;
  make_healthy("b2");
  make_healthy("b1");
  EXPECT_EQ(actions(), (Names{"open c1 to b2", "open c2 to b1"})) << "b2 was needed at first";
  open_spare(false);
  make_unhealthy("b1");
  EXPECT_EQ(actions(), Names{"open c3 to b2"});
  make_healthy("b1");
  EXPECT_EQ(actions(), Names{}) << "one to b1 is still opening";
}

TEST_F(PoolTest, APanicWarmsNobodyUp) {
  config.connection_pool.warm_up = 1;
  config.panic_threshold = 50;
  have_health_check();
  make_unhealthy("b1");
  EXPECT_TRUE(balancer().panicking());
  EXPECT_EQ(actions(), Names{}) << "they would be closed after one request anyway";
  make_healthy("b1");
  EXPECT_EQ(actions(), Names{"open c1 to b1"});
}

TEST_F(PoolTest, ASpareThatCameToNothingLeavesNothing) {
  config.connection_pool.warm_up = 1;
  balancer();
  actions();
  const ConnectionId spare = open_spare(false);
  EXPECT_EQ(actions(), Names{}) << "there is nothing to close";
  EXPECT_EQ(idle("b1"), 0u);
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_NE(request().connection, spare);
}

TEST_F(PoolTest, ASpareForAnUnhealthyBackendIsClosed) {
  config.connection_pool.warm_up = 1;
  have_health_check();
  make_healthy("b1");
  actions();
  make_unhealthy("b1");
  open_spare();
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b1"), 0u);
}

TEST_F(PoolTest, ASpareBeyondTheCapClosesTheOldest) {
  config.connection_pool.warm_up = 1;
  config.connection_pool.max_idle_per_backend = 1;
  balancer();
  actions();
  serve();  // c2
  open_spare();
  EXPECT_EQ(actions(), Names{"close c2"});
  EXPECT_EQ(idle("b1"), 1u);
}

TEST_F(PoolTest, ASpareForARemovedBackendIsClosed) {
  config.connection_pool.warm_up = 1;
  balancer();
  actions();
  have_backends({"b2"});
  reload();
  EXPECT_EQ(actions(), Names{"open c2 to b2"});
  open_spare();  // c1
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b2"), 0u);
  EXPECT_EQ(balancer().backends().size(), 1u) << "b1 is forgotten by now";
  EXPECT_EQ(next_timeout(), std::nullopt) << "and so is its drain";
}

// b3 gets the place that b1 had in the table: what was opened to b1 must never serve b3.
TEST_F(PoolTest, ASpareNeverGoesToTheSuccessorOfItsBackend) {
  config.connection_pool.warm_up = 1;
  have_backends({"b1", "b2"});
  balancer();
  actions();
  have_backends({"b2"});
  reload();
  config.connection_pool.warm_up = 0;
  have_backends({"b2", "b3"});
  reload();
  const ConnectionId spare = open_spare();
  EXPECT_EQ(actions(), Names{"close c1"});
  EXPECT_EQ(idle("b3"), 0u);
  for (int n = 0; n < 4; ++n) {
    const Assignment a = request();
    EXPECT_NE(a.connection, spare);
    EXPECT_FALSE(a.reused);
  }
}

TEST_F(PoolTest, ASpareThatFailsForARemovedBackendLetsItGo) {
  config.connection_pool.warm_up = 1;
  balancer();
  actions();
  const BackendId b1 = id_of("b1");
  have_backends({});
  reload();
  open_spare(false);
  EXPECT_FALSE(known(b1));
  EXPECT_EQ(actions(), Names{});
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(PoolTest, TheClosingOfAConnectionThatIsOpeningIsIgnored) {
  config.connection_pool.warm_up = 1;
  balancer();
  const auto asked = balancer().poll_action();
  ASSERT_TRUE(asked);
  balancer().handle_connection_closed(Instant{1h}, asked->connection);
  balancer().handle_spare_connection(Instant{1h}, asked->connection, true);
  EXPECT_EQ(idle("b1"), 1u);
}

TEST_F(PoolTest, ALowerCapClosesSparesToo) {
  config.connection_pool.warm_up = 3;
  balancer();
  actions();
  for (int n = 0; n < 3; ++n) open_spare();
  config.connection_pool.max_idle_per_backend = 1;
  reload();
  EXPECT_EQ(actions(), (Names{"close c1", "close c2"}));
}

}  // namespace
}  // namespace lb
