#include "lbcore/config/daemon_config.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "lbcore/config/cluster_fields.h"
#include "lbcore/config/identity_fields.h"
#include "lbcore/config/rate_limit_fields.h"
#include "lbcore/config/reference.h"
#include "lbcore/config/route_fields.h"
#include "lbcore/config/schema.h"
#include "lbcore/config/tls_fields.h"
#include "lbcore/config/writer.h"
#include "lbcore/hash.h"
#include "lbcore/load_question.h"
#include "lbcore/routing/header_rules.h"

namespace lb::config {

template <>
struct EnumWords<Protocol> {
  static constexpr std::array<std::pair<Protocol, const char*>, 2> words{
      {{Protocol::http, "http"}, {Protocol::tcp, "tcp"}}};
};
template <>
struct EnumWords<LogLevel> {
  static constexpr std::array<std::pair<LogLevel, const char*>, 4> words{
      {{LogLevel::debug, "debug"},
       {LogLevel::info, "info"},
       {LogLevel::warning, "warning"},
       {LogLevel::error, "error"}}};
};

namespace {
constexpr Range kWorkersRange{.min = 1, .max = 1024};
}  // namespace

void read(const Place& place, Workers& value, Range) {
  if (place.node.text == "auto") {
    value.count = 0;
    return;
  }
  std::vector<Problem> ignored;
  std::uint32_t count = 0;
  read(Place{place.node, place.path, ignored}, count, kWorkersRange);
  if (!ignored.empty()) {
    return place.problem("expected \"auto\" or a whole number from 1 to 1024, found " +
                         describe_found(place.node));
  }
  value.count = count;
}

Json write(Writing, const Workers& value) {
  return value.count == 0 ? Json("auto") : Json(value.count);
}

std::string type_words(const Workers&, Range) {
  return "`auto` (one for each processor) or a whole number from 1 to 1024";
}

Json schema_of(Definitions& definitions, const Workers& value, Range) {
  Json count = schema_of(definitions, std::uint32_t{}, kWorkersRange);
  count.erase("default");
  Json schema = any_of_schemas({{{"const", "auto"}}, std::move(count)});
  schema["default"] = write(Writing{}, value);
  return schema;
}

// A size in bytes, with or without a unit.
struct Size {
  std::uint64_t& bytes;
};

void read(const Place& place, Size& value, Range) {
  const auto parsed =
      place.node.kind == Node::Kind::scalar ? parse_size(place.node.text) : std::nullopt;
  if (!parsed) {
    return place.problem("expected a size, such as \"64KiB\" or \"10MB\", found " +
                         describe_found(place.node));
  }
  value.bytes = *parsed;
}

Json write(Writing, const Size& value) { return value.bytes; }

std::string type_words(const Size&, Range) { return "size, such as `64KiB`"; }

Json schema_of(Definitions&, const Size& value, Range) {
  Json schema = any_of_schemas(
      {{{"type", "number"}, {"minimum", 0}, {"maximum", 9e18}},
       {{"type", "string"}, {"pattern", "^([0-9]+\\.?[0-9]*|\\.[0-9]+)([KMG]i?)?B?$"}}});
  schema["default"] = write(Writing{}, value);
  return schema;
}

template <class Fields>
void describe(Fields& fields, ListenerTimeouts& timeouts) {
  fields.optional("head", timeouts.head, kAboveZero, "for the whole head of a request");
  fields.optional("idle", timeouts.idle, kAboveZero, "between two requests of a connection");
  fields.optional("body", timeouts.body, kAboveZero, "without a byte moving to or from the client");
}

template <class Fields>
void describe(Fields& fields, ListenerConfig& listener) {
  fields.required("name", listener.name, kAboveZero, "a name, unique among the listeners");
  fields.required("bind", listener.bind, kAboveZero,
                  "host:port, [v6]:port or unix:/path to listen on");
  fields.optional("protocol", listener.protocol, "http looks inside, tcp passes bytes on");
  optional_text(fields, "cluster", listener.cluster,
                "the cluster all of its requests go to; or else `routes`");
  fields.optional("routes", listener.routes,
                  "where its requests go, for http: the first route that fits");
  fields.optional("ambiguous_paths", listener.ambiguous_paths,
                  "what becomes of a path that servers read in ways that take different routes");
  Size max_body{listener.max_body};
  fields.optional("max_body", max_body, "longest request body, 0 for any");
  Size min_rate{listener.min_rate};
  fields.optional("min_rate", min_rate,
                  "bytes a second below which a client is too slow for a body, 0 for none");
  fields.optional("timeouts", listener.timeouts, "when to give up on a client");
  optional_text(fields, "via", listener.via, "our name in the Via field of http; or no such field");
  describe(fields, listener.identity);
  fields.optional("tls", listener.tls, "TLS with its clients; plain without this key");
  fields.any_of({"cluster", "routes"}, R"(expected "cluster" or "routes": where its requests go)");
}

template <class Fields>
void describe(Fields& fields, ConnectionLimitsConfig& limits) {
  constexpr Range kLimit{.min = 0, .max = 10'000'000};
  fields.optional("max_connections", limits.max_connections, kLimit,
                  "clients' connections at a time, beyond which they wait in the system's queue; 0 "
                  "for as many as there are descriptors for");
  fields.optional("max_connections_per_client", limits.max_connections_per_client, kLimit,
                  "the same from one address, beyond which they are refused; 0 for any number");
}

template <class Fields>
void describe(Fields& fields, AdminConfig& admin) {
  fields.required("bind", admin.bind, kAboveZero, "loopback host:port for metrics and the API");
}

template <class Fields>
void describe(Fields& fields, LogConfig& log) {
  fields.optional("level", log.level, "least severe message that is written to standard error");
  fields.optional("access", log.access, kAboveZero,
                  "access log: \"-\" for standard output, \"off\", or a file");
}

template <class Fields>
void describe(Fields& fields, DaemonConfig& config) {
  fields.required("listeners", config.listeners, "where to accept traffic");
  fields.required("clusters", config.clusters, "where to send it");
  fields.optional("workers", config.workers, "worker threads, or \"auto\"");
  fields.optional("load_exchange", config.load_exchange, kAboveZero,
                  "how often workers tell each other their load");
  fields.optional("shutdown_timeout", config.shutdown_timeout, kFromZero,
                  "for what is in flight when told to stop");
  fields.optional("limits", config.limits, "how many clients may be connected");
  fields.optional("rate_limit", config.rate_limit,
                  "how many requests a client may send; any number without this key");
  fields.optional("admin", config.admin, "metrics and admin API; none without this key");
  fields.optional("log", config.log, "what is written where");
  std::string schema;
  optional_text(fields, "$schema", schema, "for editors: what this file may say");
}

namespace {

// What only fits together, after every key has been read.
class CrossChecks {
 public:
  CrossChecks(const Place& place, const DaemonConfig& config) : place_(place), config_(config) {}

  void run() {
    check_listeners();
    check_clusters();
    if (config_.admin) check_admin();
  }

  // What works but is unwise.
  void warn() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const Place routes =
          place_.child(node_at("listeners", i, "routes"), path("listeners", i) + ".routes");
      warn_of_routes(routes, config_.listeners[i].routes);
      warn_of_trust(i);
    }
    for (std::size_t i = 0; i < config_.clusters.size(); ++i) warn_of_cluster(i);
  }

 private:
  // The node at a path below the root, or the nearest above it that exists.
  const Node& node_at(std::string_view list, std::size_t index, std::string_view key,
                      std::string_view inner = "", std::size_t inner_index = 0) const {
    const Node* node = place_.node.find(list);
    if (node == nullptr) return place_.node;
    if (node->kind == Node::Kind::list && index < node->items.size()) node = &node->items[index];
    if (!inner.empty()) {
      const Node* below = node->find(inner);
      if (below == nullptr || inner_index >= below->items.size()) return *node;
      node = &below->items[inner_index];
    }
    const Node* leaf = key.empty() ? node : node->find(key);
    return leaf == nullptr ? *node : *leaf;
  }

  void warn_of_trust(std::size_t i) {
    const std::vector<TrustedProxy>& proxies = config_.listeners[i].identity.trusted_proxies;
    for (std::size_t n = 0; n < proxies.size(); ++n) {
      if (!proxies[n].prefix || proxies[n].prefix->length > 0) continue;
      const Node& list = node_at("listeners", i, "trusted_proxies");
      report(list.kind == Node::Kind::list ? list.items[n] : list,
             path("listeners", i) + ".trusted_proxies[" + std::to_string(n) + ']',
             "believes everybody: any client may say that it is another; expected the addresses of "
             "the proxies in front");
    }
  }

  void warn_of_cluster(std::size_t i) {
    const ClusterConfig& cluster = config_.clusters[i];
    if (std::holds_alternative<LeastEwmaLatencyConfig>(cluster.strategy)) {
      report(node_at("clusters", i, "strategy"), path("clusters", i) + ".strategy",
             "herds onto the fastest backend at high load; least_dynamic_score or peak_ewma count "
             "requests in flight too");
    }
    constexpr std::size_t kSecretMin = 16;
    const std::size_t length = cluster.affinity ? cluster.affinity->cookie.secret.size() : 0;
    if (length > 0 && length < kSecretMin) {
      report(node_at("clusters", i, "affinity"), path("clusters", i) + ".affinity.cookie.secret",
             std::to_string(length) + " characters can be guessed; expected " +
                 std::to_string(kSecretMin) + " or more, such as `openssl rand -hex 16` prints");
    }
  }

  std::string path(std::string_view key) const {
    return (place_.path.empty() ? "" : place_.path + '.') + std::string{key};
  }
  std::string path(std::string_view list, std::size_t index) const {
    return path(list) + '[' + std::to_string(index) + ']';
  }

  void report(const Node& node, std::string path, std::string message) {
    place_.problems.push_back({node.at, std::move(path), std::move(message)});
  }

  struct AddressRules {
    bool port_zero = false;  // A listener's may be any free one.
    bool unix_socket = true;
  };
  void check_address(const Node& node, const std::string& path, const std::string& address,
                     AddressRules rules) {
    if (address.empty()) return;  // Reported as missing.
    const auto parsed = parse_address(address);
    const bool of_host = parsed && parsed->path.empty() && (parsed->port != 0 || rules.port_zero);
    const bool of_file = parsed && !parsed->path.empty() && rules.unix_socket;
    if (of_host || of_file) return;
    std::string message = "expected host:port";
    message += rules.unix_socket ? ", [v6]:port or unix:/path" : " or [v6]:port";
    message.append(", such as \"127.0.0.1:8080\", found \"").append(address).append("\"");
    report(node, path, std::move(message));
  }

  void check_listeners() {
    std::vector<std::string_view> clusters;
    for (const ClusterConfig& cluster : config_.clusters) clusters.push_back(cluster.name);
    std::set<std::string_view> names;
    std::set<std::string_view> binds;
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const ListenerConfig& listener = config_.listeners[i];
      const std::string at = path("listeners", i);
      if (!listener.name.empty() && !names.insert(listener.name).second) {
        report(node_at("listeners", i, "name"), at + ".name",
               "another listener is named \"" + listener.name + "\" already");
      }
      check_address(node_at("listeners", i, "bind"), at + ".bind", listener.bind,
                    {.port_zero = true});
      const bool fixed_port = !listener.bind.ends_with(":0");
      if (!listener.bind.empty() && fixed_port && !binds.insert(listener.bind).second) {
        report(node_at("listeners", i, "bind"), at + ".bind",
               "another listener is bound to \"" + listener.bind + "\" already");
      }
      if (!listener.via.empty() && !is_token(listener.via)) {
        report(node_at("listeners", i, "via"), at + ".via",
               "expected a name without spaces or commas, such as \"lbd\", found \"" +
                   listener.via + '"');
      }
      check_identity(i, listener.identity, at);
      check_destination(i, listener, at, clusters);
    }
    const Node* list = place_.node.find("listeners");
    if (list != nullptr && list->kind == Node::Kind::list && list->items.empty()) {
      report(*list, path("listeners"), "expected at least one listener");
    }
  }

  void check_identity(std::size_t i, const ClientIdentityConfig& identity, const std::string& at) {
    if (identity.proxy_protocol == AcceptedProxyHeader::none) return;
    if (!identity.trusted_proxies.empty()) return;
    report(node_at("listeners", i, "proxy_protocol"), at + ".proxy_protocol",
           "expected \"trusted_proxies\" too, such as [10.0.0.0/8]: a PROXY header from anybody "
           "else could say anything");
  }

  // Where a listener's requests go.
  void check_destination(std::size_t i, const ListenerConfig& listener, const std::string& at,
                         const std::vector<std::string_view>& clusters) {
    const Node& cluster = node_at("listeners", i, "cluster");
    const Node& routes = node_at("listeners", i, "routes");
    if (routes.kind == Node::Kind::list && routes.items.empty()) {
      report(routes, at + ".routes", "expected at least one route");
    } else if (!listener.cluster.empty() && !listener.routes.empty()) {
      report(routes, at + ".routes",
             "the listener has \"cluster\", which takes everything; a last route without \"match\" "
             "takes the rest");
    } else if (!listener.routes.empty() && listener.protocol == Protocol::tcp) {
      report(routes, at + ".routes",
             "tcp does not look inside, so there is nothing to choose by; expected \"cluster\"");
    }
    if (!listener.cluster.empty() &&
        std::find(clusters.begin(), clusters.end(), listener.cluster) == clusters.end()) {
      report(cluster, at + ".cluster",
             "there is no cluster \"" + listener.cluster + '"' +
                 did_you_mean(listener.cluster, clusters));
    }
    check_routes(place_.child(routes, at + ".routes"), listener.routes, listener.ambiguous_paths,
                 clusters);
  }

  void check_clusters() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < config_.clusters.size(); ++i) {
      const ClusterConfig& cluster = config_.clusters[i];
      const std::string at = path("clusters", i);
      if (!cluster.name.empty() && !names.insert(cluster.name).second) {
        report(node_at("clusters", i, "name"), at + ".name",
               "another cluster is named \"" + cluster.name + "\" already");
      }
      check_backends(i, cluster, at);
      if (cluster.health_check) {
        check_path(node_at("clusters", i, "health_check"), at + ".health_check",
                   cluster.health_check->path);
      }
      if (const auto question = load_question(cluster.strategy)) {
        check_path(node_at("clusters", i, "strategy"), at + ".strategy", question->path);
      }
    }
  }

  // A path that goes into a request line of our own as it is.
  void check_path(const Node& owner, const std::string& at, const std::string& value) {
    const bool visible =
        std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (visible && value.starts_with('/')) return;
    const Node* given = owner.find("path");
    report(given == nullptr ? owner : *given, at + ".path",
           std::string{"expected a path that starts with \"/\""} +
               (visible ? "" : " and has no spaces in it") + ", found \"" + value + '"');
  }

  void check_backends(std::size_t cluster_index, const ClusterConfig& cluster,
                      const std::string& at) {
    std::set<std::string_view> ids;
    for (std::size_t j = 0; j < cluster.backends.size(); ++j) {
      const BackendConfig& backend = cluster.backends[j];
      const std::string backend_at = at + ".backends[" + std::to_string(j) + ']';
      if (!backend.id.empty() && !ids.insert(backend.id).second) {
        report(node_at("clusters", cluster_index, "id", "backends", j), backend_at + ".id",
               "another backend of this cluster is named \"" + backend.id + "\" already");
      }
      check_address(node_at("clusters", cluster_index, "address", "backends", j),
                    backend_at + ".address", backend.address, {});
    }
  }

  void check_admin() {
    const Node* admin = place_.node.find("admin");
    const Node* bind = admin == nullptr ? nullptr : admin->find("bind");
    const Node& node = bind == nullptr ? place_.node : *bind;
    const std::string at = path("admin.bind");
    check_address(node, at, config_.admin->bind, {.port_zero = true, .unix_socket = false});
    const auto address = parse_address(config_.admin->bind);
    const bool loopback = address && (!address->path.empty() || address->host.starts_with("127.") ||
                                      address->host == "::1" || address->host == "localhost");
    if (address && !loopback) {
      report(node, at,
             "the admin API has no login, so it may only listen on loopback, such as "
             "\"127.0.0.1:9900\"; found \"" +
                 config_.admin->bind + '"');
    }
  }

  const Place& place_;
  const DaemonConfig& config_;
};

// A word of the command line may hold bytes that are not UTF-8, which dump() would throw about.
std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::size_t kPathMax = 107;  // sockaddr_un has room for this and a zero.
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    const bool good = path.starts_with('/') && path.size() <= kPathMax &&
                      path.find('\0') == std::string_view::npos;
    return good ? std::optional{Address{.host = {}, .port = 0, .path = std::string{path}}}
                : std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // IPv6 without brackets: which colon starts the port?
  }
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (host.empty() || error != std::errc{} || end != port_text.data() + port_text.size()) {
    return std::nullopt;
  }
  return Address{.host = std::string{host}, .port = port, .path = {}};
}

void read(const Place& place, DaemonConfig& config, Range) {
  ObjectReader reader(place);
  describe(reader, config);
  reader.finish();
  CrossChecks(place, config).run();
}

LoadedConfig load_config(std::string_view text, std::string_view file_name) {
  LoadedConfig loaded;
  const Node root = parse_document(text, file_name, loaded.problems);
  if (!loaded.problems.empty() && root.kind == Node::Kind::null) return loaded;
  read(Place{root, "", loaded.problems}, loaded.config);
  CrossChecks(Place{root, "", loaded.warnings}, loaded.config).warn();
  return loaded;
}

Position position_of(std::string_view text, std::string_view file_name, std::string_view path) {
  std::vector<Problem> ignored;
  const Node root = parse_document(text, file_name, ignored);
  const Node* node = &root;
  Position at = root.at;
  while (!path.empty() && node != nullptr) {
    const std::size_t end = std::min(path.find_first_of(".[]"), path.size());
    const std::string_view word = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (word.empty()) continue;
    std::size_t index = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), index);
    const bool is_index = error == std::errc{} && node->kind == Node::Kind::list;
    if (is_index) {
      node = index < node->items.size() ? &node->items[index] : nullptr;
    } else {
      node = node->find(word);
    }
    if (node != nullptr) at = node->at;
  }
  return at;
}

std::vector<Problem> check_config(const DaemonConfig& config) {
  return load_config(dump(to_json(config), 2), "config.json").problems;
}

Json to_json(const DaemonConfig& config) {
  ObjectWriter writer;
  DaemonConfig copy = config;
  describe(writer, copy);
  return writer.take();
}

Json schema_of(Definitions& definitions, const DaemonConfig& config, Range) {
  return definitions.refer("configuration", [&] {
    ObjectSchema object(definitions);
    DaemonConfig copy = config;
    describe(object, copy);
    return object.take();
  });
}

Json configuration_schema() {
  Definitions definitions;
  const Json root = schema_of(definitions, DaemonConfig{});
  return definitions.whole("Configuration of lbd", root);
}

std::vector<Key> configuration_keys() {
  std::vector<Key> keys;
  DaemonConfig defaults;
  KeyLister lister(keys, "");
  describe(lister, defaults);
  return keys;
}

std::string config_hash(const DaemonConfig& config) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::uint64_t hash = hash_bytes(dump(to_json(config)));
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) {
    text += kDigits[(hash >> static_cast<unsigned>(shift)) & 0xfU];
  }
  return text;
}

}  // namespace lb::config
