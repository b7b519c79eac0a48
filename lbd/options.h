// The command line of `lbd run`, and the configuration it stands for when there is no file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lbcore/config/daemon_config.h"

namespace lb::daemon {

struct RunOptions {
  std::string config_file;  // Or the rest:
  std::string listen;
  std::vector<std::string> backends;
  bool tcp = false;
  std::string strategy;
  std::string admin;
  std::string access_log;
};

struct ReadConfig {
  enum class Status { good, unreadable, invalid };
  Status status = Status::good;
  config::DaemonConfig config;
  std::string problems;  // Formatted, when it is not good.
  std::string warnings;  // Formatted, when it is.
};

// Reads and checks a configuration file.
[[nodiscard]] ReadConfig read_config_file(const std::string& path);

// The configuration that the options without a file stand for: one listener, one cluster whose
// backends are probed by connecting.
[[nodiscard]] ReadConfig config_from_options(const RunOptions& options);

}  // namespace lb::daemon
