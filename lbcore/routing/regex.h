// Regex: an RE2 pattern, compiled once. The only file that knows RE2: it matches in time linear to
// the text whatever the pattern, so no configuration and no client can make it slow.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace lb {

class Regex {
 public:
  // Characters of a pattern; and RE2 refuses what compiles to more than its share of memory.
  static constexpr std::size_t kPatternMax = 1024;

  // What is wrong with a pattern, in RE2's words, and where; nothing when it may be used.
  [[nodiscard]] static std::optional<std::string> problem(const std::string& pattern);
  // The same of what replaces its matches: groups that the pattern does not have.
  [[nodiscard]] static std::optional<std::string> problem(const std::string& pattern,
                                                          const std::string& replacement);

  // REQUIRES: !problem(pattern).
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // RE2 keeps what it learns about texts, within its share of memory: it may allocate for the first
  // of a kind. Safe from several threads.
  [[nodiscard]] bool matches_all_of(std::string_view text) const;
  void replace_all(std::string& text, const std::string& replacement) const;

 private:
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace lb
