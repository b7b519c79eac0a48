// Goal: tickets can be read for as long as promised and no longer, and new keys take over in time.
// Method: time is an argument.
#include "lbnet/tls/ticket_keys.h"

#include <gtest/gtest.h>

namespace lb::net::tls {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000h};

TEST(TicketKeys, OneIsUsedForTwelveHours) {
  TicketKeys keys;
  const TicketKey first = keys.current(kStart);
  EXPECT_EQ(keys.current(kStart + 12h - 1ns).name, first.name);
  const TicketKey second = keys.current(kStart + 12h);
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.encryption, first.encryption);
  EXPECT_NE(second.signature, first.signature);
}

TEST(TicketKeys, TwoOldOnesAreStillKnownAndSaidToBeOld) {
  TicketKeys keys;
  const TicketKey first = keys.current(kStart);
  EXPECT_TRUE(keys.find(kStart, first.name)->current);
  for (const auto later : {12h, 24h}) {
    const auto found = keys.find(kStart + later, first.name);
    ASSERT_TRUE(found) << later.count();
    EXPECT_FALSE(found->current);
    EXPECT_EQ(found->key.encryption, first.encryption);
  }
  EXPECT_FALSE(keys.find(kStart + 36h, first.name));
}

TEST(TicketKeys, WhatIsTooOldIsNotReadAfterALongSilenceEither) {
  TicketKeys keys;
  const TicketKey first = keys.current(kStart);
  EXPECT_FALSE(keys.find(kStart + 100h, first.name));
}

TEST(TicketKeys, NobodyElsesIsKnown) {
  TicketKeys keys, others;
  EXPECT_FALSE(keys.find(kStart, others.current(kStart).name));
}

}  // namespace
}  // namespace lb::net::tls
