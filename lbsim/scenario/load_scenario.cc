// Reads the scenario file, and checks what only fits together.
#include <algorithm>
#include <set>

#include "lbsim/scenario/behaviour_text.h"
#include "lbsim/scenario/check_expectations.h"
#include "lbsim/scenario/expand_files.h"
#include "lbsim/scenario/override.h"
#include "lbsim/scenario/scenario_fields.h"
#include "lbsim/scenario/unspoken.h"

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
      WrittenScenario written{scenario};
      read_all(reader, written);
      reader.finish();
      if (problems_.empty() && config_problems_.empty()) {
        check(reader, scenario);
        note_config(reader, scenario);
      }
      note_simulated_parts(reader, scenario);
      note_simulated_only(written.events, scenario, simulated_only_);
    }
    loaded.simulated_only = config::format_problems(file_name_, simulated_only_) +
                            config::format_problems(config_file_, simulated_config_);
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

  void read_all(ObjectReader& reader, WrittenScenario& written) {
    written.config.own_problems = config_file_.empty() ? nullptr : &config_problems_;
    written.config.unreadable = config_unreadable_;
    describe(reader, written);
    if (problems_.empty()) read_traces(reader, written.scenario);
    read_reloads(written.events, read_file_, problems_, other_problems_);
    check_struck(written.events, written.scenario, problems_);
    if (problems_.empty()) plan_events(written.events, written.scenario, problems_);
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

  void note_config(const ObjectReader& reader, const Scenario& scenario) {
    const bool is_inline = config_file_.empty();
    note_unspoken(*reader.find("config"), is_inline ? "config" : "", scenario.config,
                  scenario.config, is_inline ? simulated_only_ : simulated_config_);
  }

  void note_simulated_parts(const ObjectReader& reader, const Scenario& scenario) {
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

  // Names that have to exist somewhere else in the file.
  void check(const ObjectReader& reader, const Scenario& scenario) {
    const std::vector<Scenario::Member> members = scenario.all_backends();
    const Ids ids = check_ids(reader, members);
    if (const Node* node = reader.find("backends")) {
      for (const Node::Entry& entry : node->entries) {
        if (entry.key != "*")
          check_id(reader, entry.value, "backends." + entry.key, entry.key, ids);
      }
    }
    check_each(reader, "events", [&](const Node& node, const std::string& path) {
      check_event(reader, node, path, scenario, ids);
    });
    check_windows(reader, scenario);
    check_expectations(reader, scenario);
    std::set<std::string> scaled;
    check_each(reader, "autoscalers", [&](const Node& node, const std::string& path) {
      const Place place = reader.place().child(*node.find("cluster"), path + ".cluster");
      check_cluster(place, scenario);
      if (!scaled.insert(place.node.text).second) place.problem("has an autoscaler already");
    });
    check_loads(reader, scenario);
    check_drift(reader);
    if (scenario.warmup >= scenario.duration) {
      const Node* warmup = reader.find("warmup");
      reader.place()
          .child(warmup == nullptr ? reader.place().node : *warmup, "warmup")
          .problem("has to be shorter than \"duration\"");
    }
  }

  using Ids = std::set<std::string_view>;

  // Of all backends there ever are. The views point into `members`.
  static Ids check_ids(const ObjectReader& reader, const std::vector<Scenario::Member>& members) {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    Ids ids;
    for (const Scenario::Member& member : members) {
      const std::string_view id = member.backend.id;
      if (!seen.insert({member.cluster, id}).second || ids.insert(id).second) continue;
      reader.place().problem("backend \"" + member.backend.id +
                             "\" is in two clusters; a scenario needs ids of its own for each");
    }
    return ids;
  }

  static void check_id(const ObjectReader& reader, const Node& node, const std::string& path,
                       const std::string& id, const Ids& ids) {
    if (id.empty() || ids.contains(id)) return;
    const std::vector<std::string_view> words(ids.begin(), ids.end());
    reader.place()
        .child(node, path)
        .problem("there is no backend \"" + id + '"' + config::did_you_mean(id, words));
  }

  void check_event(const ObjectReader& reader, const Node& node, const std::string& path,
                   const Scenario& scenario, const Ids& ids) {
    if (const Node* backend = node.find("backend")) {
      if (backend->kind != Node::Kind::list) {
        check_id(reader, *backend, path + ".backend", backend->text, ids);
      }
      for (std::size_t i = 0; i < backend->items.size(); ++i) {
        const std::string item = path + ".backend[" + std::to_string(i) + ']';
        check_id(reader, backend->items[i], item, backend->items[i].text, ids);
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
      const Node& id = *remove->find("id");
      check_id(reader, id, below + ".id", id.text, ids);
    }
  }

  void check_loads(const ObjectReader& reader, const Scenario& scenario) {
    if (scenario.load.empty()) {
      reader.place().child(*reader.find("load"), "load").problem("is empty: nothing would be sent");
    }
    std::vector<std::string_view> listeners;
    for (const auto& listener : scenario.config.listeners) listeners.push_back(listener.name);
    check_each(reader, "load", [&](const Node& node, const std::string& path) {
      const Node* name = node.find("class");
      if (name != nullptr) check_class(reader.place().child(*name, path + ".class"), scenario);
      check_clients(reader, node, path);
      const Node* listener = node.find("listener");
      if (listener == nullptr ||
          std::find(listeners.begin(), listeners.end(), listener->text) != listeners.end()) {
        return;
      }
      reader.place()
          .child(*listener, path + ".listener")
          .problem("there is no listener \"" + listener->text + '"' +
                   config::did_you_mean(listener->text, listeners));
    });
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
  std::vector<Problem> simulated_only_;
  std::string config_file_;  // The file "config" points at; empty when it is inline.
  bool config_unreadable_ = false;
  std::vector<Problem> config_problems_;
  std::vector<Problem> simulated_config_;  // What only lbsim can play, of that file.
  std::string other_problems_;             // Of files that events point at.
};

}  // namespace

LoadedScenario load_scenario(std::string_view text, const std::string& file_name,
                             const ReadFile& read_file, const std::vector<Override>& overrides) {
  return Loader(file_name, read_file, overrides).load(text);
}

}  // namespace lb::scenario
