#include "lbcore/journal/text.h"

#include <cstdlib>

#include "lbcore/config/reader.h"

namespace lb::journal {
namespace {

// "12.000345000": instants line up when they are printed one below the other.
std::string seconds(Instant at) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t count = at.time_since_epoch().count();
  const std::string fraction = std::to_string(std::abs(count % kSecond));
  return (count < 0 ? "-" : "") + std::to_string(std::abs(count / kSecond)) + '.' +
         std::string(9 - fraction.size(), '0') + fraction;
}

std::string text(BackendId id) { return "b" + std::to_string(id.value); }

template <class Tag>
std::string text(char letter, SlotId<Tag> id) {
  return letter + std::to_string(id.slot) + '.' + std::to_string(id.generation);
}
std::string text(RequestId id) { return text('r', id); }
std::string text(ConnectionId id) { return text('c', id); }

std::string text(const AttemptFacts& facts) {
  std::string out;
  if (facts.request_sent) out += ", sent";
  if (facts.idempotent) out += ", idempotent";
  if (facts.body_replayable) out += ", replayable";
  if (facts.answer_begun) out += ", answer begun";
  return out;
}

std::string text(const FailureRun& run) {
  return std::to_string(run.leading) + '/' + std::to_string(run.longest) + '/' +
         std::to_string(run.trailing) + (run.broken ? "" : "+");
}

std::string text(const Tally& tally) {
  return text(tally.backend) + ' ' + std::to_string(tally.successes) + " ok " +
         std::to_string(tally.failures) + " failed, in a row " + text(tally.failure_run) +
         ", gateway " + text(tally.gateway_run);
}

std::string text(const ClusterPlan& plan) {
  std::string out = std::string{strategy_name(plan.config.strategy)} + " over";
  for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
    out += ' ' + text(plan.backend_ids[i]) + ' ' + std::string{to_string(plan.health[i])};
    if (i < plan.ejected.size() && plan.ejected[i]) out += " ejected";
    out += i + 1 < plan.backend_ids.size() ? "," : "";
  }
  return out;
}

std::string text(const Start& start) {
  switch (start.kind) {
    case Start::Kind::refused: return "refused, " + std::string{to_string(start.outcome)};
    case Start::Kind::queued: return text(start.request) + " queued";
    case Start::Kind::assigned: break;
  }
  const Assignment& to = start.assignment;
  return text(to.request) + " to " + text(to.backend) + " over " + text(to.connection) +
         (to.reused ? ", reused, " : ", new, ") + std::string{to_string(to.reason)} + " of " +
         std::to_string(to.eligible_count) + ", attempt " + std::to_string(to.attempt) +
         (to.new_session ? ", new session" : "");
}

std::string text(const NextStep& step) {
  constexpr std::array<const char*, 3> kWords{"deliver", "retry", "give up"};
  return kWords.at(static_cast<std::size_t>(step.kind)) + std::string{", "} +
         std::string{to_string(step.outcome)};
}

struct InputText {
  std::string operator()(const input::Request& in) const {
    return "request key " + std::to_string(in.input.key) + (in.input.pooled ? "" : ", tcp") +
           (in.input.priority > 0 ? ", priority " + std::to_string(in.input.priority) : "") +
           (in.input.session ? ", session " + text(*in.input.session) : "");
  }
  std::string operator()(const input::Connected& in) const {
    return text(in.request) + " connected";
  }
  std::string operator()(const input::Progress& in) const { return text(in.request) + " moves"; }
  std::string operator()(const input::Sent& in) const { return text(in.request) + " sent"; }
  std::string operator()(const input::Answered& in) const {
    return text(in.request) + " answered " + std::to_string(in.status) + text(in.facts);
  }
  std::string operator()(const input::AttemptFailed& in) const {
    return text(in.request) + " failed " + std::string{to_string(in.failure)} + text(in.facts);
  }
  std::string operator()(const input::AttemptDue& in) const { return text(in.request) + " comes"; }
  std::string operator()(const input::Finished& in) const {
    return text(in.request) + " finished " + std::string{to_string(in.outcome)} +
           (in.reusable ? ", reusable" : "");
  }
  std::string operator()(const input::ConnectionClosed& in) const {
    return text(in.connection) + " closed by its backend";
  }
  std::string operator()(const input::SpareConnection& in) const {
    return text(in.connection) + (in.open ? " open, spare" : " did not open");
  }
  std::string operator()(const input::LoadReported& in) const {
    return text(in.backend) + " says " + std::to_string(in.report.in_flight) + " in flight, " +
           config::format_duration(in.report.latency);
  }
  std::string operator()(const input::HealthChanged& in) const {
    return text(in.backend) + " is " + std::string{to_string(in.state)} +
           (in.silent ? ", and silent" : "");
  }
  std::string operator()(const input::EjectionChanged& in) const {
    return text(in.backend) + (in.ejected ? " ejected" : " back from ejection");
  }
  std::string operator()(const input::Configured& in) const {
    return "configuration: " + text(in.plan);
  }
  std::string operator()(const input::SiblingLoad& in) const {
    std::string out = "sibling " + std::to_string(in.sibling) + " has";
    for (const BackendLoad& load : in.loads) {
      out += ' ' + std::to_string(load.in_flight) + " on " + text(load.backend);
    }
    return in.loads.empty() ? out + " nothing" : out;
  }
  std::string operator()(const input::TimePassed&) const { return "time passes"; }
  std::string operator()(const input::TalliesTaken&) const { return "tallies"; }
};

}  // namespace

std::string to_text(const Input& input) { return std::visit(InputText{}, input); }

std::string to_text(const Answer& answer) {
  if (const auto* start = std::get_if<Start>(&answer)) return text(*start);
  if (const auto* step = std::get_if<NextStep>(&answer)) return text(*step);
  std::string out;
  if (const auto* tallies = std::get_if<std::vector<Tally>>(&answer)) {
    for (const Tally& tally : *tallies) out += (out.empty() ? "" : "; ") + text(tally);
  }
  return out;
}

std::string to_text(const Action& action) {
  switch (action.kind) {
    case Action::Kind::abort_attempt:
      return "abort " + text(action.request) + ", " + std::string{to_string(action.failure)};
    case Action::Kind::attempt_due: return "call " + text(action.request);
    case Action::Kind::close_connection: return "close " + text(action.connection);
    case Action::Kind::open_connection:
      return "open " + text(action.connection) + " to " + text(action.backend);
    case Action::Kind::ask_load: return "ask " + text(action.backend);
  }
  return "?";
}

std::string to_text(const Entry& entry) {
  std::string out = seconds(entry.at) + " brain " + std::to_string(entry.brain) + ": ";
  if (const auto* birth = std::get_if<Birth>(&entry.what)) {
    return out + "begins: " + text(birth->plan) + ", seed " + std::to_string(birth->seed);
  }
  if (const auto* action = std::get_if<Action>(&entry.what)) return out + "  ▶ " + to_text(*action);
  const Said& said = std::get<Said>(entry.what);
  const std::string answer = to_text(said.answer);
  return out + to_text(said.input) + (answer.empty() ? "" : ": " + answer);
}

}  // namespace lb::journal
