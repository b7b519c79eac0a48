// lbd: the command line of the daemon.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "lbcore/config/daemon_config.h"
#include "lbcore/config/reference.h"
#include "lbd/daemon.h"
#include "lbd/options.h"

namespace {

using lb::daemon::ReadConfig;
using lb::daemon::RunOptions;

// A configuration that may be used, after what is unwise about it has been told; or the exit code,
// after its problems have.
std::optional<ReadConfig> usable(ReadConfig read, int& exit_code) {
  std::cerr << read.problems << read.warnings;
  if (read.status == ReadConfig::Status::good) return read;
  exit_code = read.status == ReadConfig::Status::unreadable ? lb::daemon::kEnvironment
                                                            : lb::daemon::kBadInput;
  return std::nullopt;
}

int run(const RunOptions& options) {
  const bool from_file = !options.config_file.empty();
  if (!from_file && (options.listen.empty() || options.backends.empty())) {
    std::cerr << "lbd run: expected --config FILE, or --listen ADDRESS and at least one --backend "
                 "ADDRESS\n";
    return lb::daemon::kBadInput;
  }
  int exit_code = lb::daemon::kDone;
  auto read = usable(from_file ? lb::daemon::read_config_file(options.config_file)
                               : lb::daemon::config_from_options(options),
                     exit_code);
  if (!read) return exit_code;
  lb::daemon::Daemon daemon(std::move(read->config), options.config_file);
  return daemon.run();
}

int check(const std::string& file) {
  int exit_code = lb::daemon::kDone;
  const auto read = usable(lb::daemon::read_config_file(file), exit_code);
  if (!read) return exit_code;
  std::cout << file << ": no problems; config hash " << lb::config::config_hash(read->config)
            << '\n';
  return lb::daemon::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "lbd is a load balancer for HTTP/1.1 and TCP.\n"
      "Signals: HUP reads the configuration file again; TERM or INT stops, finishing what is in\n"
      "flight, and the second one stops at once.\n"
      "Exit codes: 0 done; 2 bad usage or configuration, nothing was started; 3 an address is\n"
      "taken or a file cannot be used.",
      "lbd"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "lbd " LBD_VERSION);

  RunOptions options;
  CLI::App* run_command = app.add_subcommand("run", "Serve, in the foreground.");
  auto* config = run_command->add_option("--config", options.config_file,
                                         "Configuration, YAML or JSON (.json)");
  std::vector<CLI::Option*> without_file{
      run_command->add_option("--listen", options.listen,
                              "Without a file: the address to accept on, such as 127.0.0.1:8080"),
      run_command->add_option("--backend", options.backends,
                              "Without a file: a backend's address; once for each"),
      run_command->add_flag("--tcp", options.tcp, "Without a file: pass bytes on, not HTTP"),
      run_command->add_option("--strategy", options.strategy,
                              "Without a file: who gets the next request (least_request)"),
      run_command->add_option("--admin", options.admin,
                              "Without a file: loopback address for metrics and the admin API"),
      run_command->add_option("--access-log", options.access_log,
                              "Without a file: \"-\" (standard output), \"off\" or a path")};
  for (CLI::Option* option : without_file) option->excludes(config);

  CLI::App* reference_command =
      app.add_subcommand("reference", "Print every configuration key as a Markdown table.");
  CLI::App* schema_command =
      app.add_subcommand("schema", "Print the JSON Schema of a configuration, for editors.");
  std::string file;
  CLI::App* check_command =
      app.add_subcommand("check", "Name every problem of a configuration file.");
  check_command->add_option("file", file, "Configuration, YAML or JSON (.json)")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? lb::daemon::kDone : lb::daemon::kBadInput;
  }
  if (schema_command->parsed()) {
    std::cout << lb::config::configuration_schema().dump(2) << '\n';
    return lb::daemon::kDone;
  }
  if (reference_command->parsed()) {
    std::cout << lb::config::configuration_reference();
    return lb::daemon::kDone;
  }
  return run_command->parsed() ? run(options) : check(file);
}
