#include "harness/daemon.h"

#include <spdlog/fmt/fmt.h>

#include <csignal>

#include "harness/admin_client.h"
#include "harness/clock.h"
#include "harness/errors.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;

constexpr Duration kStep = std::chrono::milliseconds{20};
constexpr Duration kAnswerPatience = std::chrono::seconds{2};

tcp::endpoint admin_endpoint(const config::DaemonConfig& config) {
  const auto address = config::parse_address(config.admin->bind);
  return {boost::asio::ip::make_address(address->host), address->port};
}

// Sums of the clusters of lbd's JSON metrics, and how far they are from adding up.
struct Counted : DaemonCounts {
  std::string imbalance;  // Empty when every request has its outcome.
};

Counted count(const config::Json& metrics) {
  Counted counted;
  counted.refused_configs = metrics.at("reloads").at("failure").get<std::uint64_t>();
  for (const auto& cluster : metrics.at("clusters")) {
    auto& totals = counted.totals;
    const auto requests = cluster.at("requests").get<std::uint64_t>();
    totals.requests += requests;
    totals.attempts += cluster.at("attempts").get<std::uint64_t>();
    totals.retries += cluster.at("retries").get<std::uint64_t>();
    totals.connections_opened += cluster.at("connections_opened").get<std::uint64_t>();
    totals.connections_reused += cluster.at("connections_reused").get<std::uint64_t>();
    std::uint64_t ended = 0;
    for (const auto& [name, value] : cluster.at("outcomes").items()) {
      totals.outcomes[name] += value.get<std::uint64_t>();
      ended += value.get<std::uint64_t>();
    }
    if (ended != requests) {
      counted.imbalance += fmt::format("cluster \"{}\" had {} requests and {} outcomes; ",
                                       cluster.at("name").get<std::string>(), requests, ended);
    }
  }
  // What never reached a cluster, as the simulator counts it.
  for (const auto& listener : metrics.at("listeners")) {
    for (const char* outcome : {"rejected", "not_routed", "redirected", "responded"}) {
      const auto answers = listener.at(outcome).get<std::uint64_t>();
      if (answers > 0) counted.totals.outcomes[outcome] += answers;
    }
  }
  return counted;
}

Counted ask_and_count(const tcp::endpoint& admin) {
  const AdminAnswer answer =
      ask_admin(admin, {.method = "GET", .target = "/metrics"}, kAnswerPatience);
  if (!answer.ok()) {
    throw HarnessError(kExitNotHeld, fmt::format("lbd does not tell its metrics: {} {}",
                                                 answer.status, answer.body));
  }
  try {
    return count(config::Json::parse(answer.body));
  } catch (const config::Json::exception& error) {
    throw HarnessError(kExitNotHeld,
                       fmt::format("lbd's metrics are not what was expected: {}", error.what()));
  }
}

}  // namespace

scenario::BalancerTotals totals_of(const config::Json& metrics) { return count(metrics).totals; }

Daemon::Daemon(const std::string& program, const TempDir& folder,
               const config::DaemonConfig& config, const Interruption& interruption)
    : config_file_(folder.file("lbd.json")),
      error_file_(folder.file("lbd.stderr")),
      admin_(admin_endpoint(config)),
      process_((write_file(config_file_, config::to_json(config).dump(2)),
                ProcessOptions{.arguments = {program, "run", "--config", config_file_},
                               .output_file = folder.file("lbd.stdout"),
                               .error_file = error_file_})) {
  await_ready(interruption);
}

void Daemon::await_ready(const Interruption& interruption) {
  constexpr Duration kPatience = std::chrono::seconds{10};
  const auto until = Clock::now() + kPatience;
  // The wait for its end is also the pause between two questions.
  while (!process_.wait(kStep)) {
    interruption.check();
    const AdminAnswer answer =
        ask_admin(admin_, {.method = "GET", .target = "/readyz"}, kAnswerPatience);
    if (answer.status == 200) return;
    if (Clock::now() > until) {
      throw HarnessError(kExitEnvironment,
                         fmt::format("lbd was not ready after 10 s: GET /readyz on {}:{} said {} "
                                     "{}{}",
                                     admin_.address().to_string(), admin_.port(), answer.status,
                                     answer.body, last_words()));
    }
  }
  throw ended_early(kExitEnvironment);
}

void Daemon::reload(const config::DaemonConfig& config) const {
  write_file(config_file_, config::to_json(config).dump(2));
  process_.signal(SIGHUP);
}

DaemonCounts Daemon::counts(const Interruption& interruption) {
  // Requests whose clients gave up may take a moment to end in lbd too.
  constexpr Duration kPatience = std::chrono::seconds{5};
  const auto until = Clock::now() + kPatience;
  for (;;) {
    Counted counted = ask_and_count(admin_);
    if (counted.imbalance.empty()) return counted;
    if (Clock::now() > until) {
      throw HarnessError(kExitNotHeld, "lbd's totals do not add up: " + counted.imbalance +
                                           "every request has to end in exactly one outcome");
    }
    interruption.check();
    if (process_.wait(kStep)) throw ended_early(kExitNotHeld);
  }
}

void Daemon::stop(Duration patience, const Interruption& interruption) {
  process_.signal(SIGTERM);
  const auto until = Clock::now() + patience;
  for (;;) {
    if (const auto status = process_.wait(kStep)) {
      if (status->ok()) return;
      throw HarnessError(kExitNotHeld, fmt::format("lbd did not stop well: {}{}", describe(*status),
                                                   last_words()));
    }
    interruption.check();
    if (Clock::now() > until) {
      throw HarnessError(kExitNotHeld,
                         fmt::format("lbd did not stop within {} of TERM{}",
                                     config::format_duration(patience), last_words()));
    }
  }
}

HarnessError Daemon::ended_early(int exit_code) {
  const auto status = process_.wait(std::chrono::seconds{1});
  return {exit_code, fmt::format("lbd ended on its own: {}{}",
                                 status ? describe(*status) : "it still runs", last_words())};
}

std::string Daemon::last_words() const {
  const std::string words = read_file_or_nothing(error_file_);
  if (words.empty()) return "; it wrote nothing to standard error";
  constexpr std::size_t kShownMax = 4000;  // The end of a long log says more than its start.
  return "; its standard error:\n" +
         (words.size() <= kShownMax ? words : "…" + words.substr(words.size() - kShownMax));
}

}  // namespace lb::harness
