// The scenario file: its keys, and what only fits together.
#include <algorithm>
#include <array>
#include <set>

#include "lbcore/config/cluster_fields.h"
#include "lbsim/scenario/scenario.h"

namespace lb::config {

template <>
struct EnumWords<scenario::FaultKind> {
  using enum scenario::FaultKind;
  static constexpr std::array<std::pair<scenario::FaultKind, const char*>, 7> words{
      {{crash, "crash"},
       {hang, "hang"},
       {refuse, "refuse"},
       {reset, "reset"},
       {slow, "slow"},
       {error_ratio, "error_ratio"},
       {recover, "recover"}}};
};

template <>
struct EnumWords<scenario::Metric> {
  using enum scenario::Metric;
  static constexpr std::array<std::pair<scenario::Metric, const char*>, 11> words{
      {{requests, "requests"},
       {error_ratio, "error_ratio"},
       {throughput, "throughput"},
       {share, "share"},
       {retry_ratio, "retry_ratio"},
       {latency_mean, "latency_mean"},
       {latency_p50, "latency_p50"},
       {latency_p90, "latency_p90"},
       {latency_p99, "latency_p99"},
       {latency_p999, "latency_p999"},
       {latency_max, "latency_max"}}};
};

}  // namespace lb::config

namespace lb::scenario {

using config::kAboveZero;
using config::kFromZero;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Problem;
using config::Range;

namespace {

// An object with exactly one key, which says what kind of thing the value is.
struct Choice {
  std::size_t index = 0;
  const Node* value = nullptr;
};

std::optional<Choice> read_choice(const Place& place, std::span<const std::string_view> kinds) {
  if (place.node.kind == Node::Kind::map && place.node.entries.size() == 1) {
    const Node::Entry& entry = place.node.entries.front();
    const auto kind = std::find(kinds.begin(), kinds.end(), entry.key);
    if (kind != kinds.end()) {
      return Choice{static_cast<std::size_t>(kind - kinds.begin()), &entry.value};
    }
    place.problems.push_back({entry.at, place.path,
                              "expected " + config::one_of(kinds) + ", found \"" + entry.key + '"' +
                                  config::did_you_mean(entry.key, kinds)});
    return std::nullopt;
  }
  place.problem("expected an object with one key, " + config::one_of(kinds) + ", found " +
                config::describe_found(place.node));
  return std::nullopt;
}

}  // namespace

// describe() is found by its argument's namespace, which an anonymous one inside it is not.
template <class Fields>
static void describe(Fields& fields, Exponential& exponential) {
  fields.required("mean", exponential.mean, kFromZero, "the mean, a duration");
}

template <class Fields>
static void describe(Fields& fields, Lognormal& lognormal) {
  fields.required("mean", lognormal.mean, kFromZero, "the mean, a duration");
  fields.required("sigma", lognormal.sigma, Range{.min = 0, .max = 5},
                  "the standard deviation of the logarithm");
}

template <class Fields>
static void describe(Fields& fields, Poisson& poisson) {
  fields.required("rate", poisson.rate, Range{.min = 0, .max = 100'000'000}, "requests per second");
}

template <class Fields>
static void describe(Fields& fields, ConstantRate& constant) {
  fields.required("rate", constant.rate, Range{.min = 0, .max = 100'000'000},
                  "requests per second");
}

static void read(const Place& place, Distribution& value, Range = {}) {
  constexpr std::array<std::string_view, 3> kKinds{"constant", "exponential", "lognormal"};
  const auto choice = read_choice(place, kKinds);
  if (!choice) return;
  const Place inner =
      place.child(*choice->value, place.path + '.' + std::string{kKinds[choice->index]});
  if (choice->index == 0) {
    Constant constant;
    config::read(inner, constant.value, kFromZero);
    value = constant;
  } else if (choice->index == 1) {
    Exponential exponential;
    config::read(inner, exponential);
    value = exponential;
  } else {
    Lognormal lognormal;
    config::read(inner, lognormal);
    value = lognormal;
  }
}

template <class Fields>
static void describe(Fields& fields, ClosedLoop& closed) {
  fields.required("clients", closed.clients, Range{.min = 1, .max = 1'000'000},
                  "how many clients take turns");
  fields.optional("think_time", closed.think_time, "from an answer to the next request");
}

template <class Fields>
static void describe(Fields& fields, RequestShape& request) {
  fields.optional("method", request.method, kAboveZero, "the method");
  fields.optional("path", request.path, kAboveZero, "the path");
}

template <class Fields>
static void describe(Fields& fields, Behaviour& behaviour) {
  fields.optional("service_time", behaviour.service_time, "how long a request takes to serve");
  fields.optional("concurrency", behaviour.concurrency, Range{.min = 1, .max = 1'000'000},
                  "requests served at the same time");
  fields.optional("queue", behaviour.queue, Range{.min = 0, .max = 100'000'000},
                  "requests that may wait; one more is answered with 503");
}

template <class Fields>
static void describe(Fields& fields, Network& network) {
  fields.optional("connect", network.connect, kFromZero, "to open a connection");
  fields.optional("one_way", network.one_way, kFromZero, "from one host to the next");
}

static void read(const Place& place, Arrivals& value, Range = {}) {
  constexpr std::array<std::string_view, 3> kKinds{"poisson", "constant", "closed"};
  const auto choice = read_choice(place, kKinds);
  if (!choice) return;
  const Place inner =
      place.child(*choice->value, place.path + '.' + std::string{kKinds[choice->index]});
  if (choice->index == 0) {
    Poisson poisson;
    config::read(inner, poisson);
    value = poisson;
  } else if (choice->index == 1) {
    ConstantRate constant;
    config::read(inner, constant);
    value = constant;
  } else {
    ClosedLoop closed;
    config::read(inner, closed);
    value = closed;
  }
}

template <class Fields>
static void describe(Fields& fields, Load& load) {
  fields.optional("name", load.name, kAboveZero, "a name for reports");
  fields.optional("listener", load.listener, kAboveZero, "which listener it goes to");
  fields.required("arrivals", load.arrivals, "poisson, constant or closed");
  fields.optional("clients", load.clients, Range{.min = 1, .max = 65'000},
                  "different client addresses in an open loop");
  fields.optional("timeout", load.timeout, kAboveZero, "after which a client gives up");
  fields.optional("request", load.request, "what is asked");
}

// A limit of an expectation: a duration for latencies, a number otherwise.
static void read_limit(ObjectReader& fields, std::string_view key, Metric metric,
                       std::optional<double>& limit) {
  const Node* node = fields.find(key);
  if (node == nullptr) return;
  const Place place = fields.place().child(*node, fields.path_of(key));
  if (is_latency(metric)) {
    Duration duration{};
    config::read(place, duration, kFromZero);
    limit = std::chrono::duration<double>(duration).count();
  } else {
    double number = 0;
    config::read(place, number);
    limit = number;
  }
}

static void describe(ObjectReader& fields, Expectation& expectation) {
  const std::size_t problem_count = fields.place().problems.size();
  fields.required("metric", expectation.metric, "which figure");
  // Of an unknown figure nobody can say how a limit should look.
  const bool known = fields.place().problems.size() == problem_count;
  fields.optional("backend", expectation.backend, kAboveZero, "of which backend, for share");
  if (known) read_limit(fields, "min", expectation.metric, expectation.min);
  if (known) read_limit(fields, "max", expectation.metric, expectation.max);
  fields.known("min");
  fields.known("max");
  fields.optional("from", expectation.from, kFromZero, "start of the time it is about");
  fields.optional("to", expectation.to, kFromZero, "end of the time it is about");
  if (expectation.from && expectation.to && *expectation.from >= *expectation.to) {
    fields.place().problem("\"from\" has to be before \"to\"");
  }
  if (fields.find("min") == nullptr && fields.find("max") == nullptr) {
    fields.place().problem("\"min\" or \"max\" is missing: what is expected");
  }
}

static void describe(ObjectReader& fields, AddBackend& add) {
  fields.required("cluster", add.cluster, kAboveZero, "the cluster it joins");
  describe(fields, add.backend);
}

static void describe(ObjectReader& fields, RemoveBackend& remove) {
  fields.required("cluster", remove.cluster, kAboveZero, "the cluster it leaves");
  fields.required("id", remove.id, kAboveZero, "the backend's id");
}

static void describe(ObjectReader& fields, Fault& fault) {
  fields.required("backend", fault.backend, kAboveZero, "whom it strikes");
  fields.required("fault", fault.kind, "what happens to it");
  fields.optional("factor", fault.factor, Range{.min = 0, .max = 1'000'000},
                  "for slow: service times are multiplied by it");
  fields.optional("ratio", fault.ratio, Range{.min = 0, .max = 1},
                  "for error_ratio: this share of the answers are 500");
  if (fault.kind == FaultKind::slow && fields.find("factor") == nullptr) {
    fields.place().problem("\"factor\" is missing: how many times slower");
  }
  if (fault.kind == FaultKind::error_ratio && fields.find("ratio") == nullptr) {
    fields.place().problem("\"ratio\" is missing: which share of the answers");
  }
}

namespace {

// Puts `value` at `path` in `root`, making objects on the way; false when the path does not lead
// anywhere.
bool set_at(Node& root, std::string_view path, const Node& value) {
  Node* node = &root;
  while (!path.empty()) {
    const std::size_t end = path.find_first_of(".[");
    const std::string_view key = path.substr(0, end);
    if (!key.empty()) {
      if (node->kind == Node::Kind::null) node->kind = Node::Kind::map;
      if (node->kind != Node::Kind::map) return false;
      auto entry = std::find_if(node->entries.begin(), node->entries.end(),
                                [&](const Node::Entry& e) { return e.key == key; });
      if (entry == node->entries.end()) {
        node->entries.push_back({std::string{key}, node->at, {}});
        entry = std::prev(node->entries.end());
        entry->value.at = node->at;
      }
      node = &entry->value;
    }
    if (end == std::string_view::npos) break;
    if (path[end] == '.') {
      path.remove_prefix(end + 1);
      continue;
    }
    const std::size_t close = path.find(']', end);
    if (close == std::string_view::npos || node->kind != Node::Kind::list) return false;
    const std::string index_text{path.substr(end + 1, close - end - 1)};
    const bool digits = !index_text.empty() && index_text.size() < 9 &&
                        index_text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t index = digits ? std::stoul(index_text) : node->items.size();
    if (index >= node->items.size()) return false;
    node = &node->items[index];
    path.remove_prefix(close + 1);
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  const config::Position at = node->at;
  *node = value;
  node->at = at;
  return true;
}

class Loader {
 public:
  Loader(const std::string& file_name, const ReadFile& read_file,
         const std::vector<Override>& overrides)
      : file_name_(file_name), read_file_(read_file), overrides_(overrides) {}

  LoadedScenario load(std::string_view text) {
    Node root = config::parse_document(text, file_name_, problems_);
    LoadedScenario loaded;
    if (problems_.empty()) {
      load_config_file(root);
      for (const Override& override : overrides_) apply(root, override);
      Scenario& scenario = loaded.scenario;
      scenario.name = base_name(file_name_);
      const Place place{root, "", problems_};
      ObjectReader reader(place);
      read_all(reader, scenario);
      reader.finish();
      if (problems_.empty() && config_problems_.empty()) check(reader, scenario);
    }
    loaded.problems = config::format_problems(file_name_, problems_) +
                      config::format_problems(config_file_, config_problems_) + other_problems_;
    return loaded;
  }

 private:
  static std::string base_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
    return file.substr(0, file.rfind('.'));
  }

  // "config" may be the path of a file: its document then takes the place of the path.
  void load_config_file(Node& root) {
    for (Node::Entry& entry : root.entries) {
      if (entry.key != "config" || entry.value.kind != Node::Kind::scalar) continue;
      config_file_ = entry.value.text;
      const auto text = read_file_(config_file_);
      if (!text) {
        problems_.push_back({entry.value.at, "config", "cannot read \"" + config_file_ + '"'});
        config_file_.clear();
        config_unreadable_ = true;
        return;
      }
      entry.value = config::parse_document(*text, config_file_, config_problems_);
      config_unreadable_ = !config_problems_.empty() && entry.value.kind == Node::Kind::null;
    }
  }

  void apply(Node& root, const Override& override) {
    std::vector<Problem> value_problems;
    Node value = config::parse_document(override.value, "", value_problems);
    if (!value_problems.empty() || !set_at(root, override.path, value)) {
      problems_.push_back({root.at, override.path,
                           "cannot be set to \"" + override.value +
                               "\": the path or the value does not fit the file"});
    }
  }

  void read_all(ObjectReader& reader, Scenario& scenario) {
    reader.required("why", scenario.why, kAboveZero, "one sentence: what this shows");
    reader.optional("seed", scenario.seed, "start of everything random");
    reader.optional("duration", scenario.duration, kAboveZero, "for how long load is sent");
    reader.optional("warmup", scenario.warmup, kFromZero, "start of the run that is not counted");
    reader.known("config");
    if (const Node* node = reader.find("config")) {
      const bool own_file = !config_file_.empty();
      const Place place{*node, own_file ? "" : "config", own_file ? config_problems_ : problems_};
      if (!config_unreadable_) config::read(place, scenario.config);
    } else {
      reader.place().problem("\"config\" is missing: the configuration of lbd, or its file");
    }
    read_backends(reader, scenario);
    reader.optional("network", scenario.network, "simulated delays");
    reader.required("load", scenario.load, "a list of loads");
    read_events(reader, scenario);
    reader.optional("expect", scenario.expect, "what has to hold");
  }

  void read_backends(ObjectReader& reader, Scenario& scenario) {
    reader.known("backends");
    const Node* node = reader.find("backends");
    if (node == nullptr) return;
    if (node->kind != Node::Kind::map) {
      return reader.place()
          .child(*node, "backends")
          .problem("expected an object with a backend's id, or \"*\", as each key");
    }
    // What is said of "*" holds for every backend that does not say otherwise.
    Behaviour common;
    if (const Node* star = node->find("*")) {
      config::read(reader.place().child(*star, "backends.*"), common);
    }
    scenario.backends["*"] = common;
    for (const Node::Entry& entry : node->entries) {
      if (entry.key == "*") continue;
      Behaviour behaviour = common;
      config::read(reader.place().child(entry.value, "backends." + entry.key), behaviour);
      scenario.backends[entry.key] = behaviour;
    }
  }

  void read_events(ObjectReader& reader, Scenario& scenario) {
    reader.known("events");
    const Node* node = reader.find("events");
    if (node == nullptr) return;
    const Place list = reader.place().child(*node, "events");
    if (node->kind != Node::Kind::list) return list.problem("expected a list");
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      read_event(list.child(node->items[i], "events[" + std::to_string(i) + ']'), scenario);
    }
    std::stable_sort(scenario.events.begin(), scenario.events.end(),
                     [](const Event& a, const Event& b) { return a.at < b.at; });
  }

  void read_event(const Place& place, Scenario& scenario) {
    ObjectReader fields(place);
    if (place.node.kind != Node::Kind::map) return;
    Event event;
    fields.required("at", event.at, kFromZero, "when, since the start of the run");
    constexpr std::array<std::string_view, 4> kKinds{"fault", "reload", "add_backend",
                                                     "remove_backend"};
    if (fields.find("reload") != nullptr) {
      Reload reload;
      read_reload(fields, reload);
      event.what = std::move(reload);
    } else if (fields.find("add_backend") != nullptr) {
      AddBackend add;
      fields.required("add_backend", add, "");
      event.what = std::move(add);
    } else if (fields.find("remove_backend") != nullptr) {
      RemoveBackend remove;
      fields.required("remove_backend", remove, "");
      event.what = std::move(remove);
    } else if (fields.find("fault") != nullptr) {
      Fault fault;
      describe(fields, fault);
      event.what = std::move(fault);
    } else {
      place.problem("expected an event with " + config::one_of(kKinds));
      for (const Node::Entry& entry : place.node.entries) fields.known(entry.key);
    }
    fields.finish();
    scenario.events.push_back(std::move(event));
  }

  void read_reload(ObjectReader& fields, Reload& reload) {
    fields.known("reload");
    const Node* node = fields.find("reload");
    if (node->kind != Node::Kind::scalar) {
      config::read(fields.place().child(*node, fields.path_of("reload")), reload.config);
      return;
    }
    const auto text = read_file_(node->text);
    if (!text) {
      fields.place()
          .child(*node, fields.path_of("reload"))
          .problem("cannot read \"" + node->text + '"');
      return;
    }
    config::LoadedConfig loaded = config::load_config(*text, node->text);
    other_problems_ += config::format_problems(node->text, loaded.problems);
    reload.config = std::move(loaded.config);
  }

  // Names that have to exist somewhere else in the file.
  void check(const ObjectReader& reader, const Scenario& scenario) {
    std::vector<std::string_view> ids;
    std::set<std::pair<std::string, std::string>> members;
    const auto all = scenario.all_backends();
    for (const Scenario::Member& member : all) {
      if (!members.insert({member.cluster, member.backend.id}).second) continue;
      if (std::find(ids.begin(), ids.end(), member.backend.id) != ids.end()) {
        reader.place().problem("backend \"" + member.backend.id +
                               "\" is in two clusters; a scenario needs ids of its own for each");
      }
      ids.push_back(member.backend.id);
    }
    const auto known = [&](const Node* node, const std::string& path, const std::string& id) {
      if (id.empty() || std::find(ids.begin(), ids.end(), id) != ids.end()) return;
      reader.place()
          .child(*node, path)
          .problem("there is no backend \"" + id + '"' + config::did_you_mean(id, ids));
    };
    if (const Node* node = reader.find("backends")) {
      for (const Node::Entry& entry : node->entries) {
        if (entry.key != "*") known(&entry.value, "backends." + entry.key, entry.key);
      }
    }
    check_each(reader, "events", [&](const Node& node, const std::string& path) {
      if (const Node* backend = node.find("backend")) {
        known(backend, path + ".backend", backend->text);
      }
      if (const Node* add = node.find("add_backend")) {
        check_cluster(reader.place().child(*add->find("cluster"), path + ".add_backend.cluster"),
                      scenario);
        check_address(reader.place().child(*add->find("address"), path + ".add_backend.address"));
      }
      if (const Node* remove = node.find("remove_backend")) {
        const std::string below = path + ".remove_backend";
        check_cluster(reader.place().child(*remove->find("cluster"), below + ".cluster"), scenario);
        known(remove->find("id"), below + ".id", remove->find("id")->text);
      }
    });
    check_each(reader, "expect", [&](const Node& node, const std::string& path) {
      const Node* backend = node.find("backend");
      if (backend != nullptr) known(backend, path + ".backend", backend->text);
      if (node.find("metric")->text == "share" && backend == nullptr) {
        reader.place().child(node, path).problem("\"backend\" is missing: whose share");
      }
    });
    std::vector<std::string_view> listeners;
    for (const auto& listener : scenario.config.listeners) listeners.push_back(listener.name);
    check_each(reader, "load", [&](const Node& node, const std::string& path) {
      const Node* listener = node.find("listener");
      if (listener == nullptr) return;
      if (std::find(listeners.begin(), listeners.end(), listener->text) == listeners.end()) {
        reader.place()
            .child(*listener, path + ".listener")
            .problem("there is no listener \"" + listener->text + '"' +
                     config::did_you_mean(listener->text, listeners));
      }
    });
    if (scenario.warmup >= scenario.duration) {
      const Node* warmup = reader.find("warmup");
      reader.place()
          .child(warmup == nullptr ? reader.place().node : *warmup, "warmup")
          .problem("has to be shorter than \"duration\"");
    }
    if (scenario.load.empty()) {
      reader.place().child(*reader.find("load"), "load").problem("is empty: nothing would be sent");
    }
  }

  static void check_cluster(const Place& place, const Scenario& scenario) {
    std::vector<std::string_view> names;
    const auto add = [&](const config::DaemonConfig& daemon) {
      for (const ClusterConfig& cluster : daemon.clusters) names.push_back(cluster.name);
    };
    add(scenario.config);
    for (const Event& event : scenario.events) {
      if (const auto* reload = std::get_if<Reload>(&event.what)) add(reload->config);
    }
    if (std::find(names.begin(), names.end(), place.node.text) != names.end()) return;
    place.problem("there is no cluster \"" + place.node.text + '"' +
                  config::did_you_mean(place.node.text, names));
  }

  static void check_address(const Place& place) {
    const auto address = config::parse_address(place.node.text);
    if (address && address->port != 0) return;
    place.problem("expected host:port or [v6]:port, such as \"127.0.0.1:8080\", found \"" +
                  place.node.text + '"');
  }

  template <class Check>
  static void check_each(const ObjectReader& reader, const std::string& key, Check&& check) {
    const Node* list = reader.find(key);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      check(list->items[i], key + '[' + std::to_string(i) + ']');
    }
  }

  const std::string& file_name_;
  const ReadFile& read_file_;
  const std::vector<Override>& overrides_;
  std::vector<Problem> problems_;
  std::string config_file_;  // The file "config" points at; empty when it is inline.
  bool config_unreadable_ = false;
  std::vector<Problem> config_problems_;
  std::string other_problems_;  // Of files that events point at.
};

}  // namespace

LoadedScenario load_scenario(std::string_view text, const std::string& file_name,
                             const ReadFile& read_file, const std::vector<Override>& overrides) {
  return Loader(file_name, read_file, overrides).load(text);
}

const Behaviour& Scenario::behaviour(const std::string& backend) const {
  static const Behaviour kDefault;
  auto found = backends.find(backend);
  if (found == backends.end()) found = backends.find("*");
  return found == backends.end() ? kDefault : found->second;
}

std::vector<Scenario::Member> Scenario::all_backends() const {
  std::vector<Member> all;
  std::set<std::pair<std::string, std::string>> seen;
  const auto add = [&](const std::string& cluster, const BackendConfig& backend) {
    if (seen.insert({cluster, backend.id}).second) all.push_back({cluster, backend});
  };
  const auto add_clusters = [&](const config::DaemonConfig& daemon) {
    for (const ClusterConfig& cluster : daemon.clusters) {
      for (const BackendConfig& backend : cluster.backends) add(cluster.name, backend);
    }
  };
  add_clusters(config);
  for (const Event& event : events) {
    if (const auto* reload = std::get_if<Reload>(&event.what)) add_clusters(reload->config);
    if (const auto* join = std::get_if<AddBackend>(&event.what)) add(join->cluster, join->backend);
  }
  return all;
}

std::string describe_event(const Event& event) {
  if (const auto* fault = std::get_if<Fault>(&event.what)) {
    std::string text;
    for (const auto& [kind, word] : config::EnumWords<FaultKind>::words) {
      if (kind == fault->kind) text = word;
    }
    return text + ' ' + fault->backend;
  }
  if (const auto* add = std::get_if<AddBackend>(&event.what)) return "add " + add->backend.id;
  if (const auto* remove = std::get_if<RemoveBackend>(&event.what)) return "remove " + remove->id;
  return "reload";
}

bool is_latency(Metric metric) { return metric >= Metric::latency_mean; }

std::string_view metric_name(Metric metric) {
  return config::EnumWords<Metric>::words[static_cast<std::size_t>(metric)].second;
}

std::string client_address(std::size_t load_index, std::uint32_t client) {
  // 127.<load + 1>.x.y: the kernel accepts any address of 127/8 as a source on loopback.
  return "127." + std::to_string(load_index % 250 + 1) + '.' + std::to_string(client / 250 % 250) +
         '.' + std::to_string(client % 250 + 1);
}

}  // namespace lb::scenario
