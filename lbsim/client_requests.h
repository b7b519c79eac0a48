// ClientRequests: what the requests of one load look like to the daemon, client by client.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbsim/scenario/scenario.h"

namespace lb::sim {

class ClientRequests final : private HeaderFields {
 public:
  ClientRequests(const scenario::RequestShape& shape, std::size_t load_index)
      : shape_(&shape), load_index_(load_index) {}

  // Good until the next call, and as long as this object stays where it is.
  [[nodiscard]] RequestAttributes of(std::uint32_t client);

 private:
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override;
  void prepare(std::uint32_t client);

  const scenario::RequestShape* shape_;
  std::size_t load_index_;
  std::optional<std::uint32_t> client_;  // Whom the rest is about.
  std::string address_;
  std::string target_;
  std::string host_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace lb::sim
