// The keys of a listener by which it knows its clients, and a cluster's PROXY header.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"

namespace lb::config {

template <>
struct EnumWords<AcceptedProxyHeader> {
  static constexpr std::array<std::pair<AcceptedProxyHeader, const char*>, 4> words{
      {{AcceptedProxyHeader::none, "none"},
       {AcceptedProxyHeader::v1, "v1"},
       {AcceptedProxyHeader::v2, "v2"},
       {AcceptedProxyHeader::any, "any"}}};
};
template <>
struct EnumWords<SentProxyHeader> {
  static constexpr std::array<std::pair<SentProxyHeader, const char*>, 3> words{
      {{SentProxyHeader::none, "none"}, {SentProxyHeader::v1, "v1"}, {SentProxyHeader::v2, "v2"}}};
};
template <>
struct EnumWords<ForwardedFields> {
  static constexpr std::array<std::pair<ForwardedFields, const char*>, 4> words{
      {{ForwardedFields::none, "none"},
       {ForwardedFields::x_forwarded, "x_forwarded"},
       {ForwardedFields::rfc7239, "rfc7239"},
       {ForwardedFields::both, "both"}}};
};

struct Writing;
class Definitions;

void read(const Place& place, TrustedProxy& value, Range range = {});
[[nodiscard]] Json write(Writing, const TrustedProxy& value);
[[nodiscard]] std::string type_words(const std::vector<TrustedProxy>& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const TrustedProxy& value, Range range = {});

// Among the listener's own keys.
template <class Fields>
void describe(Fields& fields, ClientIdentityConfig& identity) {
  fields.optional("trusted_proxies", identity.trusted_proxies,
                  "whose word on who came before them is believed");
  fields.optional("proxy_protocol", identity.proxy_protocol,
                  "the PROXY header that each connection begins with; `trusted_proxies` alone may "
                  "connect then");
  fields.optional("forwarded", identity.forwarded,
                  "which fields tell backends whom a request of http came from: X-Forwarded-*, "
                  "Forwarded, both or none");
  fields.optional("request_id", identity.request_id,
                  "give each request of http an X-Request-Id, unless a trusted proxy did");
  fields.optional("traceparent", identity.traceparent,
                  "begin a trace (W3C Trace Context) for each request of http without one");
}

}  // namespace lb::config
