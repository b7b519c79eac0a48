// DaemonWatch: what the report wants to know of a running lbd: its counters where a part of the run
// begins or ends, and who was eligible when. It asks the admin API while load is being sent, so
// what it sees is late by up to kInterval and the time of an answer.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "harness/admin_client.h"
#include "harness/clock.h"
#include "lbsim/scenario/collector.h"

namespace lb::harness {

class DaemonWatch {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds{50};

  // All outlive it, and `io` is run no more once it is gone.
  DaemonWatch(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& admin,
              const scenario::Scenario& scenario, scenario::Collector& collector);

  // With `start` as time zero. It goes on until `io` stops.
  void start(Clock::time_point start);
  // What was counted at the end is what was counted at every time it did not come to.
  void finish(const scenario::BalancerTotals& totals);

 private:
  void arm();
  void ask();
  void take(const config::Json& metrics);
  void note_standing(Duration now, const config::Json& metrics);

  boost::asio::io_context& io_;
  const boost::asio::ip::tcp::endpoint admin_;
  scenario::Collector& collector_;
  boost::asio::steady_timer timer_;
  Clock::time_point start_;
  std::vector<std::string> known_;  // Backends the scenario knows.
  bool looked_ = false;
  Duration next_look_{};
  std::size_t next_cut_ = 0;
};

}  // namespace lb::harness
