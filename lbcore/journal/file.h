// A journal as a file: entries one after the other, each with its length before it and a check
// behind it that depends on everything up to there. A file that was cut short or changed is found
// out at the first entry that is not as it was written.
//
//   "LBJ2"  { length (variable) | entry | check (2 bytes) } …
//
// An entry is its brain, the time since the entry before it in nanoseconds, and what happened; see
// entry.h and codec.h. A request costs about 80 bytes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "lbcore/journal/entry.h"

namespace lb::journal {

class Writer {
 public:
  // `write` gets the bytes as they come, a piece an entry.
  explicit Writer(std::function<void(std::string_view)> write);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // A brain begins: tell() its Balancer of the journal that is returned. It belongs to the writer.
  [[nodiscard]] Journal* begin(std::uint32_t brain, Instant now, const ClusterPlan& plan,
                               std::uint64_t seed);

 private:
  class OfBrain;
  void write(const Entry& entry);

  std::function<void(std::string_view)> write_;
  std::map<std::uint32_t, std::unique_ptr<OfBrain>> brains_;
  Instant last_;
  std::uint64_t check_ = 0;
};

class Reader {
 public:
  // The bytes of a whole file; they outlive the reader.
  explicit Reader(std::string_view bytes);

  // The next entry; nothing at the end, or when there is a problem().
  [[nodiscard]] std::optional<Entry> next();

  // What is wrong with the file, and at which byte; empty so far.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::optional<Entry> fail(const std::string& what);

  std::string_view bytes_;
  std::size_t position_ = 0;
  Instant last_;
  std::uint64_t check_ = 0;
  std::string problem_;
};

}  // namespace lb::journal
