#include "lbd/options.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lbd/tls_files.h"

namespace lb::daemon {
namespace {

// Files that the configuration names are part of it; what is wrong with them is said at its place.
void check_tls_files(const std::string& path, const std::string& text,
                     config::LoadedConfig& loaded) {
  LoadedTls tls = load_tls(loaded.config, path, {});
  const auto place = [&](std::vector<config::Problem>& found, std::vector<config::Problem>& all) {
    for (config::Problem& problem : found) {
      problem.at = config::position_of(text, path, problem.path);
      all.push_back(std::move(problem));
    }
  };
  place(tls.problems, loaded.problems);
  place(tls.warnings, loaded.warnings);
}

}  // namespace

ReadConfig read_config_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // A directory can be opened, but not read.
  if (!in.is_open() || in.bad()) {
    return {ReadConfig::Status::unreadable, {}, "cannot read " + path + '\n', {}};
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  config::LoadedConfig loaded = config::load_config(text, path);
  if (loaded.problems.empty()) check_tls_files(path, text, loaded);
  if (!loaded.problems.empty()) {
    return {ReadConfig::Status::invalid, {}, config::format_problems(path, loaded.problems), {}};
  }
  return {ReadConfig::Status::good,
          std::move(loaded.config),
          {},
          config::format_problems(path, loaded.warnings, "warning: ")};
}

ReadConfig config_from_options(const RunOptions& options) {
  using config::Json;
  Json backends = Json::array();
  for (std::size_t i = 0; i < options.backends.size(); ++i) {
    backends.push_back({{"id", "b" + std::to_string(i + 1)}, {"address", options.backends[i]}});
  }
  Json cluster = {{"name", "default"},
                  {"backends", std::move(backends)},
                  {"health_check", {{"type", "tcp"}, {"interval", "2s"}}}};
  if (!options.strategy.empty()) cluster["strategy"] = options.strategy;
  Json document = {{"listeners",
                    {{{"name", "default"},
                      {"bind", options.listen},
                      {"protocol", options.tcp ? "tcp" : "http"},
                      {"cluster", "default"}}}},
                   {"clusters", {std::move(cluster)}}};
  if (!options.admin.empty()) document["admin"] = {{"bind", options.admin}};
  if (!options.access_log.empty()) document["log"] = {{"access", options.access_log}};
  // One line, so that the place of a problem means nothing; its path does.
  const std::string text = document.dump(-1, ' ', false, Json::error_handler_t::replace);
  config::LoadedConfig loaded = config::load_config(text, "options.json");
  const auto format = [](const std::vector<config::Problem>& problems, const std::string& kind) {
    std::string lines;
    for (const config::Problem& problem : problems) {
      lines += "lbd run: " + kind + problem.path + ": " + problem.message + '\n';
    }
    return lines;
  };
  if (!loaded.problems.empty()) {
    return {ReadConfig::Status::invalid, {}, format(loaded.problems, ""), {}};
  }
  return {
      ReadConfig::Status::good, std::move(loaded.config), {}, format(loaded.warnings, "warning: ")};
}

}  // namespace lb::daemon
