// Goal: a reserved port is nobody else's, and is refused until its owner listens.
#include "harness/ports.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <set>
#include <vector>

#include "harness/fake_backend.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;

boost::system::error_code connect_to(boost::asio::io_context& io, std::uint16_t port) {
  tcp::socket socket(io);
  boost::system::error_code error;
  socket.connect({boost::asio::ip::address_v4::loopback(), port}, error);
  return error;
}

TEST(PortReservation, IsRefusedWhileNobodyListens) {
  boost::asio::io_context io;
  const PortReservation reservation;
  EXPECT_EQ(connect_to(io, reservation.port()), boost::asio::error::connection_refused);
}

TEST(PortReservation, ItsOwnerCanListenOnItAndComeBack) {
  const PortReservation reservation;
  for (int life = 0; life < 2; ++life) {
    boost::asio::io_context io;
    const FakeBackend backend(io, {.port = reservation.port()});
    EXPECT_FALSE(connect_to(io, reservation.port()));
  }
  boost::asio::io_context io;
  EXPECT_EQ(connect_to(io, reservation.port()), boost::asio::error::connection_refused);
}

TEST(PortReservation, NobodyWhoAsksForAnyPortGetsIt) {
  const PortReservation reservation;
  std::set<std::uint16_t> ports{reservation.port()};
  std::vector<PortReservation> others;
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(ports.insert(others.emplace_back().port()).second);
}

}  // namespace
}  // namespace lb::harness
