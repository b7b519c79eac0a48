// Scenario: the story both worlds play. A daemon configuration, backends with a behaviour, a
// network, loads, events on a timeline, and what is expected of it all.
//
// docs/scenario-format.md describes the file; load_scenario() reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lbcore/config/daemon_config.h"
#include "lbsim/scenario/autoscaler.h"
#include "lbsim/scenario/behaviour.h"
#include "lbsim/scenario/clients.h"
#include "lbsim/scenario/distribution.h"
#include "lbsim/scenario/expectation.h"
#include "lbsim/scenario/fleet.h"
#include "lbsim/scenario/rate.h"
#include "lbsim/scenario/repetition.h"
#include "lbsim/scenario/trace.h"

namespace lb::scenario {

// Simulated delays. The harness runs on loopback and has none of its own to set.
struct Network {
  Duration connect = std::chrono::microseconds{100};  // To open a connection.
  Duration one_way = std::chrono::microseconds{50};   // From one host to the next.
};

// Arrivals of an open loop: clients that do not wait for each other.
struct Poisson {
  Rate rate;  // Requests per second.
};
struct ConstantRate {
  Rate rate;
};
// Gaps of one distribution, each without regard to the others.
struct Renewal {
  Distribution gap = Exponential{std::chrono::milliseconds{10}};
  std::optional<double> rate;  // Gaps are stretched so that their mean is 1 / rate.
};
// Bursts: Poisson arrivals whose rate is that of the present state. A stay is exponential, and any
// of the other states follows, all alike.
struct MmppState {
  double rate = 0;
  Duration mean_stay{};
};
struct Mmpp {
  std::vector<MmppState> states;
};
// What a log says, once more.
enum class TraceFormat : std::uint8_t { csv, access_log };
struct Replay {
  std::string file;
  TraceFormat format = TraceFormat::csv;
  double speed = 1;                    // So many times faster.
  std::shared_ptr<const Trace> trace;  // What is in the file, at that speed.
};
// A closed loop: each client sends, waits for its answer, thinks, and sends again.
struct ClosedLoop {
  std::uint32_t clients = 1;
  Distribution think_time = Constant{};
};
using Arrivals = std::variant<Poisson, ConstantRate, ClosedLoop, Renewal, Mmpp, Replay>;

// In all but the method, {client} stands for the number of the client: see for_client().
struct RequestShape {
  std::string method = "GET";
  std::string path = "/";  // With its query, if it has one.
  std::string host;        // Empty: the address of the listener.
  NamedValues headers;
};

// A client that got no good answer asks again, as a new request to the balancer.
struct ClientRetries {
  std::uint32_t attempts = 1;  // In all.
  Duration backoff{};          // From the bad news to the next attempt.
};

struct Load {
  std::string name = "load";
  std::string listener;  // Empty: the first one of the configuration.
  Arrivals arrivals = Poisson{};
  Clients clients;                              // Different client addresses in an open loop.
  Duration timeout = std::chrono::seconds{10};  // After which a client gives up.
  ClientRetries retries;
  std::string request_class;  // Backends may have service times of its own for it.
  RequestShape request;
};

enum class FaultKind : std::uint8_t {
  crash,        // The process is gone: connections break, new ones are refused.
  hang,         // The process stands still: it accepts, and nothing moves.
  refuse,       // New connections are refused; open ones go on.
  reset,        // Every request breaks its connection.
  slow,         // Service times are multiplied by `factor`, and `add` is added to every answer.
  error_ratio,  // This share of the answers are 500.
  black_hole,   // Every request is answered 500 after `in`, whatever the queue; probes pass.
  truncate,     // This share of the answers break off in the middle of their bodies.
  drip,         // The body of every answer takes `over` after its head, in kDripParts parts.
  loss,         // This share of what passes between it and the daemon is lost and sent again.
  partition,    // Nothing passes between it and the daemon.
  fail_probes,  // HTTP probes are answered 503; requests are served.
  recover,      // All of the above end; a crashed process starts again.
};

struct Fault {
  std::string backend;
  std::vector<std::uint32_t> daemons;  // For loss and partition: which ones it is between; or all.
  FaultKind kind = FaultKind::crash;
  double factor = 1;
  Duration add{};
  Duration in{};
  Duration over = std::chrono::seconds{1};
  Duration retransmit = std::chrono::milliseconds{200};
  double ratio = 1;
  bool reset = false;  // For truncate: the connection ends with RST, not FIN.
};
// At equal distances, the last at the end. A truncated answer has the first half of them.
inline constexpr std::uint32_t kDripParts = 8;

// The process of a daemon is gone, or starts again. One that drains is gone when it has finished
// what it has, or after `drain`.
struct DaemonFault {
  std::uint32_t daemon = 0;
  FaultKind kind = FaultKind::crash;  // Or recover.
  Duration drain{};
};
struct Reload {
  config::DaemonConfig config;
};
struct AddBackend {
  std::string cluster;
  BackendConfig backend;
};
struct RemoveBackend {
  std::string cluster;
  std::string id;
};

// The name a cluster is found by has other addresses.
struct SetBackends {
  std::string cluster;
  std::vector<BackendConfig> backends;
  std::optional<Distribution> after;  // How long each daemon takes to notice.
};

struct Event {
  Duration at{};
  std::variant<Fault, Reload, AddBackend, RemoveBackend, SetBackends, DaemonFault> what;
};

// An event as the file has it: for several backends, and for several times.
struct PlannedEvent {
  Event event;                         // At its first time.
  std::vector<std::string> backends;   // Whom a fault strikes,
  std::vector<std::uint32_t> daemons;  // and which daemons, when it strikes those.
  std::optional<Duration> length;      // After which they recover.
  Repetition repetition;
};

// "crash b1", for reports.
[[nodiscard]] std::string describe_event(const Event& event);

struct Scenario {
  std::string name;  // Of the file, without folder and ending.
  std::string why;
  std::uint64_t seed = 1;
  Duration duration = std::chrono::seconds{10};
  Duration warmup{};            // Requests sent before it are not in the figures.
  config::DaemonConfig config;  // Of each daemon.
  Fleet fleet;
  std::vector<Autoscaler> autoscalers;
  std::map<std::string, Behaviour> backends;  // By id; "*" is for all the others.
  Network network;
  std::vector<Load> load;
  std::vector<PlannedEvent> plan;  // As in the file.
  std::vector<Event> events;       // What it comes to with this seed, in order of time.
  std::vector<Window> windows;
  std::vector<Expectation> expect;

  [[nodiscard]] const Behaviour& behaviour(const std::string& backend) const;
  // Every backend that plays a part at any time, with its cluster, in the order of their mention.
  struct Member {
    std::string cluster;
    BackendConfig backend;
  };
  [[nodiscard]] std::vector<Member> all_backends() const;
};

struct LoadedScenario {
  Scenario scenario;
  // In the scenario itself and in the configuration it points at; one formatted line each, with
  // the file it is in. Empty when the scenario may be run.
  std::string problems;
  // What only the simulator can play, likewise.
  std::string simulated_only;
};

// Reads a file named in the scenario, relative to it; nothing when it cannot be read.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

// Sets the value at a path such as config.clusters[0].strategy, in place of what the file says.
struct Override {
  std::string path;
  std::string value;
};

[[nodiscard]] LoadedScenario load_scenario(std::string_view text, const std::string& file_name,
                                           const ReadFile& read_file,
                                           const std::vector<Override>& overrides = {});

// The JSON Schema of a scenario file: what editors and validators may know of it.
[[nodiscard]] config::Json scenario_schema();

// `text` with the number of the client in place of {client}.
[[nodiscard]] std::string for_client(std::string_view text, std::uint32_t client);

// The address clients number `client` of a load come from, in both worlds: hashing strategies see
// the same keys.
[[nodiscard]] std::string client_address(std::size_t load_index, std::uint32_t client);

}  // namespace lb::scenario
