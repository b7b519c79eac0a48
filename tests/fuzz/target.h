// What a fuzz target is: a function that takes any bytes and stops the process (LB_ASSERT) when
// something that has to hold does not. libFuzzer calls it with bytes it makes up (entry.cc); the
// tests of an ordinary build call it with the files of its corpus (play_corpus.cc).
#pragma once

#include <string_view>
#include <vector>

namespace lb::fuzz {

// Each target defines it.
void run(std::string_view input);

// The input in pieces, in several ways: byte by byte, and cut at a few places that depend on the
// input alone. Never whole.
[[nodiscard]] std::vector<std::vector<std::string_view>> cut(std::string_view input);

}  // namespace lb::fuzz
