// The configuration of a whole daemon, typed, and its loader: text in, config or problems out.
// No files and no environment here; whoever has them passes text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbcore/cluster_config.h"
#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"
#include "lbcore/rate_limiter.h"
#include "lbcore/routing/route_config.h"
#include "lbcore/tls_config.h"

namespace lb::config {

enum class Protocol : std::uint8_t { http, tcp };

// Downstream timeouts of an HTTP listener.
struct ListenerTimeouts {
  Duration head = std::chrono::seconds{5};   // For the whole head, not for each read: slow drips
                                             // do not hold a connection.
  Duration idle = std::chrono::seconds{60};  // Between requests of a kept-alive connection.
  Duration body = std::chrono::seconds{10};  // Without a byte moving, either way, on our side.
  bool operator==(const ListenerTimeouts&) const = default;
};

struct ListenerConfig {
  std::string name;
  std::string bind;  // host:port, [v6]:port or unix:/path; port 0 takes a free one.
  Protocol protocol = Protocol::http;
  std::string cluster;         // Of all its requests; empty when it has routes.
  std::uint64_t max_body = 0;  // Bytes of a request body; 0 for no limit: bodies are streamed.
  // Bytes a second, of bodies in either direction, beyond what timeouts.body allows; 0 for no such
  // limit. Only the time in which the client keeps us waiting counts.
  std::uint64_t min_rate = 64;
  ListenerTimeouts timeouts;
  std::string via;  // Our name in Via; empty for no such field.
  ClientIdentityConfig identity;
  std::optional<ListenerTlsConfig> tls;
  std::vector<RouteConfig> routes;  // The first that fits is taken; without one it is 404.
  AmbiguousPaths ambiguous_paths = AmbiguousPaths::refuse;
  bool operator==(const ListenerConfig&) const = default;
};

// Connections of clients, of all listeners together.
struct ConnectionLimitsConfig {
  std::uint32_t max_connections = 0;             // 0: as many as there are descriptors for.
  std::uint32_t max_connections_per_client = 0;  // Of one address; 0 for any number.
  bool operator==(const ConnectionLimitsConfig&) const = default;
};

struct AdminConfig {
  std::string bind;  // Loopback only: the admin API has no login yet.
  bool operator==(const AdminConfig&) const = default;
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogConfig {
  LogLevel level = LogLevel::info;
  std::string access = "-";  // Where the access log goes: "-" is standard output, "off", a path.
  bool operator==(const LogConfig&) const = default;
};

// Worker threads. "auto" is one for each processor.
struct Workers {
  std::uint32_t count = 0;  // 0 for auto.
  bool operator==(const Workers&) const = default;
};

struct DaemonConfig {
  std::vector<ListenerConfig> listeners;
  std::vector<ClusterConfig> clusters;
  Workers workers;
  // How often workers tell each other what they have in flight, while they have something.
  Duration load_exchange = std::chrono::milliseconds{1};
  Duration shutdown_timeout = std::chrono::seconds{30};  // For requests in flight after TERM.
  ConnectionLimitsConfig limits;
  std::optional<RateLimitConfig> rate_limit;  // Of all listeners together.
  std::optional<AdminConfig> admin;
  LogConfig log;
  bool operator==(const DaemonConfig&) const = default;
};

// host:port, [v6]:port or unix:/path.
struct Address {
  std::string host;  // Without the brackets of IPv6.
  std::uint16_t port = 0;
  std::string path;  // Of a unix socket; then there is no host.
};
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

// Reads and checks the configuration at `place`; problems are added there.
void read(const Place& place, DaemonConfig& config, Range range = {});

struct LoadedConfig {
  DaemonConfig config;
  std::vector<Problem> problems;  // Empty when the configuration may be used.
  std::vector<Problem> warnings;  // What works but is unwise.
};

// Every problem at once: syntax, keys, types, bounds, and what only fits together (a listener's
// cluster exists, names are unique, addresses parse). `file_name` decides between JSON and YAML.
[[nodiscard]] LoadedConfig load_config(std::string_view text, std::string_view file_name);

// What is found wrong later, of files that the configuration names, has a place in it too: `path`
// such as listeners[0].tls.certificates[1].key, or what of it there is.
[[nodiscard]] Position position_of(std::string_view text, std::string_view file_name,
                                   std::string_view path);

// A configuration that was put together in code or changed by the admin API, checked by the same
// rules. Paths are right; positions are those of its JSON text.
[[nodiscard]] std::vector<Problem> check_config(const DaemonConfig& config);

[[nodiscard]] Json to_json(const DaemonConfig& config);

class Definitions;
[[nodiscard]] Json schema_of(Definitions& definitions, const DaemonConfig& config,
                             Range range = {});
// The JSON Schema of the file: what editors and validators may know of it.
[[nodiscard]] Json configuration_schema();

// 16 hex digits that change when the meaning of the configuration does: for logs and metrics.
[[nodiscard]] std::string config_hash(const DaemonConfig& config);

}  // namespace lb::config
