#include "lbcore/routing/path_rewrite.h"

#include "lbcore/routing/host.h"
#include "lbcore/routing/route_index.h"

namespace lb {
namespace {

// A path of one leading slash.
void write_path(std::string_view path, std::string& out) {
  const std::size_t start = path.find_first_not_of('/');
  out += '/';
  if (start != std::string_view::npos) out += path.substr(start);
}

}  // namespace

PathRewrite::PathRewrite(const RewriteConfig& rewrite, const RouteMatchConfig& match) {
  if (!rewrite.path.empty()) {
    kind_ = Kind::whole;
    replacement_ = rewrite.path;
  } else if (!rewrite.prefix.empty()) {
    kind_ = Kind::prefix;
    replacement_ = rewrite.prefix;
    while (replacement_.ends_with('/')) replacement_.pop_back();
    const std::string_view old = prefix_without_slash(match.path_prefix);
    prefix_size_ = old == "/" ? 0 : old.size();
  } else if (rewrite.regex) {
    kind_ = Kind::regex;
    replacement_ = rewrite.regex->replacement;
    regex_.emplace(rewrite.regex->pattern);
  }
}

void PathRewrite::apply(std::string_view path, std::string& out) const {
  out.clear();
  if (kind_ == Kind::none || !path.starts_with('/')) {
    out = path;
  } else if (kind_ == Kind::whole) {
    out = replacement_;
  } else if (kind_ == Kind::prefix) {
    const std::string_view rest = path.substr(prefix_size_);
    out = replacement_;
    if (replacement_.empty()) {
      write_path(rest, out);
    } else {
      out += rest;
    }
  } else {
    out = path;
    regex_->replace_all(out, replacement_);
    if (!out.starts_with('/')) out.insert(0, 1, '/');
  }
}

RedirectTarget::RedirectTarget(const RedirectConfig& redirect, const RouteMatchConfig& match)
    : status_(redirect.status),
      scheme_(redirect.scheme),
      host_(redirect.host),
      path_({.path = redirect.path, .prefix = redirect.prefix, .regex = {}, .host = {}}, match),
      has_query_(redirect.path.find('?') != std::string::npos) {}

void RedirectTarget::write_location(const Request& request, std::string& out) const {
  std::string path;
  path_.apply(request.path, path);
  out.clear();
  write_origin(request, out);
  write_path(path == "*" ? "/" : path, out);
  if (!request.query.empty() && !has_query_) {
    out += '?';
    out += request.query;
  }
}

void RedirectTarget::write_origin(const Request& request, std::string& out) const {
  const bool named = !host_.empty() || (!scheme_.empty() && !request.authority.empty());
  if (!named) return;
  const bool other_scheme = !scheme_.empty() && scheme_ != request.scheme;
  out += scheme_.empty() ? request.scheme : std::string_view{scheme_};
  out += "://";
  if (!host_.empty()) {
    out += host_;
  } else {
    // The port of one scheme is not that of the other.
    out += other_scheme ? host_of(request.authority) : request.authority;
  }
}

}  // namespace lb
