#include "lbsim/scenario/trace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"
#include "lbsim/scenario/lines.h"

namespace lb::scenario {
namespace {

struct Line {
  Duration at{};  // Since 1970, or whenever the file's clock began.
  bool whole_seconds = false;
  std::string client;
  std::string path;
};

// Takes the first `size` characters as a whole number without a sign.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t size) {
  std::int64_t number = 0;
  if (text.size() < size || text.starts_with('-')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
  if (error != std::errc{} || end != text.data() + size) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// ".125", to nanoseconds; nothing there is zero.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return Duration{};
  std::int64_t nanoseconds = 0;
  std::int64_t weight = 100'000'000;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    nanoseconds += (text.front() - '0') * weight;
    weight /= 10;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  return Duration{nanoseconds};
}

// "14:15:16"
struct Clock {
  std::int64_t hour, minute, second;
};

// Nothing when there is no such day or time of day, or it is too far away for nanoseconds.
std::optional<Duration> since_1970(std::int64_t year, std::int64_t month, std::int64_t day,
                                   const Clock& clock) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{static_cast<int>(year)},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  constexpr std::int64_t kLastYear = 2200;
  if (year < 1970 || year > kLastYear || !date.ok()) return std::nullopt;
  if (clock.hour > 23 || clock.minute > 59 || clock.second > 60) return std::nullopt;
  return sys_days{date}.time_since_epoch() + hours{clock.hour} + minutes{clock.minute} +
         seconds{clock.second};
}
std::optional<Clock> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  return Clock{*hour, *minute, *second};
}

// "2026-01-02T03:04:05.006Z"
std::optional<Duration> parse_iso_time(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, 'T')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto time = since_1970(*year, *month, *day, *clock);
  if (!time || !fraction || text != "Z") return std::nullopt;
  return *time + *fraction;
}

// "06/Feb/2009:12:14:14.655" of HAProxy or "06/Feb/2009:12:14:14 +0100" of nginx. HAProxy says
// nothing of its zone; only differences count.
std::optional<Duration> parse_log_time(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto day = take_number(text, 2);
  if (!day || !take(text, '/')) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0 || text.size() < 3) return std::nullopt;
  text.remove_prefix(3);
  if (!take(text, '/')) return std::nullopt;
  const auto year = take_number(text, 4);
  if (!year || !take(text, ':')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  Duration zone{};
  if (take(text, ' ')) {
    const bool west = text.starts_with('-');
    text.remove_prefix(std::min<std::size_t>(1, text.size()));
    const auto hours = take_number(text, 2);
    const auto minutes = take_number(text, 2);
    if (!hours || !minutes) return std::nullopt;
    zone = std::chrono::minutes{(west ? -1 : 1) * (*hours * 60 + *minutes)};
  }
  const auto time = since_1970(*year, static_cast<std::int64_t>(month / 3 + 1), *day, *clock);
  if (!time || !text.empty()) return std::nullopt;
  return *time + *fraction - zone;
}

std::optional<Line> parse_lbd_line(std::string_view text) {
  const config::Json json = config::Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("time") || !json["time"].is_string()) return std::nullopt;
  const auto at = parse_iso_time(json["time"].get<std::string>());
  if (!at) return std::nullopt;
  const double total_ms = json.contains("total_ms") && json["total_ms"].is_number()
                              ? json["total_ms"].get<double>()
                              : 0;
  constexpr double kTotalMsMax = 1e9;  // Twelve days: no request takes that long.
  if (!(total_ms >= 0 && total_ms <= kTotalMsMax)) return std::nullopt;
  const auto text_of = [&](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
  };
  return Line{.at = *at - Duration{static_cast<Duration::rep>(total_ms * 1e6)},
              .client = text_of("client"),
              .path = text_of("path")};
}

// Between the first two `quote`s, or nothing.
std::string_view quoted(std::string_view text) {
  const std::size_t begin = text.find('"');
  if (begin == std::string_view::npos) return {};
  const std::size_t end = text.find('"', begin + 1);
  return end == std::string_view::npos ? std::string_view{}
                                       : text.substr(begin + 1, end - begin - 1);
}

// "GET /path HTTP/1.1"
std::string path_of_request(std::string_view request) {
  const std::size_t begin = request.find(' ');
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = request.substr(begin + 1);
  return std::string{rest.substr(0, rest.find(' '))};
}

std::string_view last_word(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  const std::size_t blank = text.rfind(' ');
  return blank == std::string_view::npos ? text : text.substr(blank + 1);
}

// HAProxy: ... client:port [time] ... "request"; combined: client - user [time] "request" ...
std::optional<Line> parse_text_line(std::string_view text) {
  // HAProxy behind syslog writes "haproxy[123]:" in front: the bracket that counts holds a time.
  for (std::size_t open = text.find('['); open != std::string_view::npos;
       open = text.find('[', open + 1)) {
    const std::size_t close = text.find(']', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view time = text.substr(open + 1, close - open - 1);
    const auto at = parse_log_time(time);
    if (!at) continue;
    const bool combined = time.find(' ') != std::string_view::npos;
    std::string_view client =
        combined ? text.substr(0, text.find(' ')) : last_word(text.substr(0, open));
    if (!combined) client = client.substr(0, client.rfind(':'));
    return Line{.at = *at,
                .whole_seconds = time.find('.') == std::string_view::npos,
                .client = std::string{client},
                .path = path_of_request(quoted(text.substr(close)))};
  }
  return std::nullopt;
}

// What a request line may hold; anything else is escaped. What is no path at all is left to the
// load.
std::string clean_path(std::string_view path) {
  if (!path.starts_with('/')) return {};
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kNotInUris = "\"<>\\^`{|}";  // {client} among them.
  std::string clean;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && kNotInUris.find(c) == std::string_view::npos) {
      clean += c;
    } else {
      clean += '%';
      clean += kDigits[byte >> 4U];
      clean += kDigits[byte & 0xfU];
    }
  }
  return clean;
}

// Gives clients and paths their numbers, in the order of their first mention, and puts what was
// read in order of time.
class Builder {
 public:
  void add(const Line& line) {
    (line.whole_seconds ? of_seconds_ : entries_)
        .push_back({line.at, number_of(clients_, line.client),
                    number_of(targets_, clean_path(line.path))});
  }

  Trace finish() {
    sort(of_seconds_);
    spread(of_seconds_);
    entries_.insert(entries_.end(), of_seconds_.begin(), of_seconds_.end());
    sort(entries_);
    Trace trace;
    const Duration first = entries_.empty() ? Duration{} : entries_.front().at;
    for (Trace::Entry& entry : entries_) entry.at -= first;
    trace.entries = std::move(entries_);
    trace.client_count = static_cast<std::uint32_t>(clients_.size());
    trace.targets.resize(targets_.size());
    for (const auto& [path, number] : targets_) trace.targets[number] = path;
    return trace;
  }

 private:
  using Numbers = std::map<std::string, std::uint32_t, std::less<>>;
  static std::uint32_t number_of(Numbers& numbers, std::string name) {
    return numbers.emplace(std::move(name), static_cast<std::uint32_t>(numbers.size()))
        .first->second;
  }

  using Entries = std::vector<Trace::Entry>;

  static void sort(Entries& entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
  }

  // Those of the same second evenly over it.
  static void spread(Entries& entries) {
    for (std::size_t begin = 0; begin < entries.size();) {
      const Duration second = entries[begin].at;
      std::size_t end = begin;
      while (end < entries.size() && entries[end].at == second) ++end;
      const auto count = static_cast<Duration::rep>(end - begin);
      for (std::size_t i = begin; i < end; ++i) {
        entries[i].at += Duration{static_cast<Duration::rep>(i - begin) * 1'000'000'000 / count};
      }
      begin = end;
    }
  }

  Entries entries_;
  Entries of_seconds_;  // Of which no more is known than their second.
  Numbers clients_;
  Numbers targets_;
};

std::string wrong_line(int number, std::string_view expected, std::string_view found) {
  return "line " + std::to_string(number) + ": expected " + std::string{expected} + ", found \"" +
         std::string{found.substr(0, 60)} + '"';
}

// The fields of a line; a quoted one may have commas, and "" for a quote.
std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      const bool doubled = in_quotes && i + 1 < line.size() && line[i + 1] == '"';
      if (doubled) fields.back() += line[i++];
      if (!doubled) in_quotes = !in_quotes;
    } else if (line[i] == ',' && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::optional<Duration> parse_csv_time(std::string_view text) {
  if (const auto duration = config::parse_duration(text)) return duration;
  const std::size_t digits = std::min(text.find('.'), text.size());
  constexpr std::size_t kDigitsMax = 10;  // Seconds since 1970, for the next 260 years.
  if (digits == 0 || digits > kDigitsMax || text.front() == '-') return std::nullopt;
  const auto seconds = take_number(text, digits);
  if (!seconds || *seconds > 9'000'000'000) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction || !text.empty()) return std::nullopt;
  return std::chrono::seconds{*seconds} + *fraction;
}

}  // namespace

LoadedTrace read_csv_trace(std::string_view text) {
  LoadedTrace loaded;
  Builder builder;
  std::vector<std::string> header;
  for_each_line(text, [&](int number, std::string_view line) {
    if (line.empty() || !loaded.problem.empty()) return;
    const std::vector<std::string> fields = split_csv(line);
    if (header.empty()) {
      header = fields;
      if (std::find(header.begin(), header.end(), "time") == header.end()) {
        loaded.problem = wrong_line(number, "a header with a column \"time\"", line);
      }
      return;
    }
    const auto field = [&](std::string_view name) -> std::string {
      const auto column = std::find(header.begin(), header.end(), name) - header.begin();
      const auto index = static_cast<std::size_t>(column);
      return index < fields.size() ? fields[index] : "";
    };
    const auto at = parse_csv_time(field("time"));
    if (!at) {
      loaded.problem = wrong_line(
          number, "a time in seconds, such as 12.5, or with a unit, such as 1500ms", field("time"));
      return;
    }
    builder.add({.at = *at, .client = field("client"), .path = field("path")});
  });
  loaded.trace = builder.finish();
  if (loaded.problem.empty() && loaded.trace.entries.empty()) loaded.problem = "has no requests";
  return loaded;
}

LoadedTrace read_log_trace(std::string_view text) {
  LoadedTrace loaded;
  Builder builder;
  for_each_line(text, [&](int number, std::string_view line) {
    if (line.empty() || !loaded.problem.empty()) return;
    const auto parsed = line.front() == '{' ? parse_lbd_line(line) : parse_text_line(line);
    if (parsed) return builder.add(*parsed);
    loaded.problem = wrong_line(
        number, "a line of an access log of lbd, HAProxy (option httplog) or nginx (combined)",
        line);
  });
  loaded.trace = builder.finish();
  if (loaded.problem.empty() && loaded.trace.entries.empty()) loaded.problem = "has no requests";
  return loaded;
}

}  // namespace lb::scenario
