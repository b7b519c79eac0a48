#include "lbcore/config/identity_fields.h"

#include "lbcore/config/schema.h"
#include "lbcore/config/writer.h"

namespace lb::config {
namespace {

constexpr std::string_view kUnix = "unix";

}  // namespace

void read(const Place& place, TrustedProxy& value, Range) {
  const bool is_text = place.node.kind == Node::Kind::scalar;
  if (is_text && place.node.text == kUnix) {
    value.prefix.reset();
    return;
  }
  const auto prefix = is_text ? IpPrefix::parse(place.node.text) : std::nullopt;
  if (!prefix) {
    return place.problem(
        "expected an address or a prefix, such as \"10.0.0.0/8\", or \"unix\", found " +
        describe_found(place.node));
  }
  // "10.1.2.3/8" may mean one address or sixteen million: that is not to be guessed.
  if (prefix->canonical() != *prefix) {
    return place.problem("bits are set behind the length; expected \"" +
                         prefix->canonical().text() + "\", or the address alone, found " +
                         describe_found(place.node));
  }
  value.prefix = prefix;
}

Json write(Writing, const TrustedProxy& value) {
  return value.prefix ? value.prefix->text() : std::string{kUnix};
}

std::string type_words(const std::vector<TrustedProxy>&, Range) {
  return "list of addresses and prefixes, such as `10.0.0.0/8`, and `unix` for the clients of a "
         "unix socket";
}

Json schema_of(Definitions&, const TrustedProxy&, Range) {
  return {{"type", "string"}, {"pattern", "^(unix|[0-9a-fA-F:.]+(/[0-9]{1,3})?)$"}};
}

}  // namespace lb::config
