// ClientRequests: what the requests of one load look like to the daemon, client by client.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbsim/scenario/arrivals.h"

namespace lb::sim {

class ClientRequests final : private HeaderFields {
 public:
  // REQUIRES: `load` outlives it.
  ClientRequests(const scenario::Load& load, std::size_t load_index)
      : shape_(&load.request), load_index_(load_index), targets_(scenario::targets_of(load)) {}

  // Good until the next call, and as long as this object stays where it is.
  [[nodiscard]] RequestAttributes of(std::uint32_t client, std::uint32_t target);

 private:
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override;
  void prepare(std::uint32_t client, std::uint32_t target);

  const scenario::RequestShape* shape_;
  std::size_t load_index_;
  std::vector<std::string> targets_;     // By their numbers in Arrival.
  std::optional<std::uint32_t> client_;  // Whom the rest is about,
  std::uint32_t target_number_ = 0;      // and which of their requests.
  std::string address_;
  std::string target_;
  std::string host_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace lb::sim
