// What the admin API answers, apart from how it is carried.
#pragma once

#include <string>
#include <string_view>

namespace lb::daemon {

class Daemon;

struct AdminRequest {
  std::string_view method;
  std::string_view target;
  std::string_view host;
  std::string_view accept;
  std::string_view content_type;
  bool has_origin = false;
  std::string_view body;
};

struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

[[nodiscard]] AdminAnswer answer_admin_request(Daemon& daemon, const AdminRequest& request);

}  // namespace lb::daemon
