#include "lbd/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

namespace lb::daemon {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                               spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("lbd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                      spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(spdlog_level(level)); }

void log_event(LogLevel level, std::string_view event, const Json& fields) {
  if (!logger().should_log(spdlog_level(level))) return;
  Json line = {{"event", event}};
  line.update(fields);
  // Without its opening brace: the pattern has one already.
  const std::string text = line.dump(-1, ' ', true, Json::error_handler_t::replace);
  logger().log(spdlog_level(level), text.substr(1, text.size() - 2));
}

}  // namespace lb::daemon
