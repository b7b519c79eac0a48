// What a backend sends: interim answers, an answer, and maybe more than it should. The same however
// it arrives; what the client gets is those answers with that body and nothing else. Asked with a
// GET, with a HEAD, and for another protocol.
#include <array>
#include <string>

#include "lbnet/http/answer_reader.h"
#include "lbnet/http/head_writer.h"
#include "tests/fuzz/lenient.h"
#include "tests/fuzz/same_fields.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;        // NOLINT
using namespace lb::net::http;  // NOLINT

struct Answer {
  std::string interims;  // As the client gets them.
  int interim_count = 0;
  std::string head;  // Likewise.
  BodyCoding coding = BodyCoding::none;
  std::string body;
  std::size_t end = 0;  // In what was sent; only if the body has an end.
  bool done = false;
  bool refused = false;
  bool may_be_read_again = true;
  bool operator==(const Answer&) const = default;
};

// Reads as Forwarding does.
class Connection {
 public:
  explicit Connection(const AnswerReader::Asked& asked) : reader_(asked) {}

  void take(std::string_view bytes) {
    while (!bytes.empty() && !answer_.refused && !answer_.done) {
      const std::size_t size = std::min(bytes.size(), in_.room().size());
      in_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      used_ += size;
      while (!in_body_ && take_head()) {
      }
      if (in_body_ && !answer_.done) take_body();
    }
  }

  Answer answer() && {
    if (answer_.refused) return {.refused = true};
    if (in_body_ && reader_.body().complete_at_end_of_stream()) answer_.done = true;
    return std::move(answer_);
  }

 private:
  bool take_head() {
    ResponseHead head;
    const auto found = reader_.next_head(in_, head);
    if (found == AnswerReader::Result::invalid) return refuse();
    if (found == AnswerReader::Result::incomplete) return false;
    Buffer out(pool_);
    if (!may_be_read_again(head)) answer_.may_be_read_again = false;
    if (head.interim()) {
      if (!write_response_head(head, {}, out)) return refuse();
      answer_.interims += out.view();
      ++answer_.interim_count;
    } else {
      answer_.coding = coding_for_client(head, 1);
      if (!write_response_head(head, {.coding = answer_.coding}, out)) return refuse();
      answer_.head = out.view();
      in_body_ = true;
    }
    const bool switches = head.status == 101;
    reader_.take_head(in_);
    if (switches) end();  // What follows is not HTTP.
    return !in_body_;
  }

  void take_body() {
    const auto decoded = reader_.body().decode(in_);
    if (decoded.malformed) {
      refuse();
      return;
    }
    answer_.body += decoded.data;
    in_.consume(decoded.raw);
    if (!reader_.body().done()) return;
    end();
    check_trailers(reader_.body().trailers());
  }

  void end() {
    answer_.done = true;
    answer_.end = used_ - in_.size();
  }

  // What is passed on of them is fields and nothing else.
  void check_trailers(std::string_view trailers) {
    std::vector<Field> fields;
    Buffer out(pool_);
    if (trailers.empty() || !parse_trailers(trailers, fields)) return;
    LB_ASSERT(write_trailers(fields, nullptr, out));
    out.append("\r\n");
    std::vector<Field> again;
    LB_ASSERT(parse_trailers(out.view(), again));
    LB_ASSERT(again.size() <= fields.size());
  }

  bool refuse() {
    answer_.refused = true;
    return false;
  }

  BufferPool pool_;
  Buffer in_{pool_};
  AnswerReader reader_;
  bool in_body_ = false;
  std::size_t used_ = 0;
  Answer answer_;
};

Answer read(const std::vector<std::string_view>& pieces, const AnswerReader::Asked& asked) {
  Connection connection(asked);
  for (const std::string_view piece : pieces) connection.take(piece);
  return std::move(connection).answer();
}

bool is_bodiless(std::string_view head, bool to_head) {
  const std::string_view status = head.substr(9, 3);
  return to_head || status == "101" || status == "204" || status == "304";
}

// `text` is so many interim answers and this one, to a lenient reader, too.
void check_leniently(std::string_view text, const Answer& answer, bool to_head, LineEnds ends) {
  for (int n = 0; n < answer.interim_count; ++n) {
    const auto interim = read_message_leniently(text, Kind::bodiless_response, ends);
    LB_ASSERT(interim.has_value());
    text.remove_prefix(interim->size);
  }
  const bool bodiless = is_bodiless(answer.head, to_head);
  const auto last =
      read_message_leniently(text, bodiless ? Kind::bodiless_response : Kind::response, ends);
  LB_ASSERT(last && last->complete);
  LB_ASSERT(last->body == answer.body);
  LB_ASSERT(last->size == text.size());
}

void check_written(const Answer& answer, const AnswerReader::Asked& asked) {
  std::string text = answer.interims + answer.head;
  text += answer.coding == BodyCoding::chunked ? in_chunks(answer.body) : answer.body;
  for (const LineEnds ends : kLineEnds) check_leniently(text, answer, asked.head, ends);
  if (!answer.may_be_read_again) return;
  const Answer again = read({text}, asked);
  LB_ASSERT(again.done && again.end == text.size());
  LB_ASSERT(again.interims == answer.interims);
  LB_ASSERT(again.head == answer.head);
  LB_ASSERT(again.body == answer.body);
}

}  // namespace

void run(std::string_view input) {
  const std::array<AnswerReader::Asked, 3> kinds = {
      AnswerReader::Asked{}, AnswerReader::Asked{.head = true},
      AnswerReader::Asked{.takes_trailers = true, .upgrade = "websocket"}};
  for (const AnswerReader::Asked& asked : kinds) {
    const Answer whole = read({input}, asked);
    for (const auto& pieces : cut(input)) LB_ASSERT(read(pieces, asked) == whole);
    if (!whole.done) continue;
    const std::size_t end = whole.end == 0 ? input.size() : whole.end;
    const std::string_view taken = input.substr(0, end);
    for (const LineEnds ends : kLineEnds) check_leniently(taken, whole, asked.head, ends);
    check_written(whole, asked);
  }
}

}  // namespace lb::fuzz
