// RequestView: a parsed request head as lbcore asks about it, without copying any of it.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "lbcore/request_attributes.h"
#include "lbcore/routing/host.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

// REQUIRES: the head, and the bytes it points into, outlive it.
class RequestView final : public HeaderFields {
 public:
  RequestView(const RequestHead& head, std::string_view client_address)
      : head_(head), client_address_(client_address) {}

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override {
    for (const Field& field : head_.fields) {
      if (equal_in_any_case(field.name, name)) return field.value;
    }
    return std::nullopt;
  }

  // Points into this object.
  [[nodiscard]] RequestAttributes attributes() const {
    const std::size_t mark = std::min(head_.target.find('?'), head_.target.size());
    return {.client_address = client_address_,
            .method = head_.method,
            .host = host_of(head_.host),
            .path = head_.target.substr(0, mark),
            .query = head_.target.substr(std::min(mark + 1, head_.target.size())),
            .fields = this};
  }

 private:
  const RequestHead& head_;
  std::string_view client_address_;
};

}  // namespace lb::net::http
