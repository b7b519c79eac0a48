#include "lbcore/routing/regex.h"

#include <re2/re2.h>

#include "lbcore/assert.h"

namespace lb {
namespace {

// A thousand patterns of this size are no burden. Most need a hundredth of it.
constexpr std::int64_t kMemoryMax = std::int64_t{256} << 10U;

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);  // They are returned.
  options.set_max_mem(kMemoryMax);
  return options;
}

// RE2 says which part of the pattern it stumbled over, not where that is.
std::string words_for(const RE2& compiled) {
  const std::string& part = compiled.error_arg();
  const std::size_t at = part.empty() ? std::string::npos : compiled.pattern().find(part);
  const bool only_there = at != std::string::npos && compiled.pattern().rfind(part) == at;
  return compiled.error() +
         (only_there ? " (at character " + std::to_string(at + 1) + ')' : std::string{});
}

}  // namespace

std::optional<std::string> Regex::problem(const std::string& pattern) {
  if (pattern.size() > kPatternMax) {
    return "longer than " + std::to_string(kPatternMax) + " characters";
  }
  const RE2 compiled(pattern, options());
  if (compiled.ok()) return std::nullopt;
  return words_for(compiled);
}

std::optional<std::string> Regex::problem(const std::string& pattern,
                                          const std::string& replacement) {
  const RE2 compiled(pattern, options());
  std::string error;
  if (!compiled.ok() || compiled.CheckRewriteString(replacement, &error)) return std::nullopt;
  return error;
}

Regex::Regex(const std::string& pattern) : compiled_(std::make_unique<RE2>(pattern, options())) {
  LB_ASSERT(compiled_->ok());
}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::matches_all_of(std::string_view text) const {
  const re2::StringPiece piece(text.data(), text.size());
  return compiled_->Match(piece, 0, piece.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

void Regex::replace_all(std::string& text, const std::string& replacement) const {
  RE2::GlobalReplace(&text, *compiled_, replacement);
}

}  // namespace lb
