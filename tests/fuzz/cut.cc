#include <algorithm>

#include "lbcore/hash.h"
#include "lbcore/prng.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

std::vector<std::string_view> at(std::string_view input, std::vector<std::size_t> places) {
  std::sort(places.begin(), places.end());
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (const std::size_t place : places) {
    pieces.push_back(input.substr(begin, place - begin));
    begin = place;
  }
  pieces.push_back(input.substr(begin));
  return pieces;
}

}  // namespace

std::vector<std::vector<std::string_view>> cut(std::string_view input) {
  std::vector<std::vector<std::string_view>> ways;
  if (input.size() < 2) return ways;
  constexpr std::size_t kBytesMax = 4096;  // A long input in bytes takes long, and shows no more.
  if (input.size() <= kBytesMax) {
    std::vector<std::string_view> bytes;
    for (std::size_t n = 0; n < input.size(); ++n) bytes.push_back(input.substr(n, 1));
    ways.push_back(std::move(bytes));
  }
  Prng prng(hash_bytes(input));
  for (const std::size_t cuts : {1U, 1U, 1U, 5U}) {
    std::vector<std::size_t> places(cuts);
    for (std::size_t& place : places) place = 1 + prng.below(input.size() - 1);
    ways.push_back(at(input, std::move(places)));
  }
  return ways;
}

}  // namespace lb::fuzz
