// lbharness: the command line of the harness.
#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/backend_command.h"
#include "harness/errors.h"
#include "harness/fault_command.h"
#include "harness/load_command.h"
#include "harness/run_command.h"
#include "harness/service_time.h"
#include "lbcore/config/reader.h"
#include "lbsim/scenario/behaviour_text.h"

namespace {

using namespace lb::harness;

// Both throw CLI::ValidationError, which CLI11 reports with the option's name.
lb::Duration to_duration(const std::string& text) {
  const auto duration = lb::config::parse_duration(text);
  if (!duration) {
    throw CLI::ValidationError("expected a duration such as 250ms or 5s, found \"" + text + '"');
  }
  return *duration;
}

template <class Parsed>
auto checked(const std::optional<Parsed>& parsed, std::string_view expected,
             const std::string& found) {
  if (!parsed) {
    throw CLI::ValidationError(fmt::format("expected {}, found \"{}\"", expected, found));
  }
  return *parsed;
}

void add_duration(CLI::App& app, const std::string& name, lb::Duration& value,
                  const std::string& help, bool required) {
  CLI::Option* option = app.add_option_function<std::string>(
      name, [&value](const std::string& text) { value = to_duration(text); }, help);
  option->type_name("DURATION")->required(required);
  if (!required) option->default_str(lb::config::format_duration(value));
}

// As under "backends" of a scenario; files it points at are beside it.
lb::scenario::Behaviour read_behaviour(const std::string& file) {
  const auto read = [](const std::filesystem::path& path) -> std::optional<std::string> {
    std::ifstream in(path, std::ios::binary);
    if (!in || !std::filesystem::is_regular_file(path)) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const auto text = read(file);
  if (!text) throw CLI::ValidationError("cannot read \"" + file + '"');
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  auto loaded = lb::scenario::load_behaviour(
      *text, file, [&](const std::string& name) { return read(folder / name); });
  if (!loaded.problems.empty()) throw CLI::ValidationError(loaded.problems);
  return std::move(loaded.behaviour);
}

void describe_backend(CLI::App& app, BackendCommand& command) {
  BackendOptions& options = command.options;
  app.add_option("--port", options.port, "Port of 127.0.0.1; 0 takes a free one")->required();
  app.add_option("--id", options.id, "What it calls itself in X-Backend")->capture_default_str();
  app.add_option_function<std::string>(
         "--service-time",
         [&options](const std::string& text) {
           options.behaviour.service_time =
               checked(parse_service_time(text), kServiceTimeForms, text);
         },
         fmt::format("How long a request takes:\n{}", kServiceTimeForms))
      ->type_name("DISTRIBUTION")
      ->default_str("constant:5ms");
  app.add_option_function<std::string>(
         "--behaviour",
         [&options](const std::string& file) { options.behaviour = read_behaviour(file); },
         "A file with all of it, as under \"backends\" of a scenario")
      ->type_name("FILE");
  app.add_option("--concurrency", options.behaviour.concurrency, "Requests served at the same time")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--queue", options.behaviour.queue,
                 "Requests that may wait; one more is answered 503")
      ->capture_default_str();
  app.add_option("--health-path", options.health_path,
                 "GET or HEAD of it is answered at once and takes no place");
  app.add_option("--load-path", options.load_path,
                 "GET of it is answered at once, too, and says how loaded it is:\n"
                 "Backend-Load: in-flight=REQUESTS, latency=MICROSECONDS");
  app.add_option_function<std::string>(
         "--proxy-protocol",
         [&options](const std::string& text) {
           options.proxy_protocol =
               checked(parse_proxy_protocol(text), "\"none\", \"v1\" or \"v2\"", text);
         },
         "The PROXY header that every connection has to begin with: v1, v2 or none")
      ->type_name("VERSION")
      ->default_str("none");
  app.add_option("--seed", options.seed, "Start of everything random")->capture_default_str();
  app.add_option_function<std::vector<std::string>>(
         "--fault",
         [&command](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             command.faults.push_back(checked(parse_fault(text), kFaultForms, text));
           }
         },
         "From the start on: slow=FACTOR, error_ratio=RATIO, truncate=RATIO,\n"
         "drip=DURATION, refuse, reset or hang; repeatable")
      ->type_name("FAULT")
      ->allow_extra_args(false);
  app.add_flag("--controlled", command.controlled, "End when standard input does");
  app.footer(
      fmt::format("Lines on standard input change its faults while it runs:\n{}.\n"
                  "A crash is SIGKILL; a hang is SIGSTOP, and SIGCONT ends it.",
                  kFaultForms));
}

void describe_load(CLI::App& app, LoadCommand& command) {
  app.add_option("url", command.url, "http://HOST[:PORT][/PATH]")->required()->type_name("URL");
  app.add_option("--rate", command.rate, "Requests per second")
      ->required()
      ->check(CLI::Range(0.001, 1e7));
  add_duration(app, "--duration", command.duration, "For how long requests are sent", true);
  app.add_flag("--poisson", command.poisson, "At random times instead of equal distances");
  app.add_option("--clients", command.clients,
                 "Different clients; on loopback each has an address of its own")
      ->check(CLI::Range(1, 65'000))
      ->capture_default_str();
  add_duration(app, "--timeout", command.timeout, "After which a client gives up", false);
  app.add_option("--method", command.method, "The method")->capture_default_str();
  app.add_option("--seed", command.seed, "Start of everything random")->capture_default_str();
  app.add_option("--json", command.json, "Write the report as JSON; \"-\" to print it");
  app.footer(
      "Latency counts from the time a request was meant to be sent, so a stall of the server, or\n"
      "of this program, is in the figures of every request it delayed.");
}

void describe_run(CLI::App& app, RunCommand& command) {
  app.add_option("scenario", command.file, "The scenario, JSON or YAML")->required();
  app.add_flag("--compare", command.compare, "Simulate it too, and show both side by side");
  app.add_option("--json", command.json, "Write the report as JSON; \"-\" to print it");
  app.add_option("--html", command.html, "Write a page with charts; it needs nothing else");
  app.add_option("--csv", command.csv, "Write the run over time as a table; \"-\" to print it");
  app.add_flag("--live", command.live,
               "One line a second on standard error; the default on a terminal");
  app.add_flag("--quiet", command.quiet, "Print no report");
  app.add_option("--strategy", command.strategy, "Use this strategy in the first cluster instead");
  app.add_option("--seed", command.seed, "Start of everything random");
  app.add_option("--set", command.sets,
                 "PATH=VALUE: set any value of the scenario, such as\n"
                 "config.clusters[0].retries.attempts=1; repeatable")
      ->allow_extra_args(false);
  app.add_option("--lbd", command.lbd, "The daemon; otherwise the one next to lbharness");
  app.add_option("--lbsim", command.lbsim, "The simulator; otherwise the one next to lbharness");
}

// Every connection is a descriptor, and the usual soft limit of 1024 is soon reached.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(int argc, char** argv) {
  CLI::App app{
      "lbharness plays scenarios with real processes: a real lbd, and fake backends that "
      "misbehave\n"
      "on order.\n"
      "Exit codes: 0 done; 1 it ran, and an expectation was not met; 2 bad usage or input, "
      "nothing\n"
      "was started; 3 something could not be started or read; 130 interrupted.",
      "lbharness"};
  app.require_subcommand(1);
  BackendCommand backend;
  LoadCommand load;
  RunCommand play;
  CLI::App* run_app = app.add_subcommand("run", "Play a scenario against a real lbd.");
  CLI::App* backend_app = app.add_subcommand("backend", "Be one fake backend.");
  CLI::App* load_app = app.add_subcommand("load", "Send load to a URL and measure.");
  describe_run(*run_app, play);
  describe_backend(*backend_app, backend);
  describe_load(*load_app, load);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitBadInput;
  }
  if (backend_app->parsed()) return run_backend(backend);
  if (load_app->parsed()) return run_load(load);
  play.live = play.live || (!play.quiet && ::isatty(STDERR_FILENO) == 1);
  return run_scenario_command(play);
}

}  // namespace

int main(int argc, char** argv) try {
  // Writing to a process or a connection that is gone is an error to look at, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  return run(argc, argv);
} catch (const HarnessError& error) {
  fmt::print(stderr, "lbharness: {}\n", error.what());
  return error.exit_code();
} catch (const std::exception& error) {
  fmt::print(stderr, "lbharness: {}\n", error.what());
  return kExitEnvironment;
}
