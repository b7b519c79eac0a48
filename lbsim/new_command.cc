#include "lbsim/new_command.h"

#include <filesystem>
#include <iostream>

#include "lbsim/exit_code.h"
#include "lbsim/files.h"

namespace lb::sim {
namespace {

constexpr const char* kStarter =
    R"(# A scenario: what happens, and what is expected of it. Play it with
#   lbsim run FILE                  in virtual time; --html page.html draws it
#   lbsim compare FILE --strategy least_request,round_robin
#   lbharness run FILE --compare    with a real lbd and real backends
# Every key: docs/scenario-format.md. JSON works as well.

why: One of three backends turns slow for a while, and clients hardly notice.
seed: 1            # The same seed is the same run, on every machine.
duration: 30s
warmup: 2s         # Not in the figures.

# What lbd would be started with; or the name of its file: config: lbd.yaml
config:
  listeners:
    - {name: web, bind: "127.0.0.1:8080", cluster: web}
  clusters:
    - name: web
      strategy: least_request
      backends:
        - {id: b1, address: "127.0.0.1:8001"}
        - {id: b2, address: "127.0.0.1:8002"}
        - {id: b3, address: "127.0.0.1:8003"}
      health_check: {path: /health, interval: 1s, timeout: 500ms}
      retries: {attempts: 3}

# How backends serve: "*" is for all that say nothing else.
backends:
  "*":
    service_time: {lognormal: {mean: 8ms, sigma: 0.8}}
    concurrency: 8     # Requests at the same time; more wait in a queue.
    queue: 128

load:
  - name: shoppers
    arrivals: {poisson: {rate: 600}}   # Requests per second.
    clients: 200                       # Different addresses.
    timeout: 1s                        # After which a client gives up.

events:
  - {at: 10s, backend: b2, fault: slow, factor: 6}
  - {at: 20s, backend: b2, fault: recover}

# lbsim exits with 1 when one of these does not hold.
expect:
  - {metric: error_ratio, max: 0.001}
  - {metric: latency_p99, max: 150ms}
  - {metric: share, backend: b2, from: 11s, to: 20s, max: 0.25}
)";

}  // namespace

int write_starter(const NewOptions& options) {
  if (options.file.empty()) {
    std::cout << kStarter;
    return kDone;
  }
  if (std::filesystem::exists(options.file)) {
    std::cerr << "lbsim: " << options.file << " exists, and is left as it is\n";
    return kEnvironment;
  }
  if (!write_output(options.file, kStarter)) return kEnvironment;
  std::cout << options.file << ": now play it with\n  lbsim run " << options.file << '\n';
  return kDone;
}

}  // namespace lb::sim
