// Loops: clients that wait for their answers, and clients that do not.
#include "tests/validation/law.h"
#include "tests/validation/theory.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "Open and closed loops";

std::string closed(int clients, const std::string& think_time) {
  return R"({"closed": {"clients": )" + std::to_string(clients) + R"(, "think_time": )" +
         think_time + "}}";
}

void add_repair(std::vector<Law>& laws) {
  constexpr int kClients = 20;
  constexpr double kThinkMs = 150;
  constexpr double kThink = kThinkMs / kServiceMs;
  Setup setup{.arrivals = closed(kClients, exponential(kThinkMs))};
  setup.seconds = 700;  // Some 60,000 answers a run; the loop forgets in some ten turns.
  setup.warmup_seconds = 10;
  const double mean = kServiceMs * mva_mean(kClients, kThink);
  const double throughput = kClients / (mean + kThinkMs) * 1000;
  const std::string system = "20 clients, thinking 150 ms, one server";
  laws.push_back({kSection, system, "mean, ms", "mean value analysis; Reiser, Lavenberg 1980", mean,
                  0.02, kWarmupBias, measure(setup, &Observed::mean_ms)});
  laws.push_back({kSection, system, "answers per second", "N / (R + Z)", throughput, 0.01,
                  kWarmupBias, measure(setup, &Observed::throughput)});
  // Both sides from the run: what comes in a second times how long each stays is how many there
  // are.
  laws.push_back({kSection, system, "X (R + Z), clients", "Little's law", kClients, 0.005,
                  kWarmupBias, measure(setup, [](const Observed& observed) {
                    return observed.throughput * (observed.mean_ms + kThinkMs) / 1000;
                  })});
  Setup three{.concurrency = 3, .arrivals = closed(60, exponential(kThinkMs))};
  three.seconds = 250;
  three.warmup_seconds = 10;
  laws.push_back({kSection, "60 clients, thinking 150 ms, three servers", "mean, ms",
                  "finite source; Kleinrock 3.8", kServiceMs * finite_source_mean(60, kThink, 3),
                  0.02, kWarmupBias, measure(three, &Observed::mean_ms)});
}

// A backend stands still for a second. Clients that do not wait for each other send a hundred
// requests meanwhile, and each of them is slow; a client that waits for its answer sends one. A
// measure of latency that leaves out what was not sent would report the same for both.
void add_freeze(std::vector<Law>& laws) {
  Setup open{.service = R"({"constant": "1ms"})", .concurrency = 1000};
  open.arrivals = R"({"constant": {"rate": 100}})";
  open.seconds = 20;
  open.events = R"({"at": "5005ms", "backend": "b1", "fault": "hang"},)"
                R"({"at": "6005ms", "backend": "b1", "fault": "recover"})";
  // Those sent at 5.01 s, 5.02 s, ... 6 s; the last of them waits for 5 ms.
  laws.push_back({kSection, "frozen for a second, 100 requests/s", "requests above 2 ms",
                  "counted by hand", 100, 0, 0, measure(open, &Observed::slow)});
  Setup loop = open;
  loop.arrivals = closed(1, R"({"constant": "9ms"})");
  laws.push_back({kSection, "frozen for a second, a client every 10 ms", "requests above 2 ms",
                  "counted by hand", 1, 0, 0, measure(loop, &Observed::slow)});
}

}  // namespace

std::vector<Law> loop_laws() {
  std::vector<Law> laws;
  add_repair(laws);
  add_freeze(laws);
  return laws;
}

}  // namespace lb::validation
