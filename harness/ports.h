// Ports that nobody else can get while a run is on.
#pragma once

#include <cstdint>

namespace lb::harness {

// A free TCP port of 127.0.0.1, held by a socket that is bound with SO_REUSEADDR and SO_REUSEPORT
// but does not listen: the kernel gives the port to nobody who asks for any, connections to it are
// refused, and a process that sets both options too can bind it and listen.
//
// Asking the kernel for a free port and closing it again would leave it to whoever comes first.
class PortReservation {
 public:
  // Throws HarnessError when no port can be had.
  PortReservation();
  ~PortReservation();
  PortReservation(PortReservation&& other) noexcept;
  PortReservation& operator=(PortReservation&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace lb::harness
