// Goal: connections are taken on by the configuration, and never so many that the process would be
// out of descriptors.
#include "lbd/connection_limits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace lb::daemon {
namespace {

TEST(AdmissionLimits, LeaveDescriptorsForBothSidesAndAReserve) {
  const auto limits = [](std::uint32_t wanted, std::uint32_t descriptors) {
    return admission_limits({.max_connections = wanted}, descriptors, 20).connections;
  };
  EXPECT_EQ(limits(0, 1052), 500u) << "as many as there are descriptors for: (1052 - 20 - 32) / 2";
  EXPECT_EQ(limits(100, 1052), 100u);
  EXPECT_EQ(limits(501, 1052), 500u);
  EXPECT_EQ(limits(0, 1'048'576), 524'262u);
  for (const std::uint32_t few : {0u, 1u, 32u, 52u, 54u}) EXPECT_EQ(limits(10, few), 1u) << few;
}

TEST(AdmissionLimits, PassTheRestOn) {
  const auto limits = admission_limits({.max_connections_per_client = 7}, 1000, 20);
  EXPECT_EQ(limits.per_client, 7u);
  EXPECT_EQ(limits.descriptors, 968u);
}

TEST(AdmissionLimits, OfDescriptorsAreRaisedAsFarAsTheyGo) {
  rlimit limit{};
  const std::uint32_t raised = raise_descriptor_limit();
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
  EXPECT_EQ(raised, std::min<rlim_t>(limit.rlim_cur, 2'147'483'647));
}

}  // namespace
}  // namespace lb::daemon
