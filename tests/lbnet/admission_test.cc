// Goal: never more connections than places, of all or of one client; and nobody waits for a place
// that is free.
// Method: places taken and given back in every order, and by several threads at once.
#include "lbnet/admission.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "lbnet/descriptors.h"

namespace lb::net {
namespace {

TEST(Admission, HasAsManyPlacesAsItIsTold) {
  Admission admission;
  admission.set({.connections = 2});
  Place first = admission.take_place();
  std::optional<Place> second = admission.take_place();
  EXPECT_TRUE(first && *second);
  EXPECT_FALSE(admission.take_place());
  second.reset();
  second = admission.take_place();
  EXPECT_TRUE(*second);
  const Place moved = std::move(first);
  EXPECT_FALSE(first) << "a place goes along";
  EXPECT_FALSE(admission.take_place());
}

TEST(Admission, LimitsNobodyUnlessItIsTold) {
  Admission admission;
  std::vector<Place> places;
  for (int n = 0; n < 1000; ++n) {
    places.push_back(admission.take_place());
    EXPECT_TRUE(places.back() && places.back().assign_to(7));
  }
  EXPECT_FALSE(admission.limits_clients());
  EXPECT_FALSE(admission.is_reserved(1'000'000));
}

TEST(Admission, CallsWhoWaitsOnceWhenAPlaceIsFree) {
  Admission admission;
  admission.set({.connections = 1});
  std::optional<Place> place = admission.take_place();
  int called = 0;
  admission.call_when_free([&] { ++called; });
  EXPECT_EQ(called, 0);
  place.reset();
  EXPECT_EQ(called, 1);
  place = admission.take_place();
  place.reset();
  EXPECT_EQ(called, 1) << "whoever still wants a place asks again";
  admission.call_when_free([&] { ++called; });
  EXPECT_EQ(called, 2) << "there is one: nobody would call later";
}

TEST(Admission, CallsWhoWaitsWhenItHasMorePlaces) {
  Admission admission;
  admission.set({.connections = 1});
  const Place place = admission.take_place();
  int called = 0;
  admission.call_when_free([&] { ++called; });
  admission.set({.connections = 2});
  EXPECT_EQ(called, 1);
}

TEST(Admission, FewerPlacesDriveNobodyOut) {
  Admission admission;
  std::vector<Place> places;
  for (int n = 0; n < 3; ++n) places.push_back(admission.take_place());
  admission.set({.connections = 2});
  places.pop_back();
  EXPECT_FALSE(admission.take_place());
  places.pop_back();
  EXPECT_TRUE(admission.take_place());
}

TEST(Admission, CountsEachClientByItself) {
  Admission admission;
  admission.set({.per_client = 2});
  const auto come = [&](HashKey client) -> std::optional<Place> {
    Place place = admission.take_place();
    if (!place.assign_to(client)) return std::nullopt;
    return place;
  };
  std::optional<Place> first = come(1);
  const std::optional<Place> second = come(1);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(come(1));
  EXPECT_TRUE(come(2)) << "another client";
  EXPECT_TRUE(come(17)) << "one that is counted beside the first";
  first.reset();
  first = come(1);
  EXPECT_TRUE(first);
  EXPECT_FALSE(come(1)) << "one that is refused is not counted";
}

TEST(Admission, HoldsItsLimitsWhateverThreadsDo) {
  constexpr std::uint32_t kPlaces = 3;
  Admission admission;
  admission.set({.connections = kPlaces, .per_client = 2});
  std::atomic<std::uint32_t> inside = 0;
  std::atomic<std::uint32_t> most = 0;
  std::atomic<std::uint32_t> served = 0;
  const auto work = [&](HashKey client) {
    for (int n = 0; n < 5000; ++n) {
      Place place = admission.take_place();
      while (!place) {
        const auto called = std::make_shared<std::atomic<bool>>(false);
        admission.call_when_free([called] {
          *called = true;
          called->notify_one();
        });
        called->wait(false);  // For ever, if a place is given back and nobody is called.
        place = admission.take_place();
      }
      const std::uint32_t now = ++inside;
      if (now > most) most = now;
      if (place.assign_to(client)) ++served;
      --inside;
    }
  };
  std::vector<std::thread> threads;
  for (HashKey client = 1; client <= 4; ++client) threads.emplace_back(work, client);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, kPlaces);
  EXPECT_EQ(served, 20'000u) << "no client has more than one at a time";
  std::vector<Place> places;
  for (std::uint32_t n = 0; n < kPlaces; ++n) {
    places.push_back(admission.take_place());
    EXPECT_TRUE(places.back() && places.back().assign_to(1 + n % 2)) << "all were given back";
  }
}

TEST(Descriptors, AreCounted) {
  const std::uint32_t before = open_descriptors();
  const int pair[] = {::dup(0), ::dup(0)};
  EXPECT_EQ(open_descriptors(), before + 2);
  for (const int fd : pair) ::close(fd);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(short_of_descriptors());
}

}  // namespace
}  // namespace lb::net
