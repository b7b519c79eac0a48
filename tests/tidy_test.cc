// Goal: the rules that a compiler does not hold. Who may include whom, no clock in the brain, no
// line too long, no scenario that nobody plays.
// Method: reads the tree as text. A line may be excused by a comment on it that says why:
// `// tidy: why`. The rules are tried on small made-up files first.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace lb {
namespace {

namespace fs = std::filesystem;
using Findings = std::vector<std::string>;

struct File {
  std::string path;  // From the root of the tree.
  std::string text;
};

// -- What may be included where

// Prefixes of includes, of this project and of others. Headers of the standard library and of the
// operating system have names of their own.
struct FolderRule {
  std::string_view folder;  // The longest that fits a path holds.
  std::vector<std::string_view> may;
};

const std::vector<FolderRule> kFolderRules = {
    {"lbcore/", {"lbcore/"}},
    {"lbcore/routing/regex.", {"lbcore/", "re2/"}},
    {"lbcore/config/", {"lbcore/", "nlohmann/", "yaml-cpp/"}},
    {"lbcore/journal/", {"lbcore/"}},
    {"lbnet/", {"lbnet/", "lbcore/", "boost/", "openssl/", "spdlog/", "fmt/"}},
    {"lbsim/", {"lbsim/", "lbcore/", "spdlog/", "fmt/", "CLI/", "nlohmann/"}},
    {"lbsim/experiment/", {"lbsim/", "lbcore/", "spdlog/", "fmt/", "nlohmann/", "boost/math/"}},
    {"lbd/",
     {"lbd/", "lbnet/", "lbcore/", "boost/", "spdlog/", "fmt/", "CLI/", "nlohmann/", "prometheus/",
      "openssl/"}},
    {"harness/",
     {"harness/", "lbcore/", "lbsim/scenario/", "boost/", "openssl/", "spdlog/", "fmt/", "CLI/",
      "nlohmann/"}},
};

// Exceptions from the above: what a folder may not include although its prefix is allowed.
struct Ban {
  std::string_view folder;
  std::vector<std::string_view> never;
};

const std::vector<Ban> kBans = {
    {"lbcore/", {"lbcore/config/"}},
    // What is unordered, hidden, read from a clock or shared between threads makes two runs differ.
    {"lbcore/",
     {"atomic", "condition_variable", "ctime", "fstream", "future", "iostream", "mutex", "random",
      "shared_mutex", "sstream", "thread", "time.h", "unordered_map", "unordered_set", "sys/",
      "netinet/", "arpa/", "unistd.h"}},
    {"lbcore/config/",
     {"atomic", "condition_variable", "ctime", "fstream", "future", "iostream", "mutex", "random",
      "shared_mutex", "thread", "unordered_map", "unordered_set", "sys/", "netinet/", "unistd.h"}},
    {"lbcore/journal/",
     {"atomic", "condition_variable", "ctime", "fstream", "future", "iostream", "mutex", "random",
      "shared_mutex", "thread", "unordered_map", "unordered_set", "sys/", "netinet/", "unistd.h"}},
    {"lbnet/", {"lbcore/config/"}},
    {"lbsim/",
     {"condition_variable", "future", "mutex", "random", "thread", "unordered_map",
      "unordered_set"}},
    // Runs share nothing, so they may have threads; what comes out of them is in order all the
    // same.
    {"lbsim/experiment/",
     {"condition_variable", "future", "random", "unordered_map", "unordered_set", "fstream",
      "iostream", "unistd.h"}},
    // A black box must not share the bug it looks for: only the values that the formats are made
    // of, not the parts that decide.
    {"harness/",
     {"lbcore/balancer.h", "lbcore/connection_pool.h", "lbcore/control.h",
      "lbcore/deadline_table.h", "lbcore/retry.h", "lbcore/routing/route_table.h",
      "lbcore/strategy/"}},
};

bool matches(std::string_view include, std::string_view prefix) {
  return prefix.ends_with('/') ? include.starts_with(prefix) : include == prefix;
}

bool any_matches(std::string_view include, const std::vector<std::string_view>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return matches(include, prefix); });
}

// Of the rules for folders that contain `path`, those of the innermost.
template <class Rule>
std::vector<const Rule*> innermost(const std::vector<Rule>& rules, std::string_view path) {
  std::size_t longest = 0;
  for (const Rule& rule : rules) {
    if (path.starts_with(rule.folder)) longest = std::max(longest, rule.folder.size());
  }
  std::vector<const Rule*> fitting;
  for (const Rule& rule : rules) {
    if (longest > 0 && rule.folder.size() == longest && path.starts_with(rule.folder)) {
      fitting.push_back(&rule);
    }
  }
  return fitting;
}

std::optional<std::string> included_by(std::string_view line) {
  if (!line.starts_with("#include ")) return std::nullopt;
  const std::size_t open = line.find_first_of("<\"");
  const std::size_t close = line.find_first_of(">\"", open + 1);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  return std::string{line.substr(open + 1, close - open - 1)};
}

// A folder, or a file as others include it: of somebody's library, or of this project.
bool is_standard(std::string_view include) {
  return include.find('/') == std::string_view::npos || include.starts_with("sys/") ||
         include.starts_with("netinet/") || include.starts_with("arpa/") ||
         include.starts_with("linux/");
}

std::optional<std::string> wrong_include(std::string_view path, std::string_view include) {
  for (const FolderRule* rule : innermost(kFolderRules, path)) {
    if (!is_standard(include) && !any_matches(include, rule->may)) {
      return std::string{rule->folder} + " may not include " + std::string{include};
    }
  }
  for (const Ban* ban : innermost(kBans, path)) {
    if (any_matches(include, ban->never)) {
      return std::string{ban->folder} + " may not include " + std::string{include};
    }
  }
  return std::nullopt;
}

// -- The rules for one file

std::size_t columns(std::string_view line) {  // Bytes that continue a character are not columns.
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

bool reads_a_clock(std::string_view path, std::string_view line) {
  const bool pure = path.starts_with("lbcore/") || path.starts_with("lbsim/");
  return pure && line.find("::now(") != std::string_view::npos;
}

Findings check_file(const File& file) {
  Findings findings;
  std::istringstream lines{file.text};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find("// tidy: ") != std::string::npos) continue;
    const auto report = [&](const std::string& words) {
      findings.push_back(file.path + ':' + std::to_string(number) + ": " + words);
    };
    if (columns(line) > 100) report("more than 100 columns");
    if (reads_a_clock(file.path, line)) report("time is handed in, not read");
    const auto include = included_by(line);
    const auto wrong = include ? wrong_include(file.path, *include) : std::nullopt;
    if (wrong) report(*wrong);
  }
  const bool header = file.path.ends_with(".h");
  if (header && file.text.find("#pragma once\n") == std::string::npos) {
    findings.push_back(file.path + ": a header without #pragma once");
  }
  return findings;
}

// -- The rules, tried on made-up files

Findings check(std::string path, std::string text) {
  return check_file({std::move(path), std::move(text)});
}

TEST(TidyRule, AllowsWhatAFolderMayInclude) {
  EXPECT_EQ(check("lbcore/a.cc", "#include <vector>\n#include \"lbcore/ids.h\"\n"), Findings{});
  EXPECT_EQ(check("lbcore/routing/regex.cc", "#include <re2/re2.h>\n"), Findings{});
  EXPECT_EQ(check("lbcore/config/a.cc", "#include <yaml-cpp/yaml.h>\n#include <sstream>\n"),
            Findings{});
  EXPECT_EQ(check("lbnet/http/a.cc", "#include <boost/asio.hpp>\n#include <sys/socket.h>\n"),
            Findings{});
  EXPECT_EQ(check("lbsim/scenario/a.cc", "#include \"lbcore/config/reader.h\"\n"), Findings{});
  EXPECT_EQ(check("harness/a.cc", "#include \"lbsim/scenario/report.h\"\n"), Findings{});
  EXPECT_EQ(check("tests/a.cc", "#include \"lbnet/worker.h\"\n#include \"lbsim/x.h\"\n"),
            Findings{});
}

TEST(TidyRule, FindsAForbiddenInclude) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"lbcore/a.cc", "lbcore/config/reader.h"},
      {"lbcore/a.cc", "nlohmann/json.hpp"},
      {"lbcore/a.h", "unordered_map"},
      {"lbcore/strategy/a.cc", "random"},
      {"lbcore/a.cc", "sys/socket.h"},
      {"lbcore/a.cc", "mutex"},
      {"lbcore/a.cc", "re2/re2.h"},
      {"lbcore/routing/a.cc", "re2/re2.h"},
      {"lbcore/config/a.cc", "fstream"},
      {"lbcore/config/a.cc", "boost/asio.hpp"},
      {"lbnet/a.cc", "lbsim/simulator.h"},
      {"lbnet/a.cc", "lbcore/config/reader.h"},
      {"lbnet/a.cc", "nlohmann/json.hpp"},
      {"lbsim/a.cc", "lbnet/worker.h"},
      {"lbsim/scenario/a.cc", "boost/asio.hpp"},
      {"lbd/a.cc", "lbsim/scenario/scenario.h"},
      {"lbd/a.cc", "harness/process.h"},
      {"harness/a.cc", "lbnet/worker.h"},
      {"harness/a.cc", "lbd/daemon.h"},
      {"harness/a.cc", "lbsim/simulator.h"},
      {"harness/a.cc", "lbcore/balancer.h"},
      {"harness/a.cc", "lbcore/strategy/registry.h"}};
  for (const auto& [path, include] : wrong) {
    const std::string text = (path.ends_with(".h") ? "#pragma once\n" : "\n");
    EXPECT_EQ(check(path, text + "#include \"" + include + "\"\n").size(), 1u)
        << path << " includes " << include;
    EXPECT_EQ(check(path, text + "#include <" + include + ">\n").size(), 1u);
  }
  EXPECT_EQ(check("lbcore/a.cc", "\n#include <random>\n"),
            Findings{"lbcore/a.cc:2: lbcore/ may not include random"});
}

TEST(TidyRule, FindsAClockInThePureFolders) {
  const std::string line = "auto now = std::chrono::steady_clock::now();\n";
  EXPECT_EQ(check("lbcore/a.cc", line).size(), 1u);
  EXPECT_EQ(check("lbsim/scenario/a.cc", line).size(), 1u);
  EXPECT_EQ(check("lbnet/clock.h", "#pragma once\n" + line), Findings{});
  EXPECT_EQ(check("lbcore/a.cc", "auto now = world.now();\n"), Findings{});
}

TEST(TidyRule, CountsColumnsAndNotBytes) {
  const auto line = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "─";
    return text + '\n';
  };
  EXPECT_EQ(check("lbd/a.cc", std::string(100, 'x') + '\n'), Findings{});
  EXPECT_EQ(check("lbd/a.cc", std::string(101, 'x') + '\n'),
            Findings{"lbd/a.cc:1: more than 100 columns"});
  EXPECT_EQ(check("lbd/a.cc", line(100)), Findings{});
  EXPECT_EQ(check("lbd/a.cc", line(101)).size(), 1u);
}

TEST(TidyRule, FindsAHeaderWithoutAGuard) {
  EXPECT_EQ(check("lbd/a.h", "int x;\n"), Findings{"lbd/a.h: a header without #pragma once"});
  EXPECT_EQ(check("lbd/a.h", "#pragma once\n"), Findings{});
}

TEST(TidyRule, ExcusesALineThatSaysWhy) {
  EXPECT_EQ(check("lbcore/a.cc", "#include <mutex>  // tidy: shared by design, see X\n"),
            Findings{});
}

// -- The tree

const fs::path kRoot = LB_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<File> sources() {
  std::vector<File> files;
  for (const char* folder : {"lbcore", "lbnet", "lbsim", "lbd", "harness", "tests"}) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const std::string ending = entry.path().extension().string();
      if (ending != ".h" && ending != ".cc") continue;
      files.push_back({fs::relative(entry.path(), kRoot).generic_string(), read(entry.path())});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

TEST(Tree, KeepsTheRules) {
  const std::vector<File> files = sources();
  EXPECT_GT(files.size(), 60u) << "is " << kRoot << " the tree?";
  for (const File& file : files) {
    for (const std::string& finding : check_file(file)) ADD_FAILURE() << finding;
  }
}

TEST(Tree, EveryTestFileIsBuilt) {
  std::string lists;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().filename() == "CMakeLists.txt") lists += read(entry.path());
  }
  for (const File& file : sources()) {
    if (!file.path.starts_with("tests/") || !file.path.ends_with("_test.cc")) continue;
    const std::string name = fs::path{file.path}.filename().string();
    EXPECT_NE(lists.find(name), std::string::npos) << file.path << " is in no CMakeLists.txt";
  }
}

TEST(Tree, EveryScenarioIsPlayed) {
  const std::string registration = read(kRoot / "tests/scenarios/CMakeLists.txt");
  EXPECT_NE(registration.find("GLOB_RECURSE"), std::string::npos)
      << "tests/scenarios does not glob";
  EXPECT_NE(registration.find("scenarios/*.json"), std::string::npos);
  std::size_t count = 0;
  ASSERT_TRUE(fs::exists(kRoot / "scenarios"));
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "scenarios")) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const std::string text = read(entry.path());
    for (const char* key : {"\"why\"", "\"expect\""}) {
      EXPECT_NE(text.find(key), std::string::npos) << entry.path() << " has no " << key;
    }
  }
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace lb
