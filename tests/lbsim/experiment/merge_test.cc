// Goal: parts of a sweep make the sweep, byte for byte, and nothing else does.
// Method: sweeps of made-up results, dealt out in every number of parts.
#include "lbsim/experiment/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lbsim/experiment/sweep_file.h"

namespace lb::experiment {
namespace {

using ::testing::HasSubstr;

Sweep sweep_of(std::size_t seeds = 2) {
  return {
      {"steady", "0123456789abcdef", 1}, {{{"a", {"1", "2", "3"}}, {"b", {"x", "y,z"}}}}, 7, seeds};
}

std::string line_of(const Sweep& sweep, std::size_t cell) {
  RunResult result;
  result.figures = {{"total.requests", 100.0 + static_cast<double>(cell)}, {"p_ms", 0.1}};
  result.digest = "d" + std::to_string(cell);
  result.passed = true;
  return cell_line(sweep, cell, result);
}

std::string text_of(const Sweep& sweep, std::optional<Shard> shard) {
  std::string text = head_line(sweep, shard) + '\n';
  for (std::size_t cell = 0; cell < sweep.cells(); ++cell) {
    if (!shard || shard->has(cell)) text += line_of(sweep, cell) + '\n';
  }
  return text;
}

PartFile part(std::size_t k, std::size_t n, const Sweep& sweep = sweep_of()) {
  return {"p" + std::to_string(k), text_of(sweep, Shard{k, n})};
}

std::string joined(const Merged& merged) {
  EXPECT_EQ(merged.problem, "");
  std::string text;
  for (const std::string& line : merged.lines) text += line + '\n';
  return text;
}

TEST(SweepFile, HasAHeadThatSaysWhatItIs) {
  EXPECT_EQ(head_line(sweep_of(), Shard{2, 3}),
            R"({"sweep":"steady","version":"0.1.0","scenario_hash":"0123456789abcdef",)"
            R"("grid":[{"path":"a","values":["1","2","3"]},{"path":"b","values":["x","y,z"]}],)"
            R"("seeds":{"first":7,"count":2},"cells":12,"shard":"2/3"})");
}

TEST(SweepFile, HasALineForEachCell) {
  EXPECT_EQ(line_of(sweep_of(), 3),
            R"({"cell":3,"set":{"a":"1","b":"y,z"},"seed":8,"digest":"d3","passed":true,)"
            R"("figures":{"total.requests":103,"p_ms":0.1}})");
}

TEST(SweepFile, IsCsvToo) {
  const Sweep sweep = sweep_of(1);
  std::vector<config::Json> cells;
  for (const std::size_t cell : {0u, 1u}) {
    cells.push_back(config::Json::parse(line_of(sweep, cell)));
  }
  cells[1]["figures"]["extra"] = 5;
  EXPECT_EQ(to_csv(config::Json::parse(head_line(sweep, {})), cells),
            "cell,a,b,digest,total.requests,p_ms,extra\n"
            "0,1,x,d0,100,0.1,\n"
            "1,1,\"y,z\",d1,101,0.1,5\n");
}

TEST(Shard, IsReadAsPartOfMany) {
  EXPECT_EQ(parse_shard("2/3")->part, 2u);
  EXPECT_EQ(parse_shard("2/3")->of, 3u);
  for (const char* text : {"0/3", "4/3", "1", "1/", "/3", "a/3", "1/3x", "-1/3", "1/0", ""}) {
    EXPECT_FALSE(parse_shard(text)) << text;
  }
}

TEST(Shard, DealsEveryCellOnceAndEvenly) {
  for (std::size_t n = 1; n <= 7; ++n) {
    std::vector<std::size_t> sizes(n);
    for (std::size_t cell = 0; cell < 12; ++cell) {
      int owners = 0;
      for (std::size_t k = 1; k <= n; ++k) {
        if (!Shard{k, n}.has(cell)) continue;
        ++owners;
        ++sizes[k - 1];
      }
      EXPECT_EQ(owners, 1);
    }
    const auto [low, high] = std::minmax_element(sizes.begin(), sizes.end());
    EXPECT_LE(*high - *low, 1u);
  }
}

// Four values on the last axis, four parts: no part gets one value alone.
TEST(Shard, SpreadsTheCellsOfAnAxisOverTheParts) {
  for (std::size_t k = 1; k <= 4; ++k) {
    std::string cells;
    for (std::size_t cell = 0; cell < 16; ++cell) {
      if (Shard{k, 4}.has(cell)) cells += static_cast<char>('0' + cell % 4);
    }
    std::sort(cells.begin(), cells.end());
    EXPECT_EQ(cells, "0123");
  }
}

TEST(Merge, MakesTheWholeOfPartsInAnyOrder) {
  const std::string whole = text_of(sweep_of(), {});
  std::vector<PartFile> parts{part(1, 3), part(2, 3), part(3, 3)};
  const auto by_name = [](const PartFile& a, const PartFile& b) { return a.name < b.name; };
  do {
    EXPECT_EQ(joined(merge(parts)), whole);
  } while (std::next_permutation(parts.begin(), parts.end(), by_name));
}

TEST(Merge, TakesAWholeAndPartsWithoutCells) {
  const std::string whole = text_of(sweep_of(), {});
  EXPECT_EQ(joined(merge(std::vector{PartFile{"all", whole}})), whole);
  std::vector<PartFile> many;
  for (std::size_t k = 1; k <= 20; ++k) many.push_back(part(k, 20));
  EXPECT_EQ(joined(merge(many)), whole);
}

std::string problem(const std::vector<PartFile>& parts) {
  const Merged merged = merge(parts);
  EXPECT_TRUE(merged.lines.empty());
  return merged.problem;
}

TEST(Merge, NamesThePartsThatAreMissing) {
  EXPECT_EQ(problem({part(2, 5), part(4, 5)}),
            "part 1/5 is missing: 2 cells of 12 not there, the first is 0\n"
            "part 3/5 is missing: 3 cells of 12 not there, the first is 2\n"
            "part 5/5 is missing: 2 cells of 12 not there, the first is 4");
}

TEST(Merge, NamesAFileThatEndedEarly) {
  PartFile cut = part(2, 3);
  cut.text.erase(cut.text.rfind('\n', cut.text.size() - 2) + 1);  // Without its last line.
  EXPECT_EQ(problem({part(1, 3), cut, part(3, 3)}),
            "p2 ended early: 1 cell of 12 not there, the first is 10");
  cut.text += R"({"cell":10,"se)";
  EXPECT_THAT(problem({part(1, 3), cut, part(3, 3)}), HasSubstr("p2:5: the line is cut off"));
}

TEST(Merge, NamesACellThatIsThereTwice) {
  EXPECT_EQ(problem({part(1, 2), part(1, 3)}), "cell 0 is there twice: in p1 and in p1");
  EXPECT_EQ(problem({part(1, 3), part(2, 2)}), "cell 5 is there twice: in p1 and in p2");
}

TEST(Merge, SaysWhyPartsAreOfDifferentSweeps) {
  Sweep other = sweep_of();
  other.origin.hash = "fedcba9876543210";
  EXPECT_EQ(problem({part(1, 2), part(2, 2, other)}),
            "p2 is a part of another sweep than p1:\n"
            "  scenario_hash is \"fedcba9876543210\", there \"0123456789abcdef\"");
  EXPECT_THAT(problem({part(1, 2), part(2, 2, sweep_of(3))}), HasSubstr("seeds is"));
}

TEST(Merge, RefusesWhatIsNoSweep) {
  EXPECT_EQ(problem({}), "there are no parts");
  for (const char* text : {"", "x", "[]", "{}", "{\"sweep\":\"a\"}"}) {
    EXPECT_THAT(problem({{"file", text}}), HasSubstr("file:1: this is not the head")) << text;
  }
  PartFile strange = part(1, 2);
  strange.text += "{\"cell\": 99}\n";
  EXPECT_THAT(problem({strange}), HasSubstr("p1:8: this is not a cell of the sweep"));
}

}  // namespace
}  // namespace lb::experiment
