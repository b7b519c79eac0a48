// How a path becomes another one: for what a backend is asked, and for where a client is sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lbcore/routing/regex.h"
#include "lbcore/routing/route_config.h"

namespace lb {

class PathRewrite {
 public:
  PathRewrite() = default;  // Changes nothing.
  // REQUIRES: checked; `match` has a path_prefix if `rewrite` has a prefix.
  PathRewrite(const RewriteConfig& rewrite, const RouteMatchConfig& match);

  [[nodiscard]] bool empty() const { return kind_ == Kind::none; }
  // Writes the new path. `path` is in normal form and fits the match; one that does not start with
  // "/" stays as it is.
  void apply(std::string_view path, std::string& out) const;

 private:
  enum class Kind : std::uint8_t { none, whole, prefix, regex };

  Kind kind_ = Kind::none;
  std::string replacement_;
  std::size_t prefix_size_ = 0;  // Of the path, bytes that are replaced.
  std::optional<Regex> regex_;
};

// Where a redirect sends a client.
class RedirectTarget {
 public:
  RedirectTarget(const RedirectConfig& redirect, const RouteMatchConfig& match);

  // What the request asked for; `scheme` is that of the listener.
  struct Request {
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;  // In normal form.
    std::string_view query;
  };
  [[nodiscard]] std::uint16_t status() const { return status_; }
  // Writes the value of Location. Without a scheme or host of its own it is only a path, which
  // never starts with two slashes: browsers would take what follows for a host.
  void write_location(const Request& request, std::string& out) const;

 private:
  void write_origin(const Request& request, std::string& out) const;

  std::uint16_t status_;
  std::string scheme_;
  std::string host_;
  PathRewrite path_;
  bool has_query_ = false;
};

}  // namespace lb
