// How a backend serves: what its requests take, how they share it, and what makes it faster and
// slower over the run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lbsim/scenario/distribution.h"

namespace lb::scenario {

enum class Discipline : std::uint8_t {
  fifo,               // `concurrency` places, each served at full speed.
  processor_sharing,  // All in service at once share `cores`.
};

// Every request in service above the knee makes all of them slower by the same share of the speed
// without any: n of them take 1 + per_request * (n - knee) times as long.
struct Contention {
  std::uint32_t knee = 1;
  double per_request = 0;
  bool operator==(const Contention&) const = default;
};

// A process that has just started, at the beginning and after a crash, serves in `factor` times the
// usual time; what that is above 1 shrinks to 1/e in every `decay`.
struct ColdStart {
  double factor = 1;
  Duration decay = std::chrono::seconds{1};
  bool operator==(const ColdStart&) const = default;
};

// What comes again and again: pauses of a garbage collector, neighbours that take the machine.
struct Disturbance {
  Distribution every = Constant{std::chrono::seconds{1}};  // From the end of one to the next.
  Distribution length = Constant{};
  std::optional<double> factor;  // So many times slower meanwhile; it stands still without one.
  bool operator==(const Disturbance&) const = default;
};

// A part of the run's `drift`: straight lines between these points.
struct DriftPoint {
  Duration at{};
  double factor = 1;  // Service times are multiplied by it.
  bool operator==(const DriftPoint&) const = default;
};

struct Behaviour {
  Distribution service_time = Constant{std::chrono::milliseconds{5}};
  std::uint32_t concurrency = 8;  // Requests served at the same time.
  std::uint32_t queue = 128;      // Requests that may wait; one more is answered with 503.
  std::map<std::string, Distribution> classes;  // Service times of loads that name a class.
  Discipline discipline = Discipline::fifo;
  double cores = 1;  // What processor sharing shares; one request has one of them at most.
  std::optional<Contention> contention;
  std::optional<ColdStart> cold_start;
  std::vector<Disturbance> disturbances;
  std::vector<DriftPoint> drift;  // In order of time.
  Duration connection_cost{};     // What the first request of a connection takes more.
  std::string zone;               // Faults may strike all of a zone.
  bool operator==(const Behaviour&) const = default;
};

}  // namespace lb::scenario
