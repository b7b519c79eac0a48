#include "lbsim/client_requests.h"

#include <algorithm>

#include "lbcore/routing/host.h"

namespace lb::sim {

RequestAttributes ClientRequests::of(std::uint32_t client, std::uint32_t target_number) {
  if (client_ != client || target_number_ != target_number) prepare(client, target_number);
  const std::string_view target{target_};
  const std::size_t mark = std::min(target.find('?'), target.size());
  return {.client_address = address_,
          .method = shape_->method,
          .host = host_of(host_),
          .path = target.substr(0, mark),
          .query = target.substr(std::min(mark + 1, target.size())),
          .fields = this};
}

std::optional<std::string_view> ClientRequests::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (equal_in_any_case(field, name)) return value;
  }
  return std::nullopt;
}

void ClientRequests::prepare(std::uint32_t client, std::uint32_t target) {
  client_ = client;
  target_number_ = target;
  address_ = scenario::client_address(load_index_, client);
  target_ = scenario::for_client(targets_[target], client);
  // What the harness says when the scenario does not: where it connects to.
  host_ = shape_->host.empty() ? "127.0.0.1" : scenario::for_client(shape_->host, client);
  fields_.clear();
  fields_.emplace_back("host", host_);
  for (const NamedValue& field : shape_->headers.items) {
    fields_.emplace_back(field.name, scenario::for_client(field.value, client));
  }
}

}  // namespace lb::sim
