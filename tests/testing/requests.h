// Requests as routes and hash keys see them, put together in a line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lbcore/request_attributes.h"
#include "lbcore/routing/host.h"

namespace lb::testing {

class FakeFields final : public HeaderFields {
 public:
  FakeFields() = default;
  FakeFields(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  std::optional<std::string_view> find(std::string_view name) const override {
    for (const auto& [field, value] : fields_) {
      if (equal_in_any_case(field, name)) return value;
    }
    return std::nullopt;
  }
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Owns what RequestAttributes only looks at.
struct FakeRequest {
  std::string target = "/";
  std::string host = "example.com";
  std::string method = "GET";
  FakeFields fields = {};
  std::string client = "192.0.2.1";

  [[nodiscard]] RequestAttributes attributes() const {
    const std::string_view text{target};
    const std::size_t question = text.find('?');
    RequestAttributes request;
    request.client_address = client;
    request.method = method;
    request.host = host_of(host);
    request.path = text.substr(0, question);
    if (question != std::string_view::npos) request.query = text.substr(question + 1);
    request.fields = &fields;
    return request;
  }
};

}  // namespace lb::testing
