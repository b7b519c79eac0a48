// Everything that can be said to a Balancer, as data: each handle_* call is a struct with the same
// arguments. What is said can so be written down, read back, and said again.
//
// A Balancer with a Journal reports every call with its answer, and every action it hands out. To
// replay is to apply() the same inputs to a new Balancer and to find the same answers.
#pragma once

#include <variant>
#include <vector>

#include "lbcore/balancer.h"

namespace lb {

namespace input {

struct Request {
  RequestInput input;
};
struct Connected {
  RequestId request;
};
struct Progress {
  RequestId request;
};
struct Sent {
  RequestId request;
};
struct Answered {
  RequestId request;
  int status = 0;
  AttemptFacts facts;
};
struct AttemptFailed {
  RequestId request;
  AttemptFailure failure{};
  AttemptFacts facts;
};
struct AttemptDue {
  RequestId request;
};
struct Finished {
  RequestId request;
  Outcome outcome{};
  bool reusable = false;
};
struct ConnectionClosed {
  ConnectionId connection;
};
struct SpareConnection {
  ConnectionId connection;
  bool open = false;
};
struct LoadReported {
  BackendId backend;
  LoadReport report;
};
struct HealthChanged {
  BackendId backend;
  HealthState state{};
  bool silent = false;
};
struct EjectionChanged {
  BackendId backend;
  bool ejected = false;
};
struct Configured {
  ClusterPlan plan;
};
struct SiblingLoad {
  std::uint32_t sibling = 0;
  std::vector<BackendLoad> loads;
};
struct TimePassed {};
struct TalliesTaken {};

}  // namespace input

using Input =
    std::variant<input::Request, input::Connected, input::Progress, input::Sent, input::Answered,
                 input::AttemptFailed, input::AttemptDue, input::Finished, input::ConnectionClosed,
                 input::SpareConnection, input::LoadReported, input::HealthChanged,
                 input::EjectionChanged, input::Configured, input::SiblingLoad, input::TimePassed,
                 input::TalliesTaken>;

// What the call returned; nothing for one that returns nothing.
using Answer = std::variant<std::monostate, Start, NextStep, std::vector<Tally>>;

// Says it.
Answer apply(Balancer& balancer, Instant now, const Input& input);

// Whoever listens. Called on the spot, in the order of the calls.
class Journal {
 public:
  virtual void handled(Instant now, const Input& input, const Answer& answer) = 0;
  virtual void acted(const Action& action) = 0;

 protected:
  ~Journal() = default;
};

}  // namespace lb
