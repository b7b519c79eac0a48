#include "lbsim/experiment/sweep_file.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

namespace lb::experiment {
namespace {

using config::Json;

// Whole numbers stay whole: 3, not 3.0.
Json number(double value) { return Json::parse(number_text(value)); }

std::string csv_field(const Json& value) {
  if (!value.is_string()) return value.is_null() ? "" : value.dump();
  const std::string text = value.get<std::string>();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string{"\"\""} : std::string(1, c);
  return quoted + '"';
}

std::vector<std::string> figure_names(const std::vector<Json>& cells) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const Json& cell : cells) {
    for (const auto& [name, _] : cell["figures"].items()) {
      if (seen.insert(name).second) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::optional<Shard> parse_shard(std::string_view text) {
  Shard shard;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto read = [](std::string_view digits, std::size_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  if (!read(text.substr(0, slash), shard.part) || !read(text.substr(slash + 1), shard.of)) {
    return std::nullopt;
  }
  if (shard.part < 1 || shard.part > shard.of) return std::nullopt;
  return shard;
}

std::string head_line(const Sweep& sweep, std::optional<Shard> shard) {
  Json grid = Json::array();
  for (const Axis& axis : sweep.grid.axes) {
    grid.push_back({{"path", axis.path}, {"values", axis.values}});
  }
  Json head = {{"sweep", sweep.origin.name},
               {"version", LBSIM_VERSION},
               {"scenario_hash", sweep.origin.hash},
               {"grid", std::move(grid)},
               {"seeds", {{"first", sweep.first_seed}, {"count", sweep.seeds}}},
               {"cells", sweep.cells()}};
  if (shard) head["shard"] = std::to_string(shard->part) + '/' + std::to_string(shard->of);
  return head.dump();
}

std::string cell_line(const Sweep& sweep, std::size_t cell, const RunResult& result) {
  Json set = Json::object();
  for (const auto& [path, value] : sweep.grid.point(sweep.point_of(cell))) set[path] = value;
  Json::object_t figures;  // As the list it is: by key, each would be looked for among all others.
  for (const Figure& figure : result.figures) {
    figures.emplace_back(figure.name, number(figure.value));
  }
  const Json line = {{"cell", cell},
                     {"set", std::move(set)},
                     {"seed", sweep.seed_of(cell)},
                     {"digest", result.digest},
                     {"passed", result.passed},
                     {"figures", std::move(figures)}};
  return line.dump();
}

std::string to_csv(const Json& head, const std::vector<Json>& cells) {
  const std::vector<std::string> names = figure_names(cells);
  std::string out = "cell";
  for (const Json& axis : head["grid"]) out += ',' + csv_field(axis["path"]);
  out += ",digest";
  for (const std::string& name : names) out += ',' + csv_field(name);
  out += '\n';
  for (const Json& cell : cells) {
    out += cell["cell"].dump();
    for (const auto& [_, value] : cell["set"].items()) out += ',' + csv_field(value);
    out += ',' + csv_field(cell["digest"]);
    for (const std::string& name : names) {
      out += ',';
      const auto figure = cell["figures"].find(name);
      if (figure != cell["figures"].end()) out += csv_field(*figure);
    }
    out += '\n';
  }
  return out;
}

}  // namespace lb::experiment
