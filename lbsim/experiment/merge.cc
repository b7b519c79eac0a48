#include "lbsim/experiment/merge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "lbsim/experiment/sweep_file.h"

namespace lb::experiment {
namespace {

using config::Json;

struct Part {
  std::string name;
  Json head;  // Without its shard.
  std::optional<Shard> shard;
};

class Merger {
 public:
  Merged merge(std::span<const PartFile> files) {
    for (const PartFile& file : files) {
      if (!read_head(file)) return fail();
      if (parts_.size() == 1) cells_.resize(parts_.front().head["cells"].get<std::size_t>());
      if (!same_sweep() || !read_cells(file)) return fail();
    }
    if (parts_.empty()) problem_ = "there are no parts";
    tell_gaps();
    if (!problem_.empty()) return fail();
    Merged merged;
    merged.lines.push_back(parts_.front().head.dump());
    for (Cell& cell : cells_) merged.lines.push_back(std::move(cell.line));
    return merged;
  }

 private:
  struct Cell {
    std::string line;      // Empty while it has not been found.
    std::size_t part = 0;  // Where it was found.
  };

  Merged fail() { return {{}, problem_}; }

  static bool is_head(const Json& head) {
    if (!head.is_object()) return false;
    for (const char* key : {"sweep", "version", "scenario_hash"}) {
      if (!head.contains(key) || !head[key].is_string()) return false;
    }
    return head.contains("grid") && head["grid"].is_array() && head.contains("seeds") &&
           head.contains("cells") && head["cells"].is_number_unsigned() &&
           head["cells"].get<std::size_t>() > 0 &&
           head["cells"].get<std::size_t>() <= kGridPointsMax;
  }

  bool read_head(const PartFile& file) {
    Part part{file.name, {}, {}};
    part.head = Json::parse(file.text.substr(0, file.text.find('\n')), nullptr, false);
    bool ok = is_head(part.head);
    if (ok && part.head.contains("shard")) {
      const Json& shard = part.head["shard"];
      part.shard = shard.is_string() ? parse_shard(shard.get<std::string>()) : std::nullopt;
      ok = part.shard.has_value();
      part.head.erase("shard");
    }
    if (!ok)
      problem_ = file.name + ":1: this is not the head of a sweep; give files of lbsim sweep";
    parts_.push_back(std::move(part));
    return ok;
  }

  bool same_sweep() {
    const Part& first = parts_.front();
    const Part& part = parts_.back();
    if (part.head == first.head) return true;
    problem_ = part.name + " is a part of another sweep than " + first.name + ":";
    for (const auto& [key, value] : first.head.items()) {
      if (!part.head.contains(key) || part.head[key] != value) {
        problem_ += "\n  " + key + " is " + part.head.value(key, Json{}).dump();
        problem_ += ", there " + value.dump();
      }
    }
    return false;
  }

  bool read_cells(const PartFile& file) {
    std::istringstream lines(file.text);
    std::string line;
    std::getline(lines, line);
    for (std::size_t number = 2; std::getline(lines, line); ++number) {
      const Json cell = Json::parse(line, nullptr, false);
      const bool ok = cell.is_object() && cell.contains("cell") &&
                      cell["cell"].is_number_unsigned() &&
                      cell["cell"].get<std::size_t>() < cells_.size();
      if (!ok) {
        problem_ = file.name + ':' + std::to_string(number);
        problem_ += lines.eof() ? ": the line is cut off; was the sweep interrupted? Run it again"
                                : ": this is not a cell of the sweep";
        return false;
      }
      if (!put(cell["cell"].get<std::size_t>(), line)) return false;
    }
    return true;
  }

  bool put(std::size_t index, const std::string& line) {
    Cell& cell = cells_[index];
    if (!cell.line.empty()) {
      problem_ = "cell " + std::to_string(index) + " is there twice: in ";
      problem_ += parts_[cell.part].name + " and in " + parts_.back().name;
      return false;
    }
    cell = {line, parts_.size() - 1};
    return true;
  }

  // Which part a missing cell would have been in: a file that ended early, or one not given.
  std::string home_of(std::size_t cell) const {
    for (const Part& part : parts_) {
      if (!part.shard || part.shard->has(cell)) return part.name + " ended early";
    }
    const std::size_t of = parts_.front().shard->of;
    std::string where = "part " + std::to_string(Shard::part_of(cell, of));
    return where + '/' + std::to_string(of) + " is missing";
  }

  void tell_gaps() {
    struct Gap {
      std::string where;
      std::size_t first = 0;
      std::size_t count = 0;
    };
    std::vector<Gap> gaps;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (!cells_[i].line.empty()) continue;
      const std::string where = home_of(i);
      auto gap = std::find_if(gaps.begin(), gaps.end(),
                              [&](const Gap& other) { return other.where == where; });
      if (gap == gaps.end()) gap = gaps.insert(gaps.end(), {where, i, 0});
      ++gap->count;
    }
    for (const Gap& gap : gaps) {
      if (!problem_.empty()) problem_ += '\n';
      problem_ += gap.where + ": " + std::to_string(gap.count);
      problem_ += gap.count == 1 ? " cell" : " cells";
      problem_ += " of " + std::to_string(cells_.size()) + " not there, the first is ";
      problem_ += std::to_string(gap.first);
    }
  }

  std::vector<Part> parts_;
  std::vector<Cell> cells_;
  std::string problem_;
};

}  // namespace

Merged merge(std::span<const PartFile> parts) { return Merger().merge(parts); }

}  // namespace lb::experiment
