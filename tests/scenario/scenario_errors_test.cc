// Goal: every mistake in a scenario is reported with its file, its place and its path, also when it
// stands in the configuration that the scenario points at.
// Method: a table of broken scenarios with every word of what is said about them.
#include <gtest/gtest.h>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {
namespace {

constexpr const char* kGood =
    "listeners:\n- {name: web, bind: '127.0.0.1:80', cluster: web}\n"
    "clusters:\n- name: web\n  backends:\n"
    "  - {id: b1, address: '10.0.0.1:80'}\n"
    "  - {id: b2, address: '10.0.0.2:80'}\n";

constexpr const char* kBad =
    "listeners:\n- {name: web, bind: '127.0.0.1:80', cluster: web}\n"
    "clusters:\n- name: web\n  backends:\n"
    "  - {id: b1, address: '10.0.0.1:80', wieght: 2}\n";

std::optional<std::string> read_file(const std::string& path) {
  if (path == "good.yaml") return kGood;
  if (path == "bad.yaml") return kBad;
  if (path == "syntax.yaml") return "listeners: [\n";
  return std::nullopt;
}

struct Broken {
  const char* name;
  const char* text;
  std::vector<Override> overrides;
  const char* problems;
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

const std::vector<Broken> kBroken = {
    {"AnEmptyFile",
     "",
     {},
     "s.json:1:1: not JSON: syntax error while parsing value - unexpected end of input; expected "
     "'[', '{', or a literal\n"},
    {"NothingButBraces",
     "{}",
     {},
     "s.json:1:1: \"why\" is missing: one sentence: what this shows\n"
     "s.json:1:1: \"config\" is missing: the configuration of lbd, or its file\n"
     "s.json:1:1: \"load\" is missing: a list of loads\n"},
    {"AnUnknownKey",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"seeds\": 3}",
     {},
     "s.json:4:2: seeds: unknown key; expected one of \"why\", \"seed\", \"duration\", \"warmup\", "
     "\"config\", \"fleet\", \"autoscalers\", \"backends\", \"network\", \"load\", \"events\", "
     "\"windows\" or \"expect\"; did you mean \"seed\"?\n"},
    {"AFleetThatDoesNotAddUp",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"fleet\": {\"daemons\": 3, \"shares\": [1, 2], \"clients\": \"anycast\"},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:36: fleet.shares: expected one number for each of the 3 daemons, found 2\n"
     "s.json:2:55: fleet.clients: expected \"hash\", \"round_robin\" or \"random\", found "
     "\"anycast\"\n"},
    {"AFleetWithoutAnyClients",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"fleet\": {\"daemons\": 2, \"shares\": [0, 0]},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:36: fleet.shares: one of them has to be above 0\n"},
    {"AutoscalersThatCannotBe",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"autoscalers\": [{\"cluster\": \"web\", \"min\": 3, \"max\": 2},\n"
     "  {\"cluster\": \"web\", \"target_utilisation\": 1.5}],\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:18: autoscalers[0]: \"min\" is above \"max\"\n"
     "s.json:3:44: autoscalers[1].target_utilisation: expected a number above 0 and up to 1\n"},
    {"AnAutoscalerOfNothing",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"autoscalers\": [{\"cluster\": \"wep\"}, {\"cluster\": \"web\"}, {\"cluster\": \"web\"}],\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:30: autoscalers[0].cluster: there is no cluster \"wep\"; did you mean \"web\"?\n"
     "s.json:2:70: autoscalers[2].cluster: has an autoscaler already\n"},
    {"FaultsOfDaemons",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"fleet\": {\"daemons\": 2},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [\n"
     "  {\"at\": \"1s\", \"daemon\": 2, \"fault\": \"crash\"},\n"
     "  {\"at\": \"1s\", \"daemon\": [], \"fault\": \"crash\"},\n"
     "  {\"at\": \"1s\", \"daemon\": 1, \"fault\": \"hang\"},\n"
     "  {\"at\": \"1s\", \"daemon\": 1, \"fault\": \"recover\", \"for\": \"1s\"},\n"
     "  {\"at\": \"1s\", \"daemon\": 1, \"fault\": \"crash\", \"backend\": \"b1\"}]}",
     {},
     "s.json:4:26: events[0].daemon: expected a whole number from 0 to 1, found \"2\"\n"
     "s.json:5:26: events[1].daemon: is empty: which daemons?\n"
     "s.json:6:38: events[2].fault: a daemon can \"crash\" and \"recover\"; anything else needs a "
     "\"backend\"\n"
     "s.json:7:56: events[3].for: does not go with recover, which is the end of something\n"
     "s.json:8:26: events[4].daemon: goes with loss and partition, which are between a backend and "
     "some daemons\n"},
    {"OtherBackendsThatCannotBe",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"set_backends\": {\"cluster\": \"wep\", \"backends\": [\n"
     "  {\"id\": \"b3\", \"address\": \"nowhere\"}]}}]}",
     {},
     "s.json:3:54: events[0].set_backends.cluster: there is no cluster \"wep\"; did you mean "
     "\"web\"?\n"
     "s.json:4:27: events[0].set_backends.backends[0].address: expected host:port or [v6]:port, "
     "such "
     "as \"127.0.0.1:8080\", found \"nowhere\"\n"},
    {"OneBackendTwice",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"set_backends\": {\"cluster\": \"web\", \"backends\": [\n"
     "  {\"id\": \"b3\", \"address\": \"10.0.0.3:80\"}, {\"id\": \"b3\", \"address\": "
     "\"10.0.0.4:80\"}]}}]}",
     {},
     "s.json:4:43: events[0].set_backends.backends[1]: there are two backends \"b3\"\n"},
    {"AWhyWithoutWords",
     "{\"why\": \"\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:1:9: why: expected a text that is not empty, found \"\"\n"},
    {"AConfigThatIsNotThere",
     "{\"why\": \"a test\",\n"
     " \"config\": \"none.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:12: config: cannot read \"none.yaml\"\n"},
    {"AConfigFileWithAnError",
     "{\"why\": \"a test\",\n"
     " \"config\": \"bad.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "bad.yaml:6:38: clusters[0].backends[0].wieght: unknown key; expected one of \"id\", "
     "\"address\", \"weight\", \"state\" or \"priority\"; did you mean \"weight\"?\n"},
    {"AConfigFileThatIsNotYaml",
     "{\"why\": \"a test\",\n"
     " \"config\": \"syntax.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "syntax.yaml:2:1: not YAML: end of sequence flow not found\n"},
    {"AnInlineConfigWithAnError",
     "{\"why\": \"a test\",\n"
     " \"config\": {\"listeners\": [],\n"
     "   \"clusters\": [{\"name\": \"web\", \"backends\": [\n"
     "     {\"id\": \"b1\", \"address\": \"10.0.0.1:80\", \"weight\": 0}]}]},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {},
     "s.json:2:26: config.listeners: expected at least one listener\n"
     "s.json:4:55: config.clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"0\"\n"},
    {"NoLoad",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": []}",
     {},
     "s.json:3:10: load: is empty: nothing would be sent\n"},
    {"ALoadWithoutArrivals",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"name\": \"shoppers\"}]}",
     {},
     "s.json:3:11: load[0]: \"arrivals\" is missing: when requests come\n"},
    {"UnknownArrivals",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poison\": {\"rate\": 1}}}]}",
     {},
     "s.json:3:25: load[0].arrivals: expected \"poisson\", \"constant\", \"closed\", "
     "\"renewal\", \"mmpp\" or \"replay\", found \"poison\"; did you mean \"poisson\"?\n"},
    {"ArrivalsOfTwoKinds",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}, \"constant\": {\"rate\": 1}}}]}",
     {},
     "s.json:3:24: load[0].arrivals: expected an object with one key, \"poisson\", \"constant\", "
     "\"closed\", \"renewal\", \"mmpp\" or \"replay\", found an object\n"},
    {"ARateWithoutPoints",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": []}}}]}",
     {},
     "s.json:2:45: load[0].arrivals.poisson.rate: is empty: expected a list of points with at and "
     "rate\n"},
    {"ARateThatGoesBack",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": [{\"at\": \"2s\", \"rate\": 1}, {\"at\": "
     "\"1s\", \"rate\": 1}]}}}]}",
     {},
     "s.json:2:71: load[0].arrivals.poisson.rate[1]: is before the point in front of it\n"},
    {"ADayBelowZero",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"constant\": {\"rate\": {\"diurnal\": {\"mean\": 1, "
     "\"amplitude\": 2, \"period\": \"1h\"}}}}}]}",
     {},
     "s.json:2:58: load[0].arrivals.constant.rate.diurnal: \"amplitude\" may not be above "
     "\"mean\"\n"},
    {"GapsOfNothing",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"renewal\": {\"gap\": {\"constant\": \"0s\"}}}}]}",
     {},
     "s.json:2:44: load[0].arrivals.renewal.gap: has a mean of zero: requests without end at "
     "once\n"},
    {"AnMmppWithoutStates",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"mmpp\": {\"states\": []}}}]}",
     {},
     "s.json:2:33: load[0].arrivals.mmpp: \"states\" is empty: expected states with rate and "
     "mean_stay\n"},
    {"AReplayOfNothing",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"replay\": {\"file\": \"none.csv\", \"format\": \"csv\"}}}]}",
     {},
     "s.json:2:44: load[0].arrivals.replay.file: cannot read \"none.csv\"\n"},
    {"AReplayOfNoLog",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"replay\": {\"file\": \"good.yaml\", \"format\": "
     "\"access_log\"}}}]}",
     {},
     "s.json:2:44: load[0].arrivals.replay.file: \"good.yaml\" line 1: expected a line of an "
     "access log of lbd, HAProxy (option httplog) or nginx (combined), found \"listeners:\"\n"},
    {"AReplayThatStands",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"replay\": {\"file\": \"good.yaml\", \"format\": \"csv\", "
     "\"speed\": 0}}}]}",
     {},
     "s.json:2:83: load[0].arrivals.replay.speed: expected a number above 0\n"},
    {"ArrivalsWithoutARate",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {}}}]}",
     {},
     "s.json:3:36: load[0].arrivals.poisson: \"rate\" is missing: requests per second\n"},
    {"ARateThatIsNegative",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"constant\": {\"rate\": -1}}}]}",
     {},
     "s.json:3:46: load[0].arrivals.constant.rate: expected a number from 0 to 100000000, found "
     "\"-1\"\n"},
    {"NoClients",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"closed\": {\"clients\": 0}}}]}",
     {},
     "s.json:3:47: load[0].arrivals.closed.clients: expected a whole number from 1 to 1000000, "
     "found \"0\"\n"},
    {"AnUnknownListener",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"listener\": \"wep\", \"arrivals\": {\"poisson\": {\"rate\": 1}}}]}",
     {},
     "s.json:3:24: load[0].listener: there is no listener \"wep\"; did you mean \"web\"?\n"},
    {"RequestsThatAreNone",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}, \"request\":\n"
     "   {\"method\": \"G T\", \"path\": \"x y\", \"host\": \"a/b\", \"headers\": {\n"
     "    \"a b\": \"c\", \"Host\": \"d\", \"x\": \"e\\r\\nf\"}}}]}",
     {},
     "s.json:4:15: load[0].request.method: not a method: \"G T\"\n"
     "s.json:4:30: load[0].request.path: expected a path that starts with \"/\", with special "
     "characters escaped\n"
     "s.json:4:45: load[0].request.host: expected host or host:port, found \"a/b\"\n"
     "s.json:4:63: load[0].request.headers: not a header field: \"a b\"\n"
     "s.json:4:63: load[0].request.headers: \"Host\" may not be set here; a host goes under "
     "\"host\"\n"
     "s.json:4:63: load[0].request.headers: not a header field: \"x\"\n"},
    {"AnUnknownDistribution",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"*\": {\"service_time\": {\"normal\": \"5ms\"}}}}",
     {},
     "s.json:4:38: backends.*.service_time: expected \"constant\", \"exponential\", "
     "\"lognormal\", \"uniform\", \"pareto\", \"gamma\", \"bimodal\" or \"empirical\", "
     "found \"normal\"; did you mean \"lognormal\"?\n"},
    {"ADistributionThatIsAWord",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"*\": {\"service_time\": \"5ms\"}}}",
     {},
     "s.json:4:37: backends.*.service_time: expected an object with one key, \"constant\", "
     "\"exponential\", \"lognormal\", \"uniform\", \"pareto\", \"gamma\", \"bimodal\" or "
     "\"empirical\", found \"5ms\"\n"},
    {"ALognormalWithoutSigma",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"*\": {\"service_time\": {\"lognormal\": {\"mean\": \"5ms\"}}}}}",
     {},
     "s.json:4:51: backends.*.service_time.lognormal: \"sigma\" is missing: the standard deviation "
     "of the logarithm\n"},
    {"ASigmaTooWide",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"*\": {\"service_time\": {\"lognormal\": {\"mean\": \"5ms\", \"sigma\": "
     "6}}}}}",
     {},
     "s.json:4:76: backends.*.service_time.lognormal.sigma: expected a number from 0 to 5, found "
     "\"6\"\n"},
    {"NoConcurrency",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"b1\": {\"concurrency\": 0}}}",
     {},
     "s.json:4:37: backends.b1.concurrency: expected a whole number from 1 to 1000000, found "
     "\"0\"\n"},
    {"ADriftThatStands",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"backends\": {\"*\": {\"drift\": [{\"at\": \"1s\", \"factor\": 1}, {\"at\": \"1s\", "
     "\"factor\": 2}]}}}",
     {},
     "s.json:3:65: backends.*.drift[1].at: has to be after the point in front of it\n"},
    {"DisturbancesWithoutEnd",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"backends\": {\"*\": {\"disturbances\": [{\"every\": {\"constant\": \"0s\"}, \"for\": "
     "{\"constant\": \"1s\"}}]}}}",
     {},
     "s.json:3:38: backends.*.disturbances[0]: \"every\" has a mean of zero\n"},
    {"AClassNobodyKnows",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}, \"class\": \"uplaod\"}],\n"
     " \"backends\": {\"*\": {\"classes\": {\"upload\": {\"constant\": \"1s\"}}}}}",
     {},
     "s.json:2:59: load[0].class: no backend has a service time for a class \"uplaod\"; did you "
     "mean \"upload\"?\n"},
    {"BehaviourOfAnUnknownBackend",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": {\"b3\": {\"concurrency\": 1}}}",
     {},
     "s.json:4:21: backends.b3: there is no backend \"b3\"; did you mean \"b1\"?\n"},
    {"BackendsThatAreAList",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"backends\": [\"b1\"]}",
     {},
     "s.json:4:14: backends: expected an object with a backend's id, or \"*\", as each key\n"},
    {"AnEventWithoutATime",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"backend\": \"b1\", \"fault\": \"crash\"}]}",
     {},
     "s.json:4:13: events[0]: \"at\" is missing: when, since the start of the run\n"},
    {"AnEventWithoutContent",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\"}]}",
     {},
     "s.json:4:13: events[0]: expected an event with \"fault\", \"reload\", \"add_backend\", "
     "\"remove_backend\", \"set_backends\" or \"drain\"\n"},
    {"ADrainThatIsNone",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"fleet\": {\"daemons\": 2},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"drain\": \"5s\"},\n"
     "  {\"at\": \"1s\", \"daemon\": 2, \"drain\": \"5s\"},\n"
     "  {\"at\": \"1s\", \"daemon\": 1, \"drain\": \"5s\", \"for\": \"5s\"}]}",
     {},
     "s.json:3:13: events[0]: \"daemon\" is missing: a number, or a list of them\n"
     "s.json:4:26: events[1].daemon: expected a whole number from 0 to 1, found \"2\"\n"
     "s.json:5:51: events[2].for: has to be longer than the drain: it starts again when it is "
     "gone\n"},
    {"AnUnknownFault",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"explode\"}]}",
     {},
     "s.json:4:52: events[0].fault: expected \"crash\", \"hang\", \"refuse\", \"reset\", \"slow\", "
     "\"error_ratio\", \"black_hole\", \"truncate\", \"drip\", \"loss\", \"partition\", "
     "\"fail_probes\" or "
     "\"recover\", found \"explode\"\n"},
    {"AFaultOfAnUnknownBackend",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b3\", \"fault\": \"crash\"}]}",
     {},
     "s.json:4:37: events[0].backend: there is no backend \"b3\"; did you mean \"b1\"?\n"},
    {"AFaultOfNobody",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"fault\": \"crash\"}]}",
     {},
     "s.json:3:13: events[0]: expected \"backend\" (an id, or a list of them) or \"zone\"\n"},
    {"AFaultOfAnUnknownZone",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"zone\": \"aest\", \"fault\": \"crash\"}]}",
     {},
     "s.json:3:34: events[0].zone: no backend is in a zone \"aest\"; did you mean \"east\"?\n"},
    {"AFaultOfAListWithAStranger",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": [\"b1\", \"b7\"], \"fault\": \"crash\"}]}",
     {},
     "s.json:3:44: events[0].backend[1]: there is no backend \"b7\"; did you mean \"b1\"?\n"},
    {"AFaultWithoutAPause",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"crash\", \"every\": \"1s\", "
     "\"for\": \"1s\"}]}",
     {},
     "s.json:3:83: events[0].for: has to end before it comes again\n"},
    {"ARecoveryThatEnds",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"recover\", \"for\": "
     "\"1s\"}]}",
     {},
     "s.json:3:70: events[0].for: does not go with recover, which is the end of something\n"},
    {"ACountOfNothing",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"crash\", \"count\": 3}]}",
     {},
     "s.json:3:13: events[0]: has \"count\" without \"every\" or \"mean_every\"\n"},
    {"AFaultAllTheTime",
     "{\"why\": \"a test\", \"config\": \"good.yaml\", \"backends\": {\"b1\": {\"zone\": "
     "\"east\"}},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 1}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"crash\", \"every\": "
     "\"1us\"}]}",
     {},
     "s.json:3:13: events[0]: would happen more than 100,000 times\n"},
    {"SlowWithoutAFactor",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"slow\"}]}",
     {},
     "s.json:4:13: events[0]: \"factor\" or \"add\" is missing: how many times "
     "slower, or by what\n"},
    {"AnErrorRatioAboveOne",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"error_ratio\", \"ratio\": "
     "2}]}",
     {},
     "s.json:4:76: events[0].ratio: expected a number from 0 to 1, found \"2\"\n"},
    {"AnErrorRatioWithoutARatio",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"error_ratio\"}]}",
     {},
     "s.json:4:13: events[0]: \"ratio\" is missing: which share of the answers\n"},
    {"AnswersThatBreakOffOrDripInNoKnownWay",
     "{\"why\": \"a test\", \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"drip\"},\n"
     "  {\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"drip\", \"over\": \"0s\"},\n"
     "  {\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"drip\", \"over\": 2},\n"
     "  {\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"truncate\", \"ratio\": 1.5},\n"
     "  {\"at\": \"1s\", \"backend\": \"b1\", \"fault\": \"truncate\", \"reset\": \"RST\"}]}",
     {},
     "s.json:3:13: events[0]: \"over\" is missing: how long a body takes\n"
     "s.json:4:58: events[1].over: expected a duration above zero, such as \"250ms\" or \"5s\", "
     "found "
     "\"0s\"\n"
     "s.json:5:58: events[2].over: expected a duration above zero, such as \"250ms\" or \"5s\", "
     "found "
     "\"2\"\n"
     "s.json:6:63: events[3].ratio: expected a number from 0 to 1, found \"1.5\"\n"
     "s.json:7:63: events[4].reset: expected true or false, found \"RST\"\n"},
    {"AReloadOfAFileThatIsNotThere",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"reload\": \"none.yaml\"}]}",
     {},
     "s.json:4:36: events[0].reload: cannot read \"none.yaml\"\n"},
    {"AReloadOfAFileWithAnError",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"reload\": \"bad.yaml\"}]}",
     {},
     "bad.yaml:6:38: clusters[0].backends[0].wieght: unknown key; expected one of \"id\", "
     "\"address\", \"weight\", \"state\" or \"priority\"; did you mean \"weight\"?\n"},
    {"AnInlineReloadWithAnError",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"reload\": {\"listeners\": [], \"clusters\": []}}]}",
     {},
     "s.json:4:50: events[0].reload.listeners: expected at least one listener\n"},
    {"ClientsOfAClosedLoopInTwoPlaces",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"clients\": 5, \"arrivals\": {\"closed\": {\"clients\": 10}}}]}",
     {},
     "s.json:3:23: load[0].clients: goes with an open loop; how many a closed one has stands in "
     "arrivals.closed\n"},
    {"AddingToAnUnknownCluster",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"add_backend\": {\"cluster\": \"wep\", \"id\": \"b3\", "
     "\"address\": \"10.0.0.3:80\"}}]}",
     {},
     "s.json:4:53: events[0].add_backend.cluster: there is no cluster \"wep\"; did you mean "
     "\"web\"?\n"},
    {"AddingABackendWithoutAPort",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"add_backend\": {\"cluster\": \"web\", \"id\": \"b3\", "
     "\"address\": \"10.0.0.3\"}}]}",
     {},
     "s.json:4:83: events[0].add_backend.address: expected host:port or [v6]:port, such as "
     "\"127.0.0.1:8080\", found \"10.0.0.3\"\n"},
    {"RemovingFromAnUnknownCluster",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"remove_backend\": {\"cluster\": \"api\", \"id\": \"b1\"}}]}",
     {},
     "s.json:4:56: events[0].remove_backend.cluster: there is no cluster \"api\"\n"},
    {"RemovingAnUnknownBackend",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"events\": [{\"at\": \"1s\", \"remove_backend\": {\"cluster\": \"web\", \"id\": \"b7\"}}]}",
     {},
     "s.json:4:69: events[0].remove_backend.id: there is no backend \"b7\"; did you mean "
     "\"b1\"?\n"},
    {"AnExpectationWithoutALimit",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"error_ratio\"}]}",
     {},
     "s.json:4:13: expect[0]: \"min\" or \"max\" is missing: what is expected\n"},
    {"AnUnknownMetric",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"latency_p95\", \"max\": \"1ms\"}]}",
     {},
     "s.json:4:24: expect[0].metric: expected \"requests\", \"ok\", \"server_error\", "
     "\"timed_out\", \"failed\", \"error_ratio\", \"ok_ratio\", \"server_error_ratio\", "
     "\"timed_out_ratio\", \"failed_ratio\", \"throughput\", \"share\", \"fairness\", "
     "\"in_system_mean\", \"retry_ratio\", \"refused_ratio\", \"amplification\", \"outcomes\", "
     "\"outcome_ratio\", \"in_flight_mean\", \"in_flight_max\", \"queue_mean\", \"queue_max\", "
     "\"utilisation\", \"out_mean\", \"ejections\", \"time_to_eject\", \"time_to_readmit\", "
     "\"recovery_time\", \"latency_mean\", \"latency_p50\", \"latency_p90\", "
     "\"latency_p99\", \"latency_p999\" or \"latency_max\", found \"latency_p95\"; did you mean "
     "\"latency_p90\"?\n"},
    {"ALatencyWithoutAUnit",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"latency_p99\", \"max\": 60}]}",
     {},
     "s.json:4:46: expect[0].max: expected a duration of at least 0s, such as \"250ms\" or \"5s\", "
     "found \"60\"\n"},
    {"ARatioWithAUnit",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"error_ratio\", \"max\": \"1ms\"}]}",
     {},
     "s.json:4:46: expect[0].max: expected a number, found \"1ms\"\n"},
    {"AShareOfNobody",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"share\", \"max\": 0.5}]}",
     {},
     "s.json:4:13: expect[0]: \"backend\" is missing: which backend it is about\n"},
    {"AShareOfAnUnknownBackend",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"share\", \"backend\": \"b9\", \"max\": 0.5}]}",
     {},
     "s.json:4:44: expect[0].backend: there is no backend \"b9\"; did you mean \"b1\"?\n"},
    {"AWindowThatEndsBeforeItStarts",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"requests\", \"min\": 1, \"from\": \"5s\", \"to\": \"5s\"}]}",
     {},
     "s.json:4:13: expect[0]: \"from\" has to be before \"to\"\n"},
    {"AFilterThatDoesNotGoWithTheMetric",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"retry_ratio\", \"backend\": \"b1\", \"max\": 1}]}",
     {},
     "s.json:4:50: expect[0].backend: does not go with \"retry_ratio\": it takes \"window\", "
     "\"from\" and \"to\"\n"},
    {"AFilterOfAMetricThatTakesNone",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"amplification\", \"from\": \"1s\", \"max\": 1}]}",
     {},
     "s.json:4:49: expect[0].from: does not go with \"amplification\": it is about the whole "
     "run\n"},
    {"ATimeoutOfABackend",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"timed_out\", \"backend\": \"b1\", \"max\": 1}]}",
     {},
     "s.json:4:48: expect[0].backend: does not go with \"timed_out\": it takes \"load\", "
     "\"window\", \"from\" and \"to\"\n"},
    {"AnUnknownLoad",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"ok\", \"load\": \"lod\", \"min\": 1}]}",
     {},
     "s.json:4:38: expect[0].load: there is no load called \"lod\"; did you mean \"load\"?\n"},
    {"AnUnknownOutcome",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"outcomes\", \"outcome\": \"no_backends\", \"max\": 1}]}",
     {},
     "s.json:4:47: expect[0].outcome: there is no outcome \"no_backends\"; did you mean "
     "\"no_backend\"?\n"},
    {"OutcomesOfNoKind",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"outcome_ratio\", \"max\": 1}]}",
     {},
     "s.json:4:13: expect[0]: \"outcome\" is missing: which one, such as \"no_backend\"\n"},
    {"AnUnknownWindow",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"ok\", \"window\": \"later\", \"min\": 1}]}",
     {},
     "s.json:4:40: expect[0].window: there is no window called \"later\"\n"},
    {"AWindowAndTimes",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"windows\": [{\"name\": \"late\", \"from\": \"5s\"}],\n \"expect\": [{\"metric\": \"ok\", "
     "\"window\": \"late\", \"from\": \"1s\", \"min\": 1}]}",
     {},
     "s.json:5:13: expect[0]: has \"window\" and \"from\" or \"to\": one of them says when\n"},
    {"TwoWindowsOfOneName",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"windows\": [{\"name\": \"late\", \"from\": \"5s\"}, {\"name\": \"late\", \"from\": "
     "\"6s\"}]}",
     {},
     "s.json:4:55: windows[1].name: there is another window called \"late\"\n"},
    {"AWindowAfterTheEnd",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"windows\": [{\"name\": \"late\", \"from\": \"10s\"}]}",
     {},
     "s.json:4:39: windows[0].from: has to be before the end of the run\n"},
    {"AFairnessOfNobody",
     "{\"why\": \"a test\",\n"
     " \"config\": {\"listeners\": [{\"name\": \"a\", \"bind\": \"127.0.0.1:1\", \"cluster\": "
     "\"web\"}], \"clusters\": [{\"name\": \"web\", \"backends\": []}]},\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"fairness\", \"min\": 1}, {\"metric\": \"share\", \"backend\": "
     "\"b1\", \"max\": 1}]}",
     {},
     "s.json:4:78: expect[1].backend: there is no backend \"b1\"\n"},
    {"ATimeWithoutAnEvent",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"time_to_eject\", \"backend\": \"b1\", \"max\": \"1s\"}]}",
     {},
     "s.json:4:13: expect[0]: \"after\" is missing: since when, such as the time of an event\n"},
    {"ARecoveryOfNothing",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"recovery_time\", \"after\": \"1s\", \"max\": \"1s\"}]}",
     {},
     "s.json:4:13: expect[0]: \"below\" is missing: what the figure has to come back to\n"},
    {"ARecoveryOfWhatCannotRecover",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"recovery_time\", \"after\": \"1s\", \"of\": \"share\", "
     "\"below\": 0.1, \"max\": \"1s\"}]}",
     {},
     "s.json:4:62: expect[0].of: expected \"error_ratio\" or a latency, found \"share\"\n"},
    {"ARecoveryWithoutRoom",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"recovery_time\", \"after\": \"9s\", \"over\": \"2s\", "
     "\"below\": 0.1, \"max\": \"1s\"}]}",
     {},
     "s.json:4:13: expect[0]: there is no room for \"over\" (2s) between \"after\" and \"to\" or "
     "the end of the run\n"},
    {"ARecoveryInTooSmallSteps",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"expect\": [{\"metric\": \"recovery_time\", \"after\": \"1s\", \"over\": \"100us\", "
     "\"below\": 0.1, \"max\": \"1s\"}]}",
     {},
     "s.json:4:13: expect[0]: the time from \"after\" on is more than 10,000 times \"over\"; make "
     "\"over\" longer, or end earlier with \"to\"\n"},
    {"AnExpectationOfTheWarmup",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"warmup\": \"2s\",\n \"expect\": [{\"metric\": \"ok\", \"to\": \"2s\", \"min\": 1}]}",
     {},
     "s.json:5:36: expect[0].to: is in the warm-up, which is not counted; give a \"from\" to count "
     "it\n"},
    {"AWarmupLongerThanTheRun",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}],\n"
     " \"duration\": \"2s\", \"warmup\": \"2s\"}",
     {},
     "s.json:4:30: warmup: has to be shorter than \"duration\"\n"},
    {"AnOverrideThatLeadsNowhere",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {{"load[3].name", "x"}},
     "s.json:1:1: load[3].name: cannot be set to \"x\": the path or the value does not fit the "
     "file\n"},
    {"AnOverrideOfAnUnknownKey",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {{"network.latency", "1ms"}},
     "s.json:1:1: network.latency: unknown key; expected one of \"connect\" or \"one_way\"\n"},
    {"AnOverrideOutOfRange",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {{"config.clusters[0].backends[0].weight", "0"}},
     "good.yaml:6:5: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"0\"\n"},
    {"AnOverrideThatIsNotYaml",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": 10}}}]}",
     {{"seed", "["}},
     "s.json:1:1: seed: cannot be set to \"[\": the path or the value does not fit the file\n"},
    {"SeveralAtOnceInTheirOrder",
     "{\"why\": \"a test\",\n"
     " \"config\": \"good.yaml\",\n"
     " \"load\": [{\"arrivals\": {\"poisson\": {\"rate\": -1}}}],\n"
     " \"events\": [{\"at\": \"1 s\", \"backend\": \"b1\", \"fault\": \"crash\"}],\n"
     " \"expect\": [{\"metric\": \"share\"}],\n"
     " \"duration\": \"0s\"}",
     {},
     "s.json:3:45: load[0].arrivals.poisson.rate: expected a number from 0 to 100000000, found "
     "\"-1\"\n"
     "s.json:4:20: events[0].at: expected a duration of at least 0s, such as \"250ms\" or \"5s\", "
     "found \"1 s\"\n"
     "s.json:5:13: expect[0]: \"backend\" is missing: which backend it is about\n"
     "s.json:5:13: expect[0]: \"min\" or \"max\" is missing: what is expected\n"
     "s.json:6:14: duration: expected a duration above zero, such as \"250ms\" or \"5s\", found "
     "\"0s\"\n"},
};

class BrokenScenario : public ::testing::TestWithParam<Broken> {};

INSTANTIATE_TEST_SUITE_P(Table, BrokenScenario, ::testing::ValuesIn(kBroken),
                         [](const auto& broken) { return std::string{broken.param.name}; });

TEST_P(BrokenScenario, IsReportedInEveryWord) {
  const Broken& broken = GetParam();
  EXPECT_EQ(load_scenario(broken.text, "s.json", read_file, broken.overrides).problems,
            broken.problems);
}

}  // namespace
}  // namespace lb::scenario
