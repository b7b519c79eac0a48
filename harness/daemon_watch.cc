#include "harness/daemon_watch.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/daemon.h"
#include "lbcore/exclusion.h"

namespace lb::harness {

using Error = boost::system::error_code;

DaemonWatch::DaemonWatch(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& admin,
                         const scenario::Scenario& scenario, scenario::Collector& collector)
    : io_(io), admin_(admin), collector_(collector), timer_(io) {
  for (const auto& member : scenario.all_backends()) known_.push_back(member.backend.id);
  static_cast<void>(collector_.follow_standing());
}

void DaemonWatch::start(Clock::time_point start) {
  start_ = start;
  arm();
}

void DaemonWatch::arm() {
  const auto& cuts = collector_.cut_times();
  const Duration next =
      next_cut_ < cuts.size() ? std::min(next_look_, cuts[next_cut_]) : next_look_;
  timer_.expires_at(start_ + next);
  timer_.async_wait([this](const Error& error) {
    if (!error) ask();
  });
}

// One question at a time: who asks a busy daemon again before it answered makes it busier.
void DaemonWatch::ask() {
  constexpr Duration kPatience = std::chrono::seconds{2};
  ask_admin_async(io_, admin_, {.method = "GET", .target = "/metrics"}, kPatience,
                  [this](const AdminAnswer& answer) {
                    const auto metrics = config::Json::parse(answer.body, nullptr, false);
                    if (answer.ok() && metrics.is_object()) take(metrics);
                    next_look_ = std::max(next_look_ + kInterval, Clock::now() - start_);
                    arm();
                  });
}

void DaemonWatch::take(const config::Json& metrics) {
  const Duration now = std::max(Clock::now() - start_, Duration::zero());
  const auto& cuts = collector_.cut_times();
  for (; next_cut_ < cuts.size() && cuts[next_cut_] <= now; ++next_cut_) {
    collector_.cut(next_cut_, {.balancer = totals_of(metrics)});
  }
  // What the first look sees is how the run begins.
  note_standing(looked_ ? now : Duration::zero(), metrics);
  looked_ = true;
}

void DaemonWatch::note_standing(Duration now, const config::Json& metrics) {
  std::map<std::string, std::string> reasons;
  for (const std::string& id : known_) reasons[id] = to_string(Exclusion::removed);
  for (const auto& cluster : metrics.at("clusters")) {
    for (const auto& backend : cluster.at("backends")) {
      reasons[backend.at("id").get<std::string>()] = backend.at("reason").get<std::string>();
    }
  }
  for (const auto& [id, reason] : reasons) {
    // One without room, or behind others by its priority, is not out.
    const bool in = reason == to_string(Exclusion::none) ||
                    reason == to_string(Exclusion::at_limit) ||
                    reason == to_string(Exclusion::lower_priority);
    collector_.follow_standing().note(now, collector_.place_of(id), in ? "eligible" : reason);
  }
}

void DaemonWatch::finish(const scenario::BalancerTotals& totals) {
  const std::size_t cuts = collector_.cut_times().size();
  for (; next_cut_ < cuts; ++next_cut_) collector_.cut(next_cut_, {.balancer = totals});
}

}  // namespace lb::harness
