// Reads the scenario file, and checks what only fits together.
#include <algorithm>
#include <array>
#include <set>

#include "lbsim/scenario/behaviour_text.h"
#include "lbsim/scenario/check_expectations.h"
#include "lbsim/scenario/expand_files.h"
#include "lbsim/scenario/override.h"
#include "lbsim/scenario/scenario_fields.h"
#include "lbsim/scenario/timeline.h"

namespace lb::scenario {
namespace {

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
      expand_files(root, "", read_file_, problems_);
      Scenario& scenario = loaded.scenario;
      scenario.name = base_name(file_name_);
      const Place place{root, "", problems_};
      ObjectReader reader(place);
      read_all(reader, scenario);
      reader.finish();
      if (problems_.empty() && config_problems_.empty()) check(reader, scenario);
      note_simulated_only(reader, scenario);
    }
    loaded.simulated_only = config::format_problems(file_name_, simulated_only_);
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
    reader.optional("fleet", scenario.fleet, "daemons beside each other");
    reader.optional("autoscalers", scenario.autoscalers, "clusters that grow and shrink");
    read_backends(reader, scenario);
    reader.optional("network", scenario.network, "simulated delays");
    reader.required("load", scenario.load, "a list of loads");
    if (problems_.empty()) read_traces(reader, scenario);
    read_events(reader, scenario);
    reader.optional("windows", scenario.windows, "parts of the run the report has figures of");
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

  // The files that loads send again.
  void read_traces(const ObjectReader& reader, Scenario& scenario) {
    for (std::size_t i = 0; i < scenario.load.size(); ++i) {
      auto* replay = std::get_if<Replay>(&scenario.load[i].arrivals);
      if (replay == nullptr) continue;
      const Node* node = reader.find("load")->items[i].find("arrivals")->find("replay");
      const std::string path = "load[" + std::to_string(i) + "].arrivals.replay.file";
      const Place place = reader.place().child(*node->find("file"), path);
      const auto text = read_file_(replay->file);
      if (!text) {
        place.problem("cannot read \"" + replay->file + '"');
        continue;
      }
      LoadedTrace loaded =
          replay->format == TraceFormat::csv ? read_csv_trace(*text) : read_log_trace(*text);
      if (!loaded.problem.empty()) place.problem('"' + replay->file + "\" " + loaded.problem);
      for (Trace::Entry& entry : loaded.trace.entries) {
        const double at = static_cast<double>(entry.at.count()) / replay->speed;
        entry.at = Duration{static_cast<Duration::rep>(std::min(at, 9.0e18))};
      }
      replay->trace = std::make_shared<const Trace>(std::move(loaded.trace));
    }
  }

  void note_simulated_only(const ObjectReader& reader, const Scenario& scenario) {
    if (scenario.fleet.daemons > 1) {
      simulated_only_.push_back({reader.find("fleet")->find("daemons")->at, "fleet.daemons",
                                 std::string{kOneDaemonOnly}});
    }
    if (!scenario.autoscalers.empty()) {
      simulated_only_.push_back(
          {reader.find("autoscalers")->at, "autoscalers", std::string{kSimulatedOnly}});
    }
    const Node* backends = reader.find("backends");
    if (backends == nullptr) return;
    for (const Node::Entry& backend : backends->entries) {
      const auto only = simulated_only(scenario.behaviour(backend.key));
      for (const Node::Entry& entry : backend.value.entries) {
        if (std::find(only.begin(), only.end(), entry.key) == only.end()) continue;
        simulated_only_.push_back(
            {entry.at, "backends." + backend.key + '.' + entry.key, std::string{kSimulatedOnly}});
      }
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
    if (problems_.empty()) plan_events(scenario);
  }

  struct WrittenEvent {
    Place place;
    PlannedEvent planned;
    std::string zone;  // All backends of it are struck.
  };

  void plan_events(Scenario& scenario) {
    // Who joins on the way is in a zone, too.
    for (const WrittenEvent& written : written_) scenario.events.push_back(written.planned.event);
    const std::vector<Scenario::Member> members = scenario.all_backends();
    for (WrittenEvent& written : written_) {
      for (const Scenario::Member& member : members) {
        const std::string& id = member.backend.id;
        const bool inside = !written.zone.empty() && scenario.behaviour(id).zone == written.zone;
        if (inside) written.planned.backends.push_back(id);
      }
      scenario.plan.push_back(written.planned);
    }
    if (const auto endless = make_timeline(scenario)) {
      written_[*endless].place.problem("would happen more than 100,000 times");
    }
  }

  void read_fault(ObjectReader& fields, WrittenEvent& written, const Scenario& scenario) {
    Fault fault;
    describe(fields, fault);
    std::vector<std::uint32_t> daemons;
    const bool names_daemons = read_daemons(fields, daemons, scenario);
    const bool of_daemons =
        names_daemons && fields.find("backend") == nullptr && fields.find("zone") == nullptr;
    const bool of_network = fault.kind == FaultKind::loss || fault.kind == FaultKind::partition;
    if (of_daemons) {
      written.planned.event.what = DaemonFault{.kind = fault.kind};
      written.planned.daemons = daemons;
      check_daemon_fault(fields, fault.kind);
    } else {
      if (names_daemons && !of_network) {
        fields.place()
            .child(*fields.find("daemon"), fields.path_of("daemon"))
            .problem("goes with loss and partition, which are between a backend and some daemons");
      }
      if (of_network) {
        simulated_only_.push_back(
            {fields.find("fault")->at, fields.path_of("fault"), std::string{kSimulatedOnly}});
      }
      fault.daemons = std::move(daemons);
      written.planned.event.what = std::move(fault);
      read_struck(fields, written, scenario);
    }
    fields.optional("for", written.planned.length, kAboveZero, "after which it recovers");
    check_length(fields, written.planned);
  }

  // "daemon": a number or a list of them. False without any.
  static bool read_daemons(ObjectReader& fields, std::vector<std::uint32_t>& daemons,
                           const Scenario& scenario) {
    fields.known("daemon");
    const Node* node = fields.find("daemon");
    if (node == nullptr) return false;
    const Place place = fields.place().child(*node, fields.path_of("daemon"));
    const Range range{.min = 0, .max = std::int64_t{scenario.fleet.daemons} - 1};
    if (node->kind == Node::Kind::list) {
      config::read(place, daemons, range);
      if (daemons.empty()) place.problem("is empty: which daemons?");
    } else {
      config::read(place, daemons.emplace_back(), range);
    }
    return true;
  }

  void check_daemon_fault(ObjectReader& fields, FaultKind kind) {
    const Node& fault = *fields.find("fault");
    const std::string path = fields.path_of("fault");
    simulated_only_.push_back({fault.at, path, std::string{kOneDaemonOnly}});
    if (kind == FaultKind::crash || kind == FaultKind::recover) return;
    fields.place()
        .child(fault, path)
        .problem("a daemon can \"crash\" and \"recover\"; anything else needs a \"backend\"");
  }

  // "backend": an id or a list of them; or "zone".
  void read_struck(ObjectReader& fields, WrittenEvent& written, const Scenario& scenario) {
    fields.known("backend");
    const Node* backend = fields.find("backend");
    fields.optional("zone", written.zone, kAboveZero, "all backends of this zone");
    if ((backend == nullptr) == (fields.find("zone") == nullptr)) {
      return fields.place().problem("expected \"backend\" (an id, or a list of them) or \"zone\"");
    }
    if (backend == nullptr) return check_zone(fields, written.zone, scenario);
    const Place place = fields.place().child(*backend, fields.path_of("backend"));
    if (backend->kind == Node::Kind::list) {
      config::read(place, written.planned.backends, kAboveZero);
    } else {
      config::read(place, written.planned.backends.emplace_back(), kAboveZero);
    }
  }

  static void check_zone(ObjectReader& fields, const std::string& zone, const Scenario& scenario) {
    std::vector<std::string_view> zones;
    for (const auto& [id, behaviour] : scenario.backends) {
      if (!behaviour.zone.empty()) zones.push_back(behaviour.zone);
    }
    if (std::find(zones.begin(), zones.end(), zone) != zones.end()) return;
    fields.place()
        .child(*fields.find("zone"), fields.path_of("zone"))
        .problem("no backend is in a zone \"" + zone + '"' + config::did_you_mean(zone, zones));
  }

  static void check_length(ObjectReader& fields, const PlannedEvent& written) {
    if (!written.length) return;
    const auto report = [&](const char* words) {
      fields.place().child(*fields.find("for"), fields.path_of("for")).problem(words);
    };
    const auto& every = written.repetition.every;
    if (every && *written.length + written.repetition.jitter >= *every) {
      report("has to end before it comes again");
    }
    const auto* fault = std::get_if<Fault>(&written.event.what);
    const auto* down = std::get_if<DaemonFault>(&written.event.what);
    if ((fault != nullptr ? fault->kind : down->kind) == FaultKind::recover) {
      report("does not go with recover, which is the end of something");
    }
  }

  void read_event(const Place& place, Scenario& scenario) {
    ObjectReader fields(place);
    if (place.node.kind != Node::Kind::map) return;
    WrittenEvent written{.place = place, .planned = {}, .zone = {}};
    PlannedEvent& planned = written.planned;
    Event& event = planned.event;
    describe(fields, planned.repetition);
    fields.required("at", event.at, kFromZero, "when, since the start of the run");
    constexpr std::array<std::string_view, 5> kKinds{"fault", "reload", "add_backend",
                                                     "remove_backend", "set_backends"};
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
    } else if (fields.find("set_backends") != nullptr) {
      event.what = read_set_backends(fields);
    } else if (fields.find("fault") != nullptr) {
      read_fault(fields, written, scenario);
    } else {
      place.problem("expected an event with " + config::one_of(kKinds));
      for (const Node::Entry& entry : place.node.entries) fields.known(entry.key);
    }
    fields.finish();
    written_.push_back(std::move(written));
  }

  SetBackends read_set_backends(ObjectReader& fields) {
    SetBackends set;
    fields.required("set_backends", set, "");
    const Node& node = *fields.find("set_backends");
    if (const Node* after = node.find("after")) {
      simulated_only_.push_back(
          {after->at, fields.path_of("set_backends") + ".after", std::string{kOneDaemonOnly}});
    }
    std::set<std::string> ids;
    for (std::size_t i = 0; i < set.backends.size(); ++i) {
      const std::string& id = set.backends[i].id;
      if (id.empty() || ids.insert(id).second) continue;
      const std::string path = fields.path_of("set_backends") + ".backends[" + std::to_string(i);
      fields.place()
          .child(node.find("backends")->items[i], path + ']')
          .problem("there are two backends \"" + id + '"');
    }
    return set;
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
        if (backend->kind != Node::Kind::list) known(backend, path + ".backend", backend->text);
        for (std::size_t i = 0; i < backend->items.size(); ++i) {
          const std::string item = path + ".backend[" + std::to_string(i) + ']';
          known(&backend->items[i], item, backend->items[i].text);
        }
      }
      if (const Node* add = node.find("add_backend")) {
        check_cluster(reader.place().child(*add->find("cluster"), path + ".add_backend.cluster"),
                      scenario);
        check_address(reader.place().child(*add->find("address"), path + ".add_backend.address"));
      }
      if (const Node* set = node.find("set_backends")) {
        const std::string below = path + ".set_backends";
        check_cluster(reader.place().child(*set->find("cluster"), below + ".cluster"), scenario);
        const std::vector<Node>& backends = set->find("backends")->items;
        for (std::size_t i = 0; i < backends.size(); ++i) {
          const std::string item = below + ".backends[" + std::to_string(i) + "].address";
          check_address(reader.place().child(*backends[i].find("address"), item));
        }
      }
      if (const Node* remove = node.find("remove_backend")) {
        const std::string below = path + ".remove_backend";
        check_cluster(reader.place().child(*remove->find("cluster"), below + ".cluster"), scenario);
        known(remove->find("id"), below + ".id", remove->find("id")->text);
      }
    });
    check_windows(reader, scenario);
    check_expectations(reader, scenario);
    std::set<std::string> scaled;
    check_each(reader, "autoscalers", [&](const Node& node, const std::string& path) {
      const Place place = reader.place().child(*node.find("cluster"), path + ".cluster");
      check_cluster(place, scenario);
      if (!scaled.insert(place.node.text).second) place.problem("has an autoscaler already");
    });
    check_each(reader, "load", [&](const Node& node, const std::string& path) {
      const Node* name = node.find("class");
      if (name != nullptr) check_class(reader.place().child(*name, path + ".class"), scenario);
      check_clients(reader, node, path);
    });
    check_drift(reader);
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

  // A load whose arrivals say who its clients are has no other clients.
  static void check_clients(const ObjectReader& reader, const Node& load, const std::string& path) {
    const Node* clients = load.find("clients");
    const Node* arrivals = load.find("arrivals");
    if (clients == nullptr || arrivals == nullptr) return;
    const Place place = reader.place().child(*clients, path + ".clients");
    if (arrivals->find("closed") != nullptr) {
      place.problem("goes with an open loop; how many a closed one has stands in arrivals.closed");
    } else if (arrivals->find("replay") != nullptr) {
      place.problem("goes with arrivals that are made up; a replay has those in its file");
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

  static void check_class(const Place& place, const Scenario& scenario) {
    std::vector<std::string_view> names;
    for (const auto& [id, behaviour] : scenario.backends) {
      for (const auto& [name, time] : behaviour.classes) names.push_back(name);
    }
    if (std::find(names.begin(), names.end(), place.node.text) != names.end()) return;
    place.problem("no backend has a service time for a class \"" + place.node.text + '"' +
                  config::did_you_mean(place.node.text, names));
  }

  // Points in order of time.
  static void check_drift(const ObjectReader& reader) {
    const Node* backends = reader.find("backends");
    if (backends == nullptr) return;
    for (const Node::Entry& backend : backends->entries) {
      const Node* drift = backend.value.find("drift");
      for (std::size_t i = 1; drift != nullptr && i < drift->items.size(); ++i) {
        const Node* before = drift->items[i - 1].find("at");
        const Node* at = drift->items[i].find("at");
        if (*config::parse_duration(before->text) < *config::parse_duration(at->text)) continue;
        reader.place()
            .child(*at, "backends." + backend.key + ".drift[" + std::to_string(i) + "].at")
            .problem("has to be after the point in front of it");
      }
    }
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
  std::vector<WrittenEvent> written_;
  std::vector<Problem> simulated_only_;
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

}  // namespace lb::scenario
