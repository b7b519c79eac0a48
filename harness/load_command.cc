#include "harness/load_command.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "harness/errors.h"
#include "harness/load_client.h"
#include "harness/output.h"
#include "lbsim/scenario/collector.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using Error = boost::system::error_code;
using scenario::ClientResult;

tcp::endpoint resolve(boost::asio::io_context& io, const Url& url) {
  tcp::resolver resolver(io);
  Error error;
  const auto found = resolver.resolve(url.host, url.port, error);
  if (error || found.empty()) {
    throw HarnessError(kExitEnvironment, fmt::format("cannot find the address of \"{}\": {}",
                                                     url.host, error.message()));
  }
  return found.begin()->endpoint();
}

// A scenario of this one load, so that the figures are those of every other report.
scenario::Scenario scenario_of(const LoadCommand& command, const Url& url) {
  scenario::Scenario scenario;
  scenario.name = command.url;
  scenario.seed = command.seed;
  scenario.duration = command.duration;
  scenario::Load load;
  load.arrivals = scenario::ConstantRate{command.rate};
  if (command.poisson) load.arrivals = scenario::Poisson{command.rate};
  load.clients = command.clients;
  load.timeout = command.timeout;
  load.request = {.method = command.method, .path = url.target};
  scenario.load.push_back(std::move(load));
  return scenario;
}

void print_text(const scenario::Report& report, const scenario::Histogram& lateness) {
  // Of the whole report only what a load without a scenario has: no balancer and no expectations.
  const std::string text = scenario::to_text(report);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string_view line = std::string_view{text}.substr(begin, end - begin);
    if (line.starts_with("  requests") || line.starts_with("  latency")) fmt::print("{}\n", line);
    begin = end + 1;
  }
  const auto us = [](Duration duration) { return duration.count() / 1000; };
  fmt::print("  sent      p50 {} us, p99 {} us, max {} us after the intended time\n",
             us(lateness.quantile(0.5)), us(lateness.quantile(0.99)), us(lateness.max()));
  for (const auto& [id, series] : report.backends) {
    fmt::print("  backend   {}: {} answers\n", id, series.count());
  }
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, slash);
  Url url;
  url.authority = authority;
  url.target = slash == std::string_view::npos ? "/" : std::string{text.substr(slash)};
  if (url.target.front() == '?') url.target.insert(0, "/");
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon =
      authority.find(':', bracket == std::string_view::npos ? 0 : bracket + 1);
  std::string_view host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  url.host = host;
  url.port = colon == std::string_view::npos ? "80" : std::string{authority.substr(colon + 1)};
  const bool digits = url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || url.port.empty() || !digits) return std::nullopt;
  // A blank or a line end would end the request line early.
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  return url;
}

int run_load(const LoadCommand& command) {
  const auto url = parse_url(command.url);
  if (!url) {
    throw HarnessError(
        kExitBadInput,
        fmt::format("expected http://HOST[:PORT][/PATH], found \"{}\"", command.url));
  }
  boost::asio::io_context io(1);
  const scenario::Scenario scenario = scenario_of(command, *url);
  scenario::Collector collector(scenario);
  const tcp::endpoint target = resolve(io, *url);
  LoadClient client(io,
                    {.target = target,
                     .host = url->authority,
                     .load = scenario.load.front(),
                     .load_index = 0,
                     .duration = command.duration,
                     .seed = command.seed},
                    [&](const scenario::Sample& sample) { collector.add(sample); });
  bool interrupted = false;
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const Error& error, int) {
    interrupted = !error;
    io.stop();
  });
  client.start(Clock::now(), [&] { io.stop(); });
  io.run();
  const scenario::Report report = collector.finish("measured", {});
  if (command.json != "-") print_text(report, client.lateness());
  if (!command.json.empty()) {
    config::Json json = scenario::to_json(report);
    for (const char* part :
         {"why", "balancer", "expect", "passed", "digest", "clusters", "loads", "windows"}) {
      json.erase(part);
    }
    write_json(command.json, json);
  }
  if (interrupted) return kExitInterrupted;
  const bool answered =
      report.total.count(ClientResult::ok) + report.total.count(ClientResult::server_error) > 0;
  if (!answered) fmt::print(stderr, "lbharness load: not one request was answered\n");
  return answered ? kExitDone : kExitNotHeld;
}

}  // namespace lb::harness
