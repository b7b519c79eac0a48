// Goal: every mistake is reported with its place, its path and what would be right, all at once.
// Method: a table of broken files, in both formats, with every word of what is said about them.
#include <gtest/gtest.h>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

struct Broken {
  const char* name;
  const char* file;
  std::string_view text;
  const char* problems;
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

const Broken kBroken[] = {
    {"AnEmptyFile", "lbd.yaml", "", "lbd.yaml:1:1: expected an object, found nothing\n"},
    {"AnEmptyJsonFile", "lbd.json", "",
     "lbd.json:1:1: not JSON: syntax error while parsing value - unexpected end of input; expected "
     "'[', '{', or a literal\n"},
    {"AListAtTheTop", "lbd.yaml", "- 1\n", "lbd.yaml:1:1: expected an object, found a list\n"},
    {"AScalarAtTheTop", "lbd.json", "\"hello\"",
     "lbd.json:1:1: expected an object, found \"hello\"\n"},
    {"EveryRequiredKeyMissing", "lbd.yaml", "workers: 2\n",
     "lbd.yaml:1:1: \"listeners\" is missing: where to accept traffic\n"
     "lbd.yaml:1:1: \"clusters\" is missing: where to send it\n"},
    {"ATabInYaml", "lbd.yaml",
     "listeners:\n"
     "\t- name: web\n",
     "lbd.yaml:2:2: not YAML: illegal block entry; indent with spaces, not tabs\n"},
    {"AnOpenBracketInYaml", "lbd.yaml", "listeners: [\n",
     "lbd.yaml:2:1: not YAML: end of sequence flow not found\n"},
    {"ALetterOfAnotherEncodingInYaml", "lbd.yaml",
     "# gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80\n"
     "listeners: gr\xfc\xdf\n",
     "lbd.yaml:2:14: not UTF-8; save the file in that encoding\n"},
    {"ALongFormOfUtf8InYaml", "lbd.yaml", "a: \xc0\xaf",
     "lbd.yaml:1:4: not UTF-8; save the file in that encoding\n"},
    {"AHalfOfAPairInYaml", "lbd.yaml", "a: \xed\xa0\x80",
     "lbd.yaml:1:4: not UTF-8; save the file in that encoding\n"},
    {"ACharacterCutShortInYaml", "lbd.yaml", "a: \xe2\x82",
     "lbd.yaml:1:4: not UTF-8; save the file in that encoding\n"},
    {"AControlCharacterInYaml", "lbd.yaml", "a:\t1\nb: \x02",
     "lbd.yaml:2:4: a control character; in quotes write it as \\x and two hex digits\n"},
    {"ANulInYaml",
     "lbd.yaml",
     {"a: \0Nb", 6},
     "lbd.yaml:1:4: a control character; in quotes write it as \\x and two hex digits\n"},
    {"ADeleteInYaml", "lbd.yaml", "a: b\x7f",
     "lbd.yaml:1:5: a control character; in quotes write it as \\x and two hex digits\n"},
    {"UnterminatedJson", "lbd.json",
     "{\n"
     "  \"listeners\": [\n"
     "    {\"name\": \"web\"",
     "lbd.json:3:19: not JSON: syntax error while parsing object - unexpected end of input; "
     "expected '}'\n"},
    {"ACommaTooMuchInJson", "lbd.json",
     "{\"workers\": 2,\n"
     " }",
     "lbd.json:2:2: not JSON: syntax error while parsing object key - unexpected '}'; expected "
     "string literal\n"},
    {"AStringWithoutItsEndInJson", "lbd.json",
     "{\"workers\": \"two\n"
     "}",
     "lbd.json:1:17: not JSON: syntax error while parsing value - invalid string: control "
     "character U+000A (LF) must be escaped to \\u000A or \\n; last read: '\"two<U+000A>'\n"},
    {"AnUnknownKey", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "timeout: 5s\n",
     "lbd.yaml:3:1: timeout: unknown key; expected one of \"listeners\", \"clusters\", "
     "\"workers\", \"load_exchange\", \"shutdown_timeout\", \"limits\", \"rate_limit\", "
     "\"admin\" or \"log\"\n"},
    {"AMisspeltKey", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", wieght: 2}\n",
     "lbd.yaml:5:38: clusters[0].backends[0].wieght: unknown key; expected one of \"id\", "
     "\"address\", \"weight\", \"state\" or \"priority\"; did you mean \"weight\"?\n"},
    {"AMisspeltKeyInJson", "lbd.json",
     "{\"listeners\": [{\"name\": \"web\", \"bind\": \"127.0.0.1:8080\", \"cluster\": \"web\"}],\n"
     " \"clusters\": [{\"name\": \"web\",\n"
     "   \"backends\": [{\"id\": \"b1\", \"address\": \"10.0.0.1:80\"}],\n"
     "   \"strategi\": \"random\"}]}",
     "lbd.json:4:4: clusters[0].strategi: unknown key; expected one of \"name\", \"strategy\", "
     "\"backends\", \"health_check\", \"outlier_ejection\", \"panic_threshold\", "
     "\"slow_start\", \"circuit_breaker\", \"limits\", \"connection_pool\", \"retries\", "
     "\"timeouts\", \"affinity\", \"proxy_protocol\" or \"tls\"; did you "
     "mean \"strategy\"?\n"},
    {"TrustInWhatIsNoAddress", "lbd.yaml",
     "listeners:\n"
     "- {name: web, bind: \"127.0.0.1:8080\", cluster: web,\n"
     "   trusted_proxies: [10.1.2.3/8, fe80::/200, lb.example.com, unix, 10.0.0.0/8]}\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:3:22: listeners[0].trusted_proxies[0]: bits are set behind the length; expected "
     "\"10.0.0.0/8\", or the address alone, found \"10.1.2.3/8\"\n"
     "lbd.yaml:3:34: listeners[0].trusted_proxies[1]: expected an address or a prefix, such as "
     "\"10.0.0.0/8\", or \"unix\", found \"fe80::/200\"\n"
     "lbd.yaml:3:46: listeners[0].trusted_proxies[2]: expected an address or a prefix, such as "
     "\"10.0.0.0/8\", or \"unix\", found \"lb.example.com\"\n"},
    {"AProxyHeaderFromAnybody", "lbd.yaml",
     "listeners:\n"
     "- {name: web, bind: \"127.0.0.1:8080\", cluster: web, proxy_protocol: any}\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:2:69: listeners[0].proxy_protocol: expected \"trusted_proxies\" too, such as "
     "[10.0.0.0/8]: a PROXY header from anybody else could say anything\n"},
    {"AProxyHeaderOfNobody", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  proxy_protocol: v2\n"
     "  connection_pool: {warm_up: 2}\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n",
     "lbd.yaml:4:19: clusters[0].proxy_protocol: a PROXY header makes a connection one client's "
     "own, so none can be opened ahead; expected \"none\", or no \"connection_pool.warm_up\"\n"},
    {"AKeyGivenTwice", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: 1, weight: 2}\n",
     "lbd.yaml:5:49: clusters[0].backends[0].weight: this key is given twice; remove one of the "
     "two\n"},
    {"AKeyGivenTwiceInJson", "lbd.json",
     "{\"workers\": 1,\n"
     " \"log\": {\"level\": \"info\",\n"
     "         \"level\": \"debug\"},\n"
     " \"listeners\": [{\"name\": \"web\", \"bind\": \"127.0.0.1:8080\", \"cluster\": \"web\"}],\n"
     " \"clusters\": [{\"name\": \"web\", \"backends\": [{\"id\": \"b1\", \"address\": "
     "\"10.0.0.1:80\"}]}]}",
     "lbd.json:3:10: log.level: this key is given twice; remove one of the two\n"},
    {"AWeightOfZero", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: 0}\n",
     "lbd.yaml:5:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"0\"\n"},
    {"AWeightTooLarge", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: 65536}\n",
     "lbd.yaml:5:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"65536\"\n"},
    {"AWeightThatIsNotWhole", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: 1.5}\n",
     "lbd.yaml:5:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"1.5\"\n"},
    {"AWeightInQuotes", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: \"2\"}\n",
     "lbd.yaml:5:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"2\"\n"},
    {"AWeightThatIsAList", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: [2]}\n",
     "lbd.yaml:5:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found a list\n"},
    {"ANegativeWeight", "lbd.json",
     "{\"listeners\": [{\"name\": \"web\", \"bind\": \"127.0.0.1:8080\", \"cluster\": \"web\"}],\n"
     " \"clusters\": [{\"name\": \"web\", \"backends\": [{\"id\": \"b1\", \"address\": "
     "\"10.0.0.1:80\", \"weight\": -1}]}]}",
     "lbd.json:2:93: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"-1\"\n"},
    {"AMissingAddress", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1}\n",
     "lbd.yaml:5:5: clusters[0].backends[0]: \"address\" is missing: host:port, [v6]:port or "
     "unix:/path\n"},
    {"AnAddressWithoutAPort", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: 10.0.0.1}\n",
     "lbd.yaml:5:23: clusters[0].backends[0].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"10.0.0.1\"\n"},
    {"AnAddressWithPortZero", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:0\"}\n",
     "lbd.yaml:5:23: clusters[0].backends[0].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"10.0.0.1:0\"\n"},
    {"AnAddressWithAPortTooLarge", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:65536\"}\n",
     "lbd.yaml:5:23: clusters[0].backends[0].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"10.0.0.1:65536\"\n"},
    {"IPv6WithoutBrackets", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"::1:80\"}\n",
     "lbd.yaml:5:23: clusters[0].backends[0].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"::1:80\"\n"},
    {"AnEmptyId", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: \"\", address: \"10.0.0.1:80\"}\n",
     "lbd.yaml:5:10: clusters[0].backends[0].id: expected a text that is not empty, found \"\"\n"},
    {"AnIdGivenTwice", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\"}\n"
     "  - {id: b1, address: \"10.0.0.2:80\"}\n",
     "lbd.yaml:6:10: clusters[0].backends[1].id: another backend of this cluster is named \"b1\" "
     "already\n"},
    {"AClusterGivenTwice", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- {name: web, backends: []}\n"
     "- {name: web, backends: []}\n",
     "lbd.yaml:4:10: clusters[1].name: another cluster is named \"web\" already\n"},
    {"AListenerGivenTwice", "lbd.yaml",
     "listeners:\n"
     "- {name: web, bind: \"127.0.0.1:8080\", cluster: web}\n"
     "- {name: web, bind: \"127.0.0.1:8081\", cluster: web}\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:3:10: listeners[1].name: another listener is named \"web\" already\n"},
    {"APortBoundTwice", "lbd.yaml",
     "listeners:\n"
     "- {name: a, bind: \"127.0.0.1:8080\", cluster: web}\n"
     "- {name: b, bind: \"127.0.0.1:8080\", cluster: web}\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:3:19: listeners[1].bind: another listener is bound to \"127.0.0.1:8080\" already\n"},
    {"NoListener", "lbd.yaml",
     "listeners: []\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:12: listeners: expected at least one listener\n"},
    {"AListenerThatIsNoObject", "lbd.yaml",
     "listeners: [web]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:13: listeners[0]: expected an object, found \"web\"\n"},
    {"ListenersThatAreNoList", "lbd.yaml",
     "listeners: web\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:12: listeners: expected a list, found \"web\"\n"},
    {"AnUnknownCluster", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: wep}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:58: listeners[0].cluster: there is no cluster \"wep\"; did you mean \"web\"?\n"},
    {"AnUnknownClusterUnlikeAny", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: redis}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:58: listeners[0].cluster: there is no cluster \"redis\"\n"},
    {"AnUnknownStrategy", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: least_requests\n",
     "lbd.yaml:5:13: clusters[0].strategy: expected \"round_robin\", \"weighted_round_robin\", "
     "\"random\", \"least_request\", \"least_connections\", "
     "\"least_ewma_latency\", \"least_dynamic_score\", \"peak_ewma\", \"prequal\", "
     "\"ip_hash\", \"ring_hash\", \"maglev\", \"rendezvous\" or \"first\", found "
     "\"least_requests\"; did you mean \"least_request\"?\n"},
    {"AnUnknownStrategyOption", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: {name: least_request, choices: 2}\n",
     "lbd.yaml:5:35: clusters[0].strategy.choices: unknown key; expected one of \"name\" or "
     "\"choice_count\"\n"},
    {"AStrategyOptionOutOfRange", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: {name: least_request, choice_count: 17}\n",
     "lbd.yaml:5:49: clusters[0].strategy.choice_count: expected a whole number from 1 to 16, "
     "found \"17\"\n"},
    {"AStrategyWithoutAName", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: {choice_count: 2}\n",
     "lbd.yaml:5:13: clusters[0].strategy: \"name\" is missing: which strategy\n"},
    {"AnOptionOfAnotherStrategy", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: {name: random, choice_count: 2}\n",
     "lbd.yaml:5:28: clusters[0].strategy.choice_count: unknown key; expected one of \"name\"\n"},
    {"AHealthCheckWithoutContent", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  health_check:\n",
     "lbd.yaml:5:3: clusters[0].health_check: expected an object, found nothing\n"},
    {"AHealthCheckPathWithoutSlash", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  health_check:\n"
     "    type: http\n"
     "    path: health\n",
     "lbd.yaml:7:11: clusters[0].health_check.path: expected a path that starts with \"/\", found "
     "\"health\"\n"},
    {"AHealthCheckPathWithASpace", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  health_check:\n"
     "    path: /a b\n",
     "lbd.yaml:6:11: clusters[0].health_check.path: expected a path that starts with \"/\" and has "
     "no spaces in it, found \"/a b\"\n"},
    {"ALoadPathWithoutSlash", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  strategy: {name: prequal, path: load}\n",
     "lbd.yaml:5:35: clusters[0].strategy.path: expected a path that starts with \"/\", found "
     "\"load\"\n"},
    {"AnUnknownProbeType", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  health_check: {type: https}\n",
     "lbd.yaml:5:24: clusters[0].health_check.type: expected \"http\" or \"tcp\", found \"https\"; "
     "did you mean \"http\"?\n"},
    {"ADurationWithoutAUnit", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  timeouts: {connect: 5}\n",
     "lbd.yaml:5:23: clusters[0].timeouts.connect: expected a duration above zero, such as "
     "\"250ms\" or \"5s\", found \"5\"\n"},
    {"ADurationOfZero", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  timeouts: {connect: 0s}\n",
     "lbd.yaml:5:23: clusters[0].timeouts.connect: expected a duration above zero, such as "
     "\"250ms\" or \"5s\", found \"0s\"\n"},
    {"ANegativeDuration", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  timeouts: {connect: -5s}\n",
     "lbd.yaml:5:23: clusters[0].timeouts.connect: expected a duration above zero, such as "
     "\"250ms\" or \"5s\", found \"-5s\"\n"},
    {"ADurationLongerThanTime", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  timeouts: {connect: 9999999h}\n",
     "lbd.yaml:5:23: clusters[0].timeouts.connect: expected a duration above zero, such as "
     "\"250ms\" or \"5s\", found \"9999999h\"\n"},
    {"TooManyAttempts", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  retries: {attempts: 11}\n",
     "lbd.yaml:5:23: clusters[0].retries.attempts: expected a whole number from 1 to 10, found "
     "\"11\"\n"},
    {"AnUnknownRetryCondition", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  retries: {on: [connect_failure, resets, 302, {a: 1}]}\n",
     "lbd.yaml:5:35: clusters[0].retries.on[1]: expected \"connect_failure\", \"reset\" or "
     "\"timeout\" or a status from 400 to 599, found \"resets\"; did you mean \"reset\"?\n"
     "lbd.yaml:5:43: clusters[0].retries.on[2]: expected \"connect_failure\", \"reset\" or "
     "\"timeout\" or a status from 400 to 599, found \"302\"\n"
     "lbd.yaml:5:48: clusters[0].retries.on[3]: expected \"connect_failure\", \"reset\" or "
     "\"timeout\" or a status from 400 to 599, found an object\n"},
    {"RetryConditionsThatAreNoList", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- name: web\n"
     "  backends: [{id: b1, address: \"10.0.0.1:80\"}]\n"
     "  retries: {on: reset}\n",
     "lbd.yaml:5:17: clusters[0].retries.on: expected a list such as [connect_failure, reset, "
     "\"503\"], found \"reset\"\n"},
    {"AnAdminApiForEverybody", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "admin: {bind: \"0.0.0.0:9900\"}\n",
     "lbd.yaml:3:15: admin.bind: the admin API has no login, so it may only listen on loopback, "
     "such as \"127.0.0.1:9900\"; found \"0.0.0.0:9900\"\n"},
    {"AnAdminApiForEverybodyInJson", "lbd.json",
     "{\"listeners\": [{\"name\": \"web\", \"bind\": \"127.0.0.1:8080\", \"cluster\": \"web\"}],\n"
     " \"clusters\": [{\"name\": \"web\", \"backends\": [{\"id\": \"b1\", \"address\": "
     "\"10.0.0.1:80\"}]}],\n"
     " \"admin\": {\"bind\": \"[::]:9900\"}}",
     "lbd.json:3:20: admin.bind: the admin API has no login, so it may only listen on loopback, "
     "such as \"127.0.0.1:9900\"; found \"[::]:9900\"\n"},
    {"AnAdminAddressThatIsNone", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "admin: {bind: localhost}\n",
     "lbd.yaml:3:15: admin.bind: expected host:port or [v6]:port, such as \"127.0.0.1:8080\", "
     "found \"localhost\"\n"},
    {"ZeroWorkers", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "workers: 0\n",
     "lbd.yaml:3:10: workers: expected \"auto\" or a whole number from 1 to 1024, found \"0\"\n"},
    {"WorkersThatAreAWord", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "workers: many\n",
     "lbd.yaml:3:10: workers: expected \"auto\" or a whole number from 1 to 1024, found "
     "\"many\"\n"},
    {"ASizeThatIsNone", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web, max_body: 10Mb}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n",
     "lbd.yaml:1:73: listeners[0].max_body: expected a size, such as \"64KiB\" or \"10MB\", found "
     "\"10Mb\"\n"},
    {"AnUnknownLogLevel", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "log: {level: warn}\n",
     "lbd.yaml:3:14: log.level: expected \"debug\", \"info\", \"warning\" or \"error\", found "
     "\"warn\"\n"},
    {"ListsWhereObjectsBelong", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters:\n"
     "- [name, web]\n"
     "- name: web\n"
     "  backends: {id: b1}\n"
     "  timeouts: []\n"
     "  retries: 3\n",
     "lbd.yaml:3:3: clusters[0]: expected an object, found a list\n"
     "lbd.yaml:5:13: clusters[1].backends: expected a list, found an object\n"
     "lbd.yaml:6:13: clusters[1].timeouts: expected an object, found a list\n"
     "lbd.yaml:7:12: clusters[1].retries: expected an object, found \"3\"\n"},
    {"SeveralAtOnceInTheirOrder", "lbd.yaml",
     "workers: 0\n"
     "listeners:\n"
     "- {name: web, bind: nowhere, cluster: wbe, protocol: https}\n"
     "clusters:\n"
     "- name: web\n"
     "  strategy: rnd\n"
     "  backends:\n"
     "  - {id: b1, address: \"10.0.0.1:80\", weight: 0}\n"
     "  - {id: b1, address: x}\n"
     "colour: blue\n",
     "lbd.yaml:1:10: workers: expected \"auto\" or a whole number from 1 to 1024, found \"0\"\n"
     "lbd.yaml:3:21: listeners[0].bind: expected host:port, [v6]:port or unix:/path, such as "
     "\"127.0.0.1:8080\", found \"nowhere\"\n"
     "lbd.yaml:3:39: listeners[0].cluster: there is no cluster \"wbe\"\n"
     "lbd.yaml:3:54: listeners[0].protocol: expected \"http\" or \"tcp\", found \"https\"; did you "
     "mean \"http\"?\n"
     "lbd.yaml:6:13: clusters[0].strategy: expected \"round_robin\", \"weighted_round_robin\", "
     "\"random\", \"least_request\", \"least_connections\", "
     "\"least_ewma_latency\", \"least_dynamic_score\", \"peak_ewma\", \"prequal\", "
     "\"ip_hash\", \"ring_hash\", \"maglev\", \"rendezvous\" or \"first\", found \"rnd\"\n"
     "lbd.yaml:8:46: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"0\"\n"
     "lbd.yaml:9:10: clusters[0].backends[1].id: another backend of this cluster is named \"b1\" "
     "already\n"
     "lbd.yaml:9:23: clusters[0].backends[1].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"x\"\n"
     "lbd.yaml:10:1: colour: unknown key; expected one of \"listeners\", \"clusters\", "
     "\"workers\", \"load_exchange\", \"shutdown_timeout\", \"limits\", \"rate_limit\", "
     "\"admin\" or \"log\"\n"},
    {"SeveralAtOnceInJson", "lbd.json",
     "{\"workers\": 0,\n"
     " \"listeners\": [\n"
     "   {\"name\": \"web\", \"bind\": \"nowhere\", \"cluster\": \"wbe\"}],\n"
     " \"clusters\": [\n"
     "   {\"name\": \"web\", \"backends\": [\n"
     "     {\"id\": \"b1\", \"address\": \"10.0.0.1:80\", \"weight\": 0},\n"
     "     {\"id\": \"b1\", \"address\": \"x\"}]}],\n"
     " \"colour\": \"blue\"}",
     "lbd.json:1:13: workers: expected \"auto\" or a whole number from 1 to 1024, found \"0\"\n"
     "lbd.json:3:28: listeners[0].bind: expected host:port, [v6]:port or unix:/path, such as "
     "\"127.0.0.1:8080\", found \"nowhere\"\n"
     "lbd.json:3:50: listeners[0].cluster: there is no cluster \"wbe\"\n"
     "lbd.json:6:55: clusters[0].backends[0].weight: expected a whole number from 1 to 65535, "
     "found \"0\"\n"
     "lbd.json:7:13: clusters[0].backends[1].id: another backend of this cluster is named \"b1\" "
     "already\n"
     "lbd.json:7:30: clusters[0].backends[1].address: expected host:port, [v6]:port or unix:/path, "
     "such as "
     "\"127.0.0.1:8080\", found \"x\"\n"
     "lbd.json:8:2: colour: unknown key; expected one of \"listeners\", \"clusters\", \"workers\", "
     "\"load_exchange\", \"shutdown_timeout\", \"limits\", \"rate_limit\", \"admin\" or "
     "\"log\"\n"},
    {"AKeyThatIsAList", "lbd.yaml",
     "listeners: [{name: web, bind: \"127.0.0.1:8080\", cluster: web}]\n"
     "clusters: [{name: web, backends: [{id: b1, address: \"10.0.0.1:80\"}]}]\n"
     "log:\n"
     "  ? [a, b]\n"
     "  : c\n",
     "lbd.yaml:4:5: log: a key has to be a plain word\n"},
    {"PositionsAfterAStringWithEscapes", "lbd.json",
     "{\"log\": {\"access\": \"a\\\"b,:{}\"}, \"listeners\": [], \"clusters\": [], \"x\": 1}",
     "lbd.json:1:46: listeners: expected at least one listener\n"
     "lbd.json:1:66: x: unknown key; expected one of \"listeners\", \"clusters\", \"workers\", "
     "\"load_exchange\", \"shutdown_timeout\", \"limits\", \"rate_limit\", \"admin\" or "
     "\"log\"\n"},
};

class BrokenConfig : public ::testing::TestWithParam<Broken> {};

INSTANTIATE_TEST_SUITE_P(Table, BrokenConfig, ::testing::ValuesIn(kBroken),
                         [](const auto& broken) { return std::string{broken.param.name}; });

TEST_P(BrokenConfig, IsReportedInEveryWord) {
  const Broken& broken = GetParam();
  const LoadedConfig loaded = load_config(broken.text, broken.file);
  EXPECT_EQ(format_problems(broken.file, loaded.problems), broken.problems);
}

// -- What would not be read well as a row of the table

TEST(BrokenConfigs, NestedTooDeeplyAreRefused) {
  for (const std::size_t depth : {64u, 65u, 100'000u}) {
    const std::string text = std::string(depth, '[') + std::string(depth, ']');
    const auto problems = load_config(text, "lbd.json").problems;
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].message,
              depth == 64 ? "expected an object, found a list" : "nested deeper than 64 levels");
  }
}

TEST(BrokenConfigs, YamlThatRefersToItselfIsRefused) {
  const auto problems = load_config("listeners: &a [*a]\nclusters: []\n", "lbd.yaml").problems;
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].message, "nested deeper than 64 levels");
}

TEST(BrokenConfigs, LongValuesAreCutInTheMessage) {
  const std::string text = "workers: " + std::string(1000, 'x');
  for (const Problem& problem : load_config(text, "lbd.yaml").problems) {
    EXPECT_LT(problem.message.size(), 140u);
  }
}

// Cut a good file anywhere: an answer always comes, and never that it is good.
TEST(BrokenConfigs, NoCutOfAGoodJsonFileIsGood) {
  const std::string good =
      R"({"listeners": [{"name": "web", "bind": "127.0.0.1:80", "cluster": "web"}],
          "clusters": [{"name": "web", "backends": [{"id": "b", "address": "h:80"}]}]})";
  ASSERT_TRUE(load_config(good, "lbd.json").problems.empty());
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::string cut = good.substr(0, length);
    EXPECT_FALSE(load_config(cut, "lbd.json").problems.empty()) << cut;
  }
}

// Any single byte replaced: the loader must not crash, whatever it says.
TEST(BrokenConfigs, NoReplacedByteIsFatal) {
  const std::string good =
      "listeners: [{name: web, bind: '127.0.0.1:80', cluster: web}]\n"
      "clusters:\n- name: web\n  backends:\n  - {id: b, address: 'h:80'}\n";
  ASSERT_TRUE(load_config(good, "lbd.yaml").problems.empty());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char byte : {'\0', '\t', '\n', '"', '\'', '[', '}', ':', '*', '&', '\xff'}) {
      std::string broken = good;
      broken[i] = byte;
      const LoadedConfig loaded = load_config(broken, "lbd.yaml");
      if (!loaded.problems.empty()) ++refused;
      static_cast<void>(config_hash(loaded.config));
    }
  }
  EXPECT_GT(refused, good.size() * 5);
}

}  // namespace
}  // namespace lb::config
