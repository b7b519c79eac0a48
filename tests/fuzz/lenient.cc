#include "tests/fuzz/lenient.h"

#include <algorithm>
#include <cstdlib>

namespace lb::fuzz {
namespace {

// Takes a line off, with whatever ends it; nothing when there is no end.
std::optional<std::string_view> take_line(std::string_view& text, LineEnds ends) {
  const std::size_t end = ends == LineEnds::crlf ? text.find("\r\n") : text.find_first_of("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  return line;
}

bool is_blank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f || byte == 0x85 || byte == 0xa0;
}

std::string normal(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

void add_field(std::string_view line, LenientHead& head) {
  const std::size_t colon = line.find(':');
  std::string name = normal(line.substr(0, colon));
  std::replace(name.begin(), name.end(), '_', '-');
  const std::string value =
      colon == std::string_view::npos ? std::string{} : normal(line.substr(colon + 1));
  if (name == "host") head.hosts.push_back(value);
  if (name == "content-length") head.lengths.push_back(value);
  if (name == "transfer-encoding") head.codings.push_back(value);
  head.names.push_back(std::move(name));
}

// Chunks up to the last one and its trailers.
void read_chunks(std::string_view text, LineEnds ends, LenientMessage& message) {
  const std::size_t all = text.size();
  for (;;) {
    const auto line = take_line(text, ends);
    if (!line) return;
    const std::size_t size = std::strtoull(std::string{*line}.c_str(), nullptr, 16);
    if (size == 0) break;
    if (size > text.size()) return;
    message.body += text.substr(0, size);
    text.remove_prefix(size);
    if (!take_line(text, ends)) return;
  }
  for (auto line = take_line(text, ends); line; line = take_line(text, ends)) {
    if (!line->empty()) continue;
    message.complete = true;
    message.size = message.head.size + all - text.size();
    return;
  }
}

void read_length(std::string_view text, LenientMessage& message) {
  const std::size_t length = std::strtoull(message.head.lengths.front().c_str(), nullptr, 10);
  if (length > text.size()) return;
  message.body = text.substr(0, length);
  message.complete = true;
  message.size = message.head.size + length;
}

bool chunked(const LenientHead& head) {
  return std::any_of(head.codings.begin(), head.codings.end(), [](const std::string& coding) {
    return coding.find("chunked") != std::string::npos;
  });
}

}  // namespace

std::optional<LenientHead> read_leniently(std::string_view text, LineEnds ends) {
  LenientHead head;
  const std::size_t all = text.size();
  auto line = take_line(text, ends);
  while (line && line->empty()) line = take_line(text, ends);
  if (!line) return std::nullopt;
  head.first_line = *line;
  for (line = take_line(text, ends); line; line = take_line(text, ends)) {
    if (line->empty()) {
      head.size = all - text.size();
      return head;
    }
    add_field(*line, head);
  }
  return std::nullopt;
}

std::optional<LenientMessage> read_message_leniently(std::string_view text, Kind kind,
                                                     LineEnds ends) {
  auto head = read_leniently(text, ends);
  if (!head) return std::nullopt;
  LenientMessage message;
  message.size = head->size;
  message.head = std::move(*head);
  text.remove_prefix(message.size);
  if (kind == Kind::bodiless_response) {
    message.complete = true;
  } else if (chunked(message.head)) {
    read_chunks(text, ends, message);
  } else if (!message.head.lengths.empty()) {
    read_length(text, message);
  } else if (kind == Kind::request) {
    message.complete = true;
  } else {
    message.body = text;
    message.size += text.size();
    message.complete = true;
  }
  return message;
}

}  // namespace lb::fuzz
