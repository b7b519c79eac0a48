// Goal: an endpoint is told and used as what it is, whatever family it is of.
// Method: words, round trips through the system's form, and sockets that are really opened.
#include "lbnet/endpoint.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace lb::net {
namespace {

Endpoint passed_through_the_system(const Endpoint& endpoint) {
  sockaddr_storage room{};
  const socklen_t size = endpoint.write_to(room);
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&room), size);
}

TEST(Endpoint, IsToldAsItIsConfigured) {
  const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
  const std::pair<Endpoint, const char*> known[] = {
      {{address("10.0.0.1"), 80}, "10.0.0.1:80"},
      {{address("::1"), 8080}, "[::1]:8080"},
      {Endpoint::unix_socket("/run/a b.sock"), "unix:/run/a b.sock"}};
  for (const auto& [endpoint, text] : known) {
    EXPECT_EQ(to_string(endpoint), text);
    EXPECT_TRUE(passed_through_the_system(endpoint) == endpoint) << text;
  }
  EXPECT_FALSE(known[0].first == known[1].first || known[0].first == known[2].first);
  EXPECT_EQ(address_of(known[2].first), "unix:");
  EXPECT_EQ(host_field(known[0].first, "shop:80"), "shop:80");
  EXPECT_EQ(host_field(known[2].first, "unix:/run/a b.sock"), "localhost");
  const std::string longest = "/" + std::string(kUnixPathMax - 1, 'x');
  const Endpoint full = Endpoint::unix_socket(longest);
  EXPECT_EQ(passed_through_the_system(full).path(), longest);
}

TEST(Endpoint, AClientOfAUnixSocketHasNoName) {
  const sockaddr_storage unnamed{.ss_family = AF_UNIX};
  const auto client =
      Endpoint::from(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t));
  EXPECT_TRUE(client.is_unix());
  EXPECT_EQ(client.path(), "");
}

TEST(Endpoint, WhatIsAcceptedSendsWithoutDelay) {
  const int listening = open_listening_socket({boost::asio::ip::address_v4::loopback(), 0});
  const int client = start_connecting(local_endpoint(listening));
  int accepted = -1;
  while ((accepted = ::accept(listening, nullptr, nullptr)) < 0 && errno == EAGAIN) {
  }
  for (const int fd : {client, accepted}) {
    int no_delay = 0;
    socklen_t size = sizeof(no_delay);
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    EXPECT_NE(no_delay, 0);
  }
  for (const int fd : {listening, client, accepted}) ::close(fd);
}

}  // namespace
}  // namespace lb::net
