// Goal: a field is known by its name whatever the case and with "_" for "-", and by nothing else.
// Method: every name that is known, with every character of it replaced by every character of a
// token, against a look into a table.
#include "lbnet/http/field_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

const std::map<std::string, FieldId> kKnown = {
    {"host", FieldId::host},
    {"connection", FieldId::connection},
    {"content-length", FieldId::content_length},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"expect", FieldId::expect},
    {"forwarded", FieldId::forwarded},
    {"keep-alive", FieldId::keep_alive},
    {"max-forwards", FieldId::max_forwards},
    {"proxy-connection", FieldId::proxy_connection},
    {"te", FieldId::te},
    {"traceparent", FieldId::traceparent},
    {"tracestate", FieldId::tracestate},
    {"trailer", FieldId::trailer},
    {"upgrade", FieldId::upgrade},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-forwarded-port", FieldId::x_forwarded_other},
    {"x-real-ip", FieldId::x_real_ip},
    {"x-request-id", FieldId::x_request_id},
    {"x-ssl-client-verify", FieldId::x_ssl_client},
};

FieldId look_up(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(c == '_' ? '-' : std::tolower(c));
  });
  const auto place = kKnown.find(name);
  if (place != kKnown.end()) return place->second;
  const auto continues = [&](const std::string& beginning) {
    return name.starts_with(beginning) && name.size() > beginning.size();
  };
  if (continues("x-forwarded-")) return FieldId::x_forwarded_other;
  return continues("x-ssl-client-") ? FieldId::x_ssl_client : FieldId::other;
}

std::string token_chars() {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    if (is_token_char(static_cast<char>(c))) all += static_cast<char>(c);
  }
  return all;
}

TEST(FieldNames, AreKnownInAnyCaseAndByNoOtherLetter) {
  ASSERT_EQ(token_chars().size(), 77U);
  for (const auto& [known, id] : kKnown) {
    EXPECT_EQ(identify(known), id) << known;
    for (std::size_t place = 0; place < known.size(); ++place) {
      for (const char c : token_chars()) {
        std::string name = known;
        name[place] = c;
        EXPECT_EQ(identify(name), look_up(name)) << name;
      }
    }
  }
}

TEST(FieldNames, AreKnownWithEveryDashAnUnderscore) {
  for (const auto& [known, id] : kKnown) {
    std::string name = known;
    std::replace(name.begin(), name.end(), '-', '_');
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(identify(name), id) << name;
  }
}

TEST(FieldNames, AreKnownAsAWhole) {
  for (const auto& [known, id] : kKnown) {
    for (const std::string& name :
         {known + 'x', 'x' + known, known.substr(1), known.substr(0, known.size() - 1)}) {
      EXPECT_EQ(identify(name), look_up(name)) << name;
    }
  }
}

}  // namespace
}  // namespace lb::net::http
