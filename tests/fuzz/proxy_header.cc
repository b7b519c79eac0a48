// A PROXY header: what it is does not depend on how it comes or on what follows it, and what is
// written of what was read is read as the same.
#include "lbnet/proxy_header.h"

#include "lbcore/assert.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;  // NOLINT
using State = ProxyHeader::State;

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.state == b.state && a.size == b.size && a.way == b.way;
}

// As a connection has it: piece by piece until it is decided.
ProxyHeader read_in_pieces(const std::vector<std::string_view>& pieces,
                           AcceptedProxyHeader accepted) {
  ProxyHeader read;
  std::size_t size = 0;
  for (const std::string_view piece : pieces) {
    size += piece.size();
    read = read_proxy_header({pieces.front().data(), size}, accepted);
    if (read.state != State::incomplete) break;
    LB_ASSERT(size < kProxyHeaderMax);
  }
  return read;
}

void check_written(const ProxiedWay& way) {
  for (const SentProxyHeader version : {SentProxyHeader::v1, SentProxyHeader::v2}) {
    const ProxyHeaderText text(version, way);
    const ProxyHeader again = read_proxy_header(text.view(), AcceptedProxyHeader::any);
    LB_ASSERT(again.state == State::complete);
    LB_ASSERT(again.size == text.view().size());
    LB_ASSERT(again.way == way);
  }
}

void check(std::string_view input, AcceptedProxyHeader accepted) {
  const ProxyHeader whole = read_proxy_header(input, accepted);
  for (const auto& pieces : cut(input)) {
    if (!pieces.empty()) LB_ASSERT(same(read_in_pieces(pieces, accepted), whole));
  }
  LB_ASSERT(whole.way.has_value() <= (whole.state == State::complete));
  if (whole.state != State::complete) return;
  LB_ASSERT(whole.size <= input.size() && whole.size <= kProxyHeaderMax);
  LB_ASSERT(same(read_proxy_header(input.substr(0, whole.size), accepted), whole));
  LB_ASSERT(read_proxy_header(input.substr(0, whole.size - 1), accepted).state ==
            State::incomplete);
  if (whole.way) check_written(*whole.way);
}

}  // namespace

void run(std::string_view input) {
  for (const AcceptedProxyHeader accepted :
       {AcceptedProxyHeader::v1, AcceptedProxyHeader::v2, AcceptedProxyHeader::any}) {
    check(input, accepted);
  }
  if (input.empty()) return;
  const ProxyHeader any = read_proxy_header(input, AcceptedProxyHeader::any);
  const ProxyHeader first = read_proxy_header(input, AcceptedProxyHeader::v1);
  const ProxyHeader second = read_proxy_header(input, AcceptedProxyHeader::v2);
  LB_ASSERT(first.state == State::malformed || second.state == State::malformed);
  LB_ASSERT(same(any, first) || same(any, second));
}

}  // namespace lb::fuzz
