// What it costs to find a route, and that it costs the same among many as among few.
//
//   host/<routes>      an exact host out of so many
//   wildcard/<routes>  the same with *.name
//   prefix/<routes>    a path prefix of two segments
//   exact/<routes>     a whole path
//   miss/<routes>      a host and a path that no route fits: 404
//   regex/<routes>     one path_regex behind so many prefixes
//   odd_path/<routes>  prefix, by a path that has to be brought into its normal form
//   walk/<routes>      a plain walk that compares each prefix, for scale
//
// The requests go through all routes in a mixed order, so caches help as much as they would in
// life.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "lbcore/hash.h"
#include "lbcore/routing/route_table.h"

namespace {

constexpr std::size_t kRequests = 4096;

struct Case {
  std::vector<lb::RouteConfig> routes;
  std::vector<std::string> hosts;  // Of the requests; paths beside them.
  std::vector<std::string> paths;
};

lb::RouteConfig route(lb::RouteMatchConfig match) {
  lb::RouteConfig config;
  config.match = std::move(match);
  config.cluster = "web";
  return config;
}

std::string host_name(std::size_t i) { return "service-" + std::to_string(i) + ".example.com"; }
std::string path_of(std::size_t i) {
  return "/team-" + std::to_string(i % 97) + "/service-" + std::to_string(i);
}

template <class MakeRoute, class MakeRequest>
Case make_case(std::size_t count, MakeRoute make_route, MakeRequest make_request) {
  Case made;
  for (std::size_t i = 0; i < count; ++i) made.routes.push_back(make_route(i));
  for (std::size_t i = 0; i < kRequests; ++i) {
    auto [host, path] = make_request(lb::mix(i) % count);
    made.hosts.push_back(std::move(host));
    made.paths.push_back(std::move(path));
  }
  return made;
}

using Request = std::pair<std::string, std::string>;
constexpr const char* kHost = "www.example.com";

Case hosts(std::size_t count) {
  return make_case(
      count, [](std::size_t i) { return route({.host = {{host_name(i)}}}); },
      [](std::size_t i) {
        return Request{host_name(i), "/cart/items"};
      });
}
Case wildcards(std::size_t count) {
  return make_case(
      count, [](std::size_t i) { return route({.host = {{"*." + host_name(i)}}}); },
      [](std::size_t i) {
        return Request{"eu." + host_name(i), "/cart/items"};
      });
}
Case prefixes(std::size_t count) {
  return make_case(
      count, [](std::size_t i) { return route({.path_prefix = path_of(i)}); },
      [](std::size_t i) {
        return Request{kHost, path_of(i) + "/items/7"};
      });
}
Case exact_paths(std::size_t count) {
  return make_case(
      count, [](std::size_t i) { return route({.path = path_of(i)}); },
      [](std::size_t i) {
        return Request{kHost, path_of(i)};
      });
}
Case misses(std::size_t count) {
  return make_case(
      count,
      [](std::size_t i) { return route({.host = {{host_name(i)}}, .path_prefix = path_of(i)}); },
      [](std::size_t i) {
        return Request{host_name(i), path_of(i + 1) + "/items/7"};
      });
}
Case regexes(std::size_t count) {
  Case made = prefixes(count);
  made.routes.push_back(route({.path_regex = "/users/[0-9]+/(orders|invoices)"}));
  for (std::string& path : made.paths) path = "/users/12345/orders";
  return made;
}
Case odd_paths(std::size_t count) {
  Case made = prefixes(count);
  for (std::string& path : made.paths) path = "/x/.." + path + "/%7euser";
  return made;
}

void find(benchmark::State& state, Case (*make)(std::size_t), bool found) {
  const Case made = make(static_cast<std::size_t>(state.range(0)));
  const lb::RouteTable table(made.routes, lb::AmbiguousPaths::refuse,
                             [](const std::string&) { return lb::ClusterId{}; });
  lb::PathScratch scratch;
  std::size_t turn = 0;
  for (auto _ : state) {
    lb::RequestAttributes request;
    request.host = made.hosts[turn];
    request.path = made.paths[turn];
    request.method = "GET";
    turn = (turn + 1) % kRequests;
    const lb::Routed routed = table.route(request, scratch);
    if (static_cast<bool>(routed) != found) return state.SkipWithError("not what was asked for");
    benchmark::DoNotOptimize(routed);
  }
  state.SetItemsProcessed(state.iterations());
}

void walk(benchmark::State& state) {
  const Case made = prefixes(static_cast<std::size_t>(state.range(0)));
  std::size_t turn = 0;
  for (auto _ : state) {
    const std::string_view path = made.paths[turn];
    turn = (turn + 1) % kRequests;
    std::size_t found = 0;
    while (!path.starts_with(made.routes[found].match.path_prefix)) ++found;
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}

void register_all() {
  const auto at_all_sizes = [](benchmark::internal::Benchmark* bench) {
    bench->Arg(10)->Arg(1'000)->Arg(10'000);
  };
  at_all_sizes(benchmark::RegisterBenchmark("host", find, hosts, true));
  at_all_sizes(benchmark::RegisterBenchmark("wildcard", find, wildcards, true));
  at_all_sizes(benchmark::RegisterBenchmark("prefix", find, prefixes, true));
  at_all_sizes(benchmark::RegisterBenchmark("exact", find, exact_paths, true));
  at_all_sizes(benchmark::RegisterBenchmark("miss", find, misses, false));
  at_all_sizes(benchmark::RegisterBenchmark("regex", find, regexes, true));
  at_all_sizes(benchmark::RegisterBenchmark("odd_path", find, odd_paths, true));
  at_all_sizes(benchmark::RegisterBenchmark("walk", walk));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
