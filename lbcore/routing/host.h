// Names of hosts, as routes compare them: without port, without the dot of a complete name, and
// without regard to case.
#pragma once

#include <string>
#include <string_view>

namespace lb {

[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equal_in_any_case(std::string_view a, std::string_view b);

// Labels between dots, or an IPv6 address in brackets: what a configuration may name.
[[nodiscard]] bool is_host_name(std::string_view host);
// host or host:port, as it may stand in Host and in Location.
[[nodiscard]] bool is_authority(std::string_view text);

// The name in host[:port] or [v6]:port; brackets stay.
[[nodiscard]] std::string_view host_of(std::string_view authority);

// "example.com." is "example.com" to whoever resolves it.
[[nodiscard]] constexpr std::string_view without_final_dot(std::string_view host) {
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

}  // namespace lb
