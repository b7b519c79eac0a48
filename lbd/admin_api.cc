#include "lbd/admin_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lbcore/request_attributes.h"
#include "lbd/daemon.h"
#include "lbd/log.h"
#include "lbd/metrics.h"

namespace lb::daemon {
namespace {

AdminAnswer json_answer(int status, const Json& body) {
  // What a client sent may come back in it, in no encoding at all.
  return {status, "application/json",
          body.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'};
}

AdminAnswer error_answer(int status, const std::string& message) {
  return json_answer(status, {{"error", message}});
}

AdminAnswer text_answer(int status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text + '\n'};
}

bool is_loopback_name(std::string_view host) {
  for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (!host.starts_with(name)) continue;
    const std::string_view rest = host.substr(name.size());
    if (rest.empty() || rest.front() == ':') return true;
  }
  return false;
}

std::vector<ControlFacts::Ejections> ejections_of(const Control& control) {
  std::vector<ControlFacts::Ejections> all;
  for (const ClusterPlan& plan : control.plans()) {
    const EjectionCounters* counters = control.ejection_counters(plan.id);
    if (counters != nullptr) all.push_back({plan.config.name, *counters});
  }
  return all;
}

std::vector<ControlFacts::Certificate> certificates_of(const TlsContexts& tls) {
  std::vector<ControlFacts::Certificate> all;
  for (const auto& [listener, context] : tls.listeners) {
    for (const auto& [file, end] : context->expiries()) all.push_back({listener, file, end});
  }
  return all;
}

ControlFacts facts_of(const Daemon& daemon) {
  return {.version = LBD_VERSION,
          .config_hash = daemon.config_hash(),
          .reloads_succeeded = daemon.reloads().succeeded,
          .reloads_failed = daemon.reloads().failed,
          .last_reload_success_unix_seconds = daemon.reloads().last_success_unix_seconds,
          .access_log_dropped = daemon.access_log_dropped(),
          .connections_max = daemon.connections_max(),
          .ejections = ejections_of(daemon.control()),
          .certificates = certificates_of(daemon.tls())};
}

AdminAnswer metrics(Daemon& daemon, std::string_view accept) {
  const auto workers = daemon.snapshots();
  if (!workers) return error_answer(503, "a worker did not answer in time");
  if (accept.find("application/json") != std::string_view::npos) {
    return json_answer(200, to_json(*workers, facts_of(daemon)));
  }
  return {200, "text/plain; version=0.0.4; charset=utf-8",
          to_prometheus(*workers, facts_of(daemon))};
}

AdminAnswer list_backends(Daemon& daemon) {
  const auto workers = daemon.snapshots();
  if (!workers) return error_answer(503, "a worker did not answer in time");
  const std::vector<ClusterTotals> totals = add_up(*workers);
  Json list = Json::array();
  for (const ClusterPlan& plan : daemon.control().plans()) {
    const auto cluster = std::find_if(totals.begin(), totals.end(), [&](const ClusterTotals& c) {
      return c.name == plan.config.name;
    });
    for (std::size_t i = 0; i < plan.config.backends.size(); ++i) {
      const BackendConfig& backend = plan.config.backends[i];
      Json entry = {{"cluster", plan.config.name},
                    {"id", backend.id},
                    {"address", backend.address},
                    {"weight", backend.weight},
                    {"state", to_string(backend.state)},
                    {"health", plan.config.health_check ? to_string(plan.health[i]) : "unchecked"}};
      const auto standing = daemon.control().standing(plan.id, plan.backend_ids[i]);
      if (standing.ejection) entry["ejected_by"] = to_string(standing.ejection->rule);
      if (cluster != totals.end()) {
        for (const ClusterTotals::Backend& counts : cluster->backends) {
          if (counts.id != backend.id) continue;
          entry["idle_connections"] = counts.idle_connections;
          entry.update(observables(*cluster, counts));
        }
      }
      list.push_back(std::move(entry));
    }
  }
  return json_answer(200, {{"backends", std::move(list)}});
}

// The value of name=… in a query, as it came.
std::string query_value(std::string_view query, std::string_view name) {
  const RequestAttributes attributes{.query = query};
  return std::string{attributes.query_value(name).value_or("")};
}

AdminAnswer explain(Daemon& daemon, std::string_view query) {
  const std::string name = query_value(query, "cluster");
  for (const ClusterPlan& plan : daemon.control().plans()) {
    if (plan.config.name != name) continue;
    const auto explanation = daemon.explain(plan.id, hash_bytes(query_value(query, "key")));
    if (!explanation) return error_answer(503, "a worker did not answer in time");
    return json_answer(200, to_json(*explanation, plan));
  }
  return error_answer(404, "there is no cluster \"" + name +
                               "\"; ask for /explain?cluster=NAME&key=KEY, where KEY is what the "
                               "strategy hashes, such as a client's address");
}

constexpr std::string_view kHidden = "(hidden; comes back unchanged)";

Json without_secrets(config::DaemonConfig config) {
  for (ClusterConfig& cluster : config.clusters) {
    if (cluster.affinity && !cluster.affinity->cookie.secret.empty()) {
      cluster.affinity->cookie.secret = kHidden;
    }
  }
  return config::to_json(config);
}

// What was shown hidden and comes back so has not changed.
void restore_secrets(config::DaemonConfig& next, const config::DaemonConfig& present) {
  for (ClusterConfig& cluster : next.clusters) {
    if (!cluster.affinity || cluster.affinity->cookie.secret != kHidden) continue;
    cluster.affinity->cookie.secret.clear();
    for (const ClusterConfig& known : present.clusters) {
      if (known.name != cluster.name || !known.affinity) continue;
      cluster.affinity->cookie.secret = known.affinity->cookie.secret;
    }
  }
}

AdminAnswer take_config(Daemon& daemon, const config::LoadedConfig& loaded,
                        const std::string& cause, int status) {
  if (!loaded.problems.empty()) {
    Json problems = Json::array();
    for (const config::Problem& problem : loaded.problems) {
      problems.push_back({{"line", problem.at.line},
                          {"column", problem.at.column},
                          {"path", problem.path},
                          {"message", problem.message}});
    }
    return json_answer(400, {{"error", "the configuration has problems; nothing was changed"},
                             {"problems", std::move(problems)}});
  }
  if (const auto error = daemon.apply(loaded.config, cause)) {
    return error_answer(409, *error + "; nothing was changed");
  }
  return json_answer(status, {{"config_hash", daemon.config_hash()}});
}

// Changes a copy of the configuration and takes it as if it had come in full: by the same checks.
AdminAnswer take_changed(Daemon& daemon, const Json& changed, const std::string& cause,
                         int status) {
  return take_config(daemon, config::load_config(changed.dump(2), "config.json"), cause, status);
}

AdminAnswer add_backend(Daemon& daemon, std::string_view body) {
  // The configuration's reader knows how deep a document may be; Json would fill the stack.
  config::LoadedConfig document;
  static_cast<void>(config::parse_document(body, "backend.json", document.problems));
  if (!document.problems.empty()) return take_config(daemon, document, "POST /backends", 201);
  Json backend = Json::parse(body, nullptr, false);
  if (!backend.is_object() || !backend.contains("cluster") || !backend["cluster"].is_string()) {
    return error_answer(400,
                        "expected an object such as {\"cluster\": \"web\", \"id\": \"b4\", "
                        "\"address\": \"127.0.0.1:8004\"}");
  }
  const std::string name = backend["cluster"].get<std::string>();
  backend.erase("cluster");
  Json config = config::to_json(daemon.config());
  for (Json& cluster : config["clusters"]) {
    if (cluster["name"] != name) continue;
    for (const Json& present : cluster["backends"]) {
      if (backend.contains("id") && present["id"] == backend["id"]) {
        return error_answer(
            409, "cluster \"" + name + "\" has a backend " + backend["id"].dump() + " already");
      }
    }
    cluster["backends"].push_back(backend);
    return take_changed(daemon, config, "POST /backends", 201);
  }
  return error_answer(404, "there is no cluster \"" + name + '"');
}

AdminAnswer remove_backend(Daemon& daemon, std::string_view id, std::string_view query) {
  constexpr std::string_view kCluster = "cluster=";
  const std::string wanted{query.starts_with(kCluster) ? query.substr(kCluster.size()) : ""};
  Json config = config::to_json(daemon.config());
  Json* found = nullptr;
  for (Json& cluster : config["clusters"]) {
    if (!wanted.empty() && cluster["name"] != wanted) continue;
    for (const Json& backend : cluster["backends"]) {
      if (backend["id"] != id) continue;
      if (found != nullptr) {
        return error_answer(409, "several clusters have a backend \"" + std::string{id} +
                                     "\"; say which with ?cluster=NAME");
      }
      found = &cluster;
    }
  }
  if (found == nullptr) return error_answer(404, "there is no backend \"" + std::string{id} + '"');
  Json kept = Json::array();
  for (const Json& backend : (*found)["backends"]) {
    if (backend["id"] != id) kept.push_back(backend);
  }
  (*found)["backends"] = std::move(kept);
  return take_changed(daemon, config, "DELETE /backends", 200);
}

AdminAnswer route(Daemon& daemon, const AdminRequest& request) {
  constexpr std::string_view kBackend = "/backends/";
  const std::size_t question = request.target.find('?');
  const std::string_view path = request.target.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? "" : request.target.substr(question + 1);
  const bool get = request.method == "GET";
  const bool writes = request.method == "POST" || request.method == "PUT";
  if (writes && !request.content_type.starts_with("application/json")) {
    return error_answer(415, "expected Content-Type: application/json");
  }
  if (path == "/livez" && get) return text_answer(200, "ok");
  if (path == "/readyz" && get) {
    return daemon.ready() ? text_answer(200, "ok") : text_answer(503, "not ready");
  }
  if (path == "/metrics" && get) return metrics(daemon, request.accept);
  if (path == "/config" && get) return json_answer(200, without_secrets(daemon.config()));
  if (path == "/config" && request.method == "PUT") {
    config::LoadedConfig loaded = config::load_config(request.body, "config.json");
    restore_secrets(loaded.config, daemon.config());
    return take_config(daemon, loaded, "PUT /config", 200);
  }
  if (path == "/explain" && get) return explain(daemon, query);
  if (path == "/backends" && get) return list_backends(daemon);
  if (path == "/backends" && request.method == "POST") return add_backend(daemon, request.body);
  if (path.starts_with(kBackend) && request.method == "DELETE") {
    return remove_backend(daemon, path.substr(kBackend.size()), query);
  }
  constexpr std::array<std::string_view, 6> kPaths{"/livez",  "/readyz",   "/metrics",
                                                   "/config", "/backends", "/explain"};
  const bool known =
      path.starts_with(kBackend) || std::find(kPaths.begin(), kPaths.end(), path) != kPaths.end();
  if (known) return error_answer(405, "this path does not take " + std::string{request.method});
  return error_answer(404, "there is /livez, /readyz, /metrics, /backends, /explain and /config");
}

}  // namespace

AdminAnswer answer_admin_request(Daemon& daemon, const AdminRequest& request) {
  if (request.has_origin) return error_answer(403, "requests from web pages are not served");
  if (!is_loopback_name(request.host)) {
    return error_answer(403, "expected a loopback name in Host, such as localhost");
  }
  AdminAnswer answer = route(daemon, request);
  if (request.method != "GET") {
    log_event(LogLevel::info, "admin",
              {{"method", request.method}, {"target", request.target}, {"status", answer.status}});
  }
  return answer;
}

}  // namespace lb::daemon
