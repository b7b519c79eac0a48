#include "lbsim/scenario/standing.h"

namespace lb::scenario {

void Standing::note(Duration at, std::size_t place, std::string_view state) {
  if (place >= backends_.size()) backends_.resize(place + 1);
  Backend& backend = backends_[place];
  if (backend.state == state) return;
  backend.state = state;
  if (at == Duration::zero()) {
    backend.begins_in = state == "eligible";
  } else {
    backend.changes.push_back({at, backend.state});
  }
}

const std::vector<StandingChange>& Standing::changes(std::size_t place) const {
  static const std::vector<StandingChange> kNone;
  return place < backends_.size() ? backends_[place].changes : kNone;
}

bool Standing::in_at(std::size_t place, Duration at) const {
  bool in = place >= backends_.size() || backends_[place].begins_in;
  for (const StandingChange& change : changes(place)) {
    if (change.at <= at) in = change.eligible();
  }
  return in;
}

std::uint64_t Standing::exits(std::size_t place, Duration from, Duration to) const {
  bool in = place >= backends_.size() || backends_[place].begins_in;
  std::uint64_t count = 0;
  for (const StandingChange& change : changes(place)) {
    if (in && !change.eligible() && change.at >= from && change.at < to) ++count;
    in = change.eligible();
  }
  return count;
}

Duration Standing::out(std::size_t place, Duration end) const {
  bool in = place >= backends_.size() || backends_[place].begins_in;
  Duration since{};
  Duration sum{};
  for (const StandingChange& change : changes(place)) {
    if (change.at >= end) break;
    if (!in) sum += change.at - since;
    since = change.at;
    in = change.eligible();
  }
  return in ? sum : sum + (end - since);
}

std::optional<Duration> Standing::time_to_leave(std::size_t place, Duration after) const {
  if (!in_at(place, after)) return Duration::zero();
  for (const StandingChange& change : changes(place)) {
    if (change.at > after && !change.eligible()) return change.at - after;
  }
  return std::nullopt;
}

std::optional<Duration> Standing::time_to_return(std::size_t place, Duration after) const {
  for (const StandingChange& change : changes(place)) {
    if (change.at >= after && change.eligible()) return change.at - after;
  }
  return std::nullopt;
}

bool Standing::was_out(std::size_t place, Duration after) const {
  return time_to_leave(place, after).has_value();
}

}  // namespace lb::scenario
