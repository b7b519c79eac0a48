// What a sweep writes: JSON lines. The first says which sweep it is, each of the others is one
// cell, a point of the grid with a seed. A part of a sweep says so in its first line and has some
// of the cells. docs/experiments.md describes both kinds of line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lbcore/config/json.h"
#include "lbsim/experiment/grid.h"
#include "lbsim/experiment/runner.h"
#include "lbsim/experiment/variants.h"

namespace lb::experiment {

// K/N: part K of N. Cells are dealt like cards, so parts differ by one cell at most. Each round
// starts one part later: otherwise a grid whose last axis has N values would give one part all of
// the cells that take longest.
struct Shard {
  std::size_t part = 1;  // From 1.
  std::size_t of = 1;

  [[nodiscard]] static std::size_t part_of(std::size_t cell, std::size_t of) {
    return (cell + cell / of) % of + 1;
  }
  [[nodiscard]] bool has(std::size_t cell) const { return part_of(cell, of) == part; }
};
[[nodiscard]] std::optional<Shard> parse_shard(std::string_view text);

struct Sweep {
  Origin origin;
  Grid grid;
  std::uint64_t first_seed = 1;
  std::size_t seeds = 1;

  // Cells are numbered from 0; seeds change fastest.
  [[nodiscard]] std::size_t cells() const { return grid.points() * seeds; }
  [[nodiscard]] std::size_t point_of(std::size_t cell) const { return cell / seeds; }
  [[nodiscard]] std::uint64_t seed_of(std::size_t cell) const { return first_seed + cell % seeds; }
};

// Lines without their end. Without a shard it is the head of a whole sweep.
[[nodiscard]] std::string head_line(const Sweep& sweep, std::optional<Shard> shard);
[[nodiscard]] std::string cell_line(const Sweep& sweep, std::size_t cell, const RunResult& result);

// A whole sweep as CSV (RFC 4180, lines end in LF): a column for each path of the grid, the digest,
// and every figure that any cell has, the seed among them. REQUIRES: all are lines of one sweep.
[[nodiscard]] std::string to_csv(const config::Json& head, const std::vector<config::Json>& cells);

}  // namespace lb::experiment
