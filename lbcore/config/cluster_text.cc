#include "lbcore/config/cluster_text.h"

#include "lbcore/config/cluster_fields.h"
#include "lbcore/config/writer.h"

namespace lb::config {

std::string cluster_text(const ClusterConfig& config) {
  ClusterConfig copy = config;
  if (copy.affinity) copy.affinity->cookie.secret.clear();  // Nothing that is decided needs it.
  // A name may hold bytes that are not UTF-8, which dump() would throw about.
  return write(Writing{}, copy).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ClusterConfig> parse_cluster_text(std::string_view text) {
  std::vector<Problem> problems;
  const Node root = parse_document(text, "cluster.json", problems);
  if (!problems.empty()) return std::nullopt;
  ClusterConfig config;
  read(Place{root, "", problems}, config);
  if (!problems.empty()) return std::nullopt;
  return config;
}

}  // namespace lb::config
