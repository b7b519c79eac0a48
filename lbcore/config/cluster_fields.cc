#include "lbcore/config/cluster_fields.h"

#include <algorithm>
#include <charconv>

#include "lbcore/config/reference.h"
#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"

namespace lb::config {
namespace {

constexpr std::array<std::string_view, 3> kFailureWords{"connect_failure", "reset", "timeout"};

std::array<bool*, 3> switches(RetryConditions& on) {
  return {&on.connect_failure, &on.reset, &on.timeout};
}

std::optional<std::uint16_t> parse_status(const std::string& text) {
  std::uint16_t status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  const bool ok =
      error == std::errc{} && end == text.data() + text.size() && status >= 400 && status <= 599;
  return ok ? std::optional{status} : std::nullopt;
}

// The strategy's name at `place`, in either form, or null after reporting.
const StrategyConfig* named_strategy(const Place& place, const std::vector<StrategyConfig>& all) {
  std::vector<std::string_view> names;
  for (const StrategyConfig& config : all) names.push_back(strategy_name(config));
  const auto index = read_word(place, names);
  return index ? &all[*index] : nullptr;
}

// What the options of a strategy have to be beyond their bounds: most may be anything.
void check_options(const ObjectReader&, const auto&) {}

void check_options(const ObjectReader& reader, const MaglevConfig& maglev) {
  const Node* node = reader.find("table_size");
  const std::uint32_t prime = next_prime(maglev.table_size);
  if (node == nullptr || prime == maglev.table_size) return;
  reader.place()
      .child(*node, reader.path_of("table_size"))
      .problem("expected a prime number, found " + describe_found(*node) + "; the next is " +
               std::to_string(prime));
}

}  // namespace

void check(const ObjectReader& reader, const ClusterConfig& cluster) {
  if (cluster.proxy_protocol == SentProxyHeader::none || cluster.connection_pool.warm_up == 0) {
    return;
  }
  reader.problem_at("proxy_protocol",
                    "a PROXY header makes a connection one client's own, so none can be opened "
                    "ahead; expected \"none\", or no \"connection_pool.warm_up\"");
}

void read(const Place& place, StrategyConfig& value, Range) {
  static const std::vector<StrategyConfig> all = all_strategies();
  if (place.node.kind != Node::Kind::map) {
    if (const StrategyConfig* named = named_strategy(place, all)) value = *named;
    return;
  }
  ObjectReader reader(place);
  const Node* name = reader.find("name");
  if (name == nullptr) {
    place.problem("\"name\" is missing: which strategy");
    return;
  }
  const StrategyConfig* named = named_strategy(place.child(*name, reader.path_of("name")), all);
  if (named == nullptr) return;
  value = *named;
  reader.known("name");
  std::visit(
      [&](auto& config) {
        config.describe(reader);
        check_options(reader, config);
      },
      value);
  reader.finish();
}

Json write(Writing, const StrategyConfig& value) {
  ObjectWriter writer;
  StrategyConfig copy = value;
  std::visit([&](auto& config) { config.describe(writer); }, copy);
  const Json options = writer.take();
  if (options.empty()) return std::string{strategy_name(value)};
  Json object = {{"name", strategy_name(value)}};
  object.update(options);
  return object;
}

std::string type_words(const StrategyConfig&, Range) {
  std::vector<std::string_view> names;
  const std::vector<StrategyConfig> all = all_strategies();
  for (const StrategyConfig& config : all) names.push_back(strategy_name(config));
  return one_of(names) + ", or an object with `name` and options";
}

void list_options(std::vector<Key>& keys, const std::string& prefix, const StrategyConfig&) {
  for (StrategyConfig config : all_strategies()) {
    KeyLister lister(keys, prefix, "`" + std::string{strategy_name(config)} + "`: ");
    std::visit([&](auto& each) { each.describe(lister); }, config);
  }
}

Json schema_of(Definitions& definitions, const StrategyConfig& value, Range) {
  std::vector<Json> kinds(1);
  for (StrategyConfig config : all_strategies()) {
    kinds.front()["enum"].push_back(strategy_name(config));
    ObjectSchema object(definitions);
    object.word("name", strategy_name(config));
    std::visit([&](auto& each) { each.describe(object); }, config);
    kinds.push_back(object.take());
  }
  Json schema = any_of_schemas(std::move(kinds));
  schema["default"] = write(Writing{}, value);
  return schema;
}

std::string type_words(const RetryConditions&, Range) {
  return "list of " + one_of(kFailureWords) + " and statuses from 400 to 599";
}

void read(const Place& place, RetryConditions& value, Range) {
  if (place.node.kind != Node::Kind::list) {
    place.problem("expected a list such as [connect_failure, reset, \"503\"], found " +
                  describe_found(place.node));
    return;
  }
  RetryConditions on{false, false, false, {}};
  for (std::size_t i = 0; i < place.node.items.size(); ++i) {
    const Place item = place.child(place.node.items[i], place.path + '[' + std::to_string(i) + ']');
    const auto word = std::find(kFailureWords.begin(), kFailureWords.end(), item.node.text);
    if (word != kFailureWords.end()) {
      *switches(on)[static_cast<std::size_t>(word - kFailureWords.begin())] = true;
    } else if (const auto status = parse_status(item.node.text)) {
      on.statuses.push_back(*status);
    } else {
      item.problem("expected " + one_of(kFailureWords) + " or a status from 400 to 599, found " +
                   describe_found(item.node) + did_you_mean(item.node.text, kFailureWords));
    }
  }
  std::sort(on.statuses.begin(), on.statuses.end());
  on.statuses.erase(std::unique(on.statuses.begin(), on.statuses.end()), on.statuses.end());
  value = std::move(on);
}

Json schema_of(Definitions&, const RetryConditions& value, Range) {
  Json item = any_of_schemas({{{"enum", kFailureWords}},
                              {{"type", "integer"}, {"minimum", 400}, {"maximum", 599}},
                              {{"type", "string"}, {"pattern", "^0*[45][0-9][0-9]$"}}});
  return {{"type", "array"}, {"items", std::move(item)}, {"default", write(Writing{}, value)}};
}

Json write(Writing, const RetryConditions& value) {
  Json list = Json::array();
  RetryConditions copy = value;
  const auto flags = switches(copy);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (*flags[i]) list.push_back(kFailureWords[i]);
  }
  for (const std::uint16_t status : value.statuses) list.push_back(std::to_string(status));
  return list;
}

}  // namespace lb::config
