#include "lbsim/scenario/check_expectations.h"

#include <algorithm>

#include "lbcore/outcome.h"
#include "lbsim/scenario/recovery.h"

namespace lb::scenario {
namespace {

using config::Node;
using config::ObjectReader;
using config::Place;

using Names = std::vector<std::string_view>;

std::string path_of(std::string_view list, std::size_t index) {
  return std::string{list} + '[' + std::to_string(index) + ']';
}

// All that both worlds count: lbcore's outcomes, and what never reaches a cluster.
Names outcome_names() {
  Names names;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    names.push_back(to_string(static_cast<Outcome>(i)));
  }
  names.insert(names.end(), {"not_routed", "redirected", "responded", "rejected", "daemon_gone"});
  return names;
}

class Checker {
 public:
  Checker(const ObjectReader& reader, const Scenario& scenario)
      : reader_(reader), scenario_(scenario), members_(scenario.all_backends()) {
    for (const Scenario::Member& member : members_) {
      backends_.push_back(member.backend.id);
      clusters_.push_back(member.cluster);
    }
    for (const Load& load : scenario.load) loads_.push_back(load.name);
    for (const Window& window : scenario.windows) windows_.push_back(window.name);
  }

  void check(std::size_t index) {
    node_ = &reader_.find("expect")->items[index];
    path_ = path_of("expect", index);
    const Expectation& expectation = scenario_.expect[index];
    known("backend", backends_, "there is no backend ");
    known("load", loads_, "there is no load called ");
    known("cluster", clusters_, "no backend is in a cluster ");
    known("outcome", outcome_names(), "there is no outcome ");
    known("window", windows_, "there is no window called ");
    if (!expectation.load.empty() && count(loads_, expectation.load) > 1) {
      at("load").problem("there are several loads called \"" + expectation.load +
                         "\"; give each a \"name\" of its own");
    }
    check_cluster(expectation);
    before_end("from", expectation.from);
    before_end("after", expectation.after);
    if (expectation.to && !expectation.from && *expectation.to <= scenario_.warmup) {
      at("to").problem("is in the warm-up, which is not counted; give a \"from\" to count it");
    }
    if (expectation.metric == Metric::recovery_time) check_recovery(expectation);
  }

 private:
  static std::ptrdiff_t count(const Names& names, std::string_view name) {
    return std::count(names.begin(), names.end(), name);
  }

  Place at(const char* key) const {
    std::string path = path_;
    return reader_.place().child(*node_->find(key), path.append(".").append(key));
  }

  void known(const char* key, const Names& names, const char* words) const {
    const Node* node = node_->find(key);
    if (node == nullptr || count(names, node->text) > 0) return;
    at(key).problem(std::string{words}.append("\"").append(node->text).append("\"") +
                    config::did_you_mean(node->text, names));
  }

  void check_cluster(const Expectation& expectation) const {
    if (expectation.metric != Metric::fairness || !expectation.cluster.empty()) return;
    const auto other = [&](std::string_view name) { return name != clusters_.front(); };
    if (std::none_of(clusters_.begin(), clusters_.end(), other)) return;
    reader_.place()
        .child(*node_, path_)
        .problem("\"cluster\" is missing: there are several, and each has a fairness of its own");
  }

  void before_end(const char* key, const std::optional<Duration>& time) const {
    if (time && *time >= scenario_.duration) at(key).problem("has to be before the end of the run");
  }

  void check_recovery(const Expectation& expectation) const {
    const Duration to = std::min(expectation.to.value_or(scenario_.duration), scenario_.duration);
    if (*expectation.after + expectation.over > to) {
      return reader_.place()
          .child(*node_, path_)
          .problem("there is no room for \"over\" (" + config::format_duration(expectation.over) +
                   ") between \"after\" and \"to\" or the end of the run");
    }
    const auto steps = (to - *expectation.after) / (expectation.over / Recovery::kStepsPerStretch);
    if (steps > Recovery::kStepsMax) {
      reader_.place()
          .child(*node_, path_)
          .problem(
              "the time from \"after\" on is more than 10,000 times \"over\"; make \"over\" "
              "longer, or "
              "end earlier with \"to\"");
    }
  }

  const ObjectReader& reader_;
  const Scenario& scenario_;
  std::vector<Scenario::Member> members_;  // Outlives the names of them.
  Names backends_;
  Names clusters_;
  Names loads_;
  Names windows_;
  const Node* node_ = nullptr;
  std::string path_;
};

}  // namespace

void check_windows(const ObjectReader& reader, const Scenario& scenario) {
  const Node* list = reader.find("windows");
  for (std::size_t i = 0; i < scenario.windows.size(); ++i) {
    const Place place = reader.place().child(list->items[i], path_of("windows", i));
    const Window& window = scenario.windows[i];
    for (std::size_t other = 0; other < i; ++other) {
      if (scenario.windows[other].name != window.name) continue;
      place.child(*place.node.find("name"), place.path + ".name")
          .problem("there is another window called \"" + window.name + '"');
    }
    if (window.from >= scenario.duration) {
      place.child(*place.node.find("from"), place.path + ".from")
          .problem("has to be before the end of the run");
    }
  }
}

void check_expectations(const ObjectReader& reader, const Scenario& scenario) {
  Checker checker(reader, scenario);
  for (std::size_t i = 0; i < scenario.expect.size(); ++i) checker.check(i);
}

}  // namespace lb::scenario
