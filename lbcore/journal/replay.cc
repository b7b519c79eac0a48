#include "lbcore/journal/replay.h"

#include <map>
#include <memory>

#include "lbcore/journal/text.h"

namespace lb::journal {
namespace {

class Replay {
 public:
  explicit Replay(Replayed& result) : result_(result) {}

  void take(const Entry& entry) {
    ++result_.entries;
    if (const auto* birth = std::get_if<Birth>(&entry.what)) {
      brains_[entry.brain] = std::make_unique<Balancer>(entry.at, birth->plan, birth->seed);
      result_.brains = brains_.size();
      return;
    }
    const auto brain = brains_.find(entry.brain);
    if (brain == brains_.end()) {
      result_.problem =
          "entry " + std::to_string(result_.entries) + " is of a brain that never began";
      return;
    }
    if (const auto* said = std::get_if<Said>(&entry.what)) {
      const Answer answer = apply(*brain->second, entry.at, said->input);
      return compare(entry, to_text(said->answer), to_text(answer));
    }
    const std::optional<Action> action = brain->second->poll_action();
    compare(entry, to_text(std::get<Action>(entry.what)), action ? to_text(*action) : "nothing");
  }

 private:
  void compare(const Entry& entry, const std::string& expected, const std::string& found) {
    if (expected == found) {
      ++result_.answers;
    } else {
      result_.divergence = {result_.entries, to_text(entry), expected, found};
    }
  }

  Replayed& result_;
  std::map<std::uint32_t, std::unique_ptr<Balancer>> brains_;
};

}  // namespace

Replayed replay(Reader& reader) {
  Replayed result;
  Replay replay(result);
  while (!result.divergence && result.problem.empty()) {
    const std::optional<Entry> entry = reader.next();
    if (!entry) break;
    replay.take(*entry);
  }
  if (result.problem.empty()) result.problem = reader.problem();
  return result;
}

}  // namespace lb::journal
