// Clients that send the requests of one load and measure what becomes of them.
//
// Open loop without coordinated omission: each request has an intended time from the schedule, and
// its latency counts from there to the last byte of its answer. When this process is late, or its
// answers are, the schedule does not wait.
//
// A client is a source address with as many kept-alive connections as it needs: its most recently
// used idle one, or a new one. A connection that turns out to have been closed by the other side
// between two requests is no error: the request is sent once more on a new one, its intended time
// kept.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/clock.h"
#include "lbsim/scenario/histogram.h"
#include "lbsim/scenario/sample.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

struct LoadPlan {
  boost::asio::ip::tcp::endpoint target;
  std::string host;  // What the Host header says.
  scenario::Load load;
  std::size_t load_index = 0;  // Decides the addresses of the clients.
  Duration duration{};         // No request is meant to be sent at this time or later.
  std::uint64_t seed = 1;
  // False: one connection for each request. Through a TCP listener a connection is what is
  // balanced, so a kept one would go on with the backend it met first.
  bool keep_alive = true;
};

class LoadClient {
 public:
  // Called once for each request; sample.backend is only valid meanwhile.
  using Sink = std::function<void(const scenario::Sample& sample)>;

  LoadClient(boost::asio::io_context& io, LoadPlan plan, Sink sink);
  // Closes every connection. Handlers of `io` refer to this object: run `io` no more then.
  ~LoadClient();

  // Sends, with `start` as time zero of the schedule. Calls `on_done` when the last request has
  // ended, which is at most plan.duration and the client's timeout later.
  void start(Clock::time_point start, std::function<void()> on_done);

  // Requests, however often each was tried; and how often they were tried again.
  [[nodiscard]] std::uint64_t sent() const;
  [[nodiscard]] std::uint64_t retries() const;
  // How much later than intended requests were sent: the error of this instrument.
  [[nodiscard]] const scenario::Histogram& lateness() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lb::harness
