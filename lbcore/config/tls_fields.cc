#include "lbcore/config/tls_fields.h"

namespace lb::config {

void check(const ObjectReader& reader, const ListenerTlsConfig& tls) {
  const Node* list = reader.find("certificates");
  if (list != nullptr && list->kind == Node::Kind::list && list->items.empty()) {
    reader.problem_at("certificates", "expected at least one certificate");
  }
  if (tls.max_version < tls.min_version) {
    reader.problem_at(reader.find("max_version") != nullptr ? "max_version" : "min_version",
                      "min_version is newer than max_version: there is none left to speak");
  }
}

void check(const ObjectReader& reader, const UpstreamTlsConfig& tls) {
  if (!tls.verify && !tls.ca.empty()) {
    reader.problem_at("ca",
                      "nobody's signature is looked at with \"verify: false\"; expected one "
                      "of the two");
  }
  if (!tls.key.empty() && tls.certificate.empty()) {
    reader.problem_at("key", "expected \"certificate\" too: a key alone says nothing");
  }
}

}  // namespace lb::config
