// RouteIndex: the routes a host and a path may belong to, without a walk over all of them.
//
// Two levels of tries: host pattern, read from its end, to a tree of paths, to the routes there.
// A request meets at most one host pattern for each label of its name, and for each of them at most
// one tree node for each segment of its path; every node lists its routes in the order of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/routing/host.h"
#include "lbcore/routing/prefix_trie.h"
#include "lbcore/routing/route_config.h"

namespace lb {

class RouteIndex {
 public:
  // REQUIRES: check_route() found nothing wrong with these.
  explicit RouteIndex(const std::vector<RouteConfig>& routes);

  // The first route, in the order of the file, whose host and path fit and that passes(route): as a
  // walk over all of them would find it. `path` is in normal form. No allocation.
  template <class Passes>
  [[nodiscard]] std::optional<std::uint32_t> first(std::string_view host, std::string_view path,
                                                   Passes&& passes) const {
    Search<Passes> search{*this, PlainText{path}, passes};
    search.look_in(any_host_);
    const ReversedHost reversed{without_final_dot(host)};
    hosts_.for_each_prefix(host_root_, reversed, [&](std::uint32_t group, std::size_t length) {
      const bool exact = length == reversed.size();
      if (exact != groups_[group].is_wildcard) search.look_in(groups_[group].paths);
    });
    if (search.best == kNone) return std::nullopt;
    return search.best;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  // A part of candidates_.
  struct List {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  // The routes at one node of a tree of paths.
  struct Spot {
    List exact;
    List prefix;
  };
  struct HostGroup {
    PrefixTrie::Root paths = 0;
    bool is_wildcard = false;
  };

  // A host from its last letter to its first, in lower case. The key of *.example.com ends in the
  // dot, so it is a prefix of every name below example.com and of no other.
  class ReversedHost {
   public:
    explicit ReversedHost(std::string_view host) : host_(host) {}
    [[nodiscard]] std::size_t size() const { return host_.size(); }
    [[nodiscard]] char operator[](std::size_t i) const {
      return to_lower(host_[host_.size() - 1 - i]);
    }
    [[nodiscard]] bool has(std::size_t at, std::string_view piece) const {
      if (piece.size() > size() - at) return false;
      for (std::size_t i = 0; i < piece.size(); ++i) {
        if ((*this)[at + i] != piece[i]) return false;
      }
      return true;
    }

   private:
    std::string_view host_;
  };

  template <class Passes>
  struct Search {
    const RouteIndex& index;
    PlainText path;
    Passes& passes;
    std::uint32_t best = kNone;

    void look_in(PrefixTrie::Root paths) {
      index.paths_.for_each_prefix(paths, path, [&](std::uint32_t at, std::size_t length) {
        const Spot& spot = index.spots_[at];
        const bool whole = length == path.size();
        if (whole) look_at(spot.exact);
        // Only the root and "/" end before their segment does: both are prefixes of anything.
        if (whole || length <= 1 || path[length] == '/') look_at(spot.prefix);
      });
    }
    void look_at(List list) {
      for (std::uint32_t i = list.begin; i < list.end; ++i) {
        const std::uint32_t route = index.candidates_[i];
        if (route >= best) return;
        if (!passes(route)) continue;
        best = route;
        return;
      }
    }
  };

  struct Routes {
    std::vector<std::uint32_t> exact;
    std::vector<std::uint32_t> prefix;
  };
  using PathMap = std::map<std::string, Routes>;
  [[nodiscard]] PrefixTrie::Root add_paths(const PathMap& paths);
  [[nodiscard]] List add_list(const std::vector<std::uint32_t>& routes);

  PrefixTrie paths_;  // One tree for each group of hosts.
  PrefixTrie hosts_;
  PrefixTrie::Root any_host_ = 0;
  PrefixTrie::Root host_root_ = 0;
  std::vector<HostGroup> groups_;
  std::vector<Spot> spots_;
  std::vector<std::uint32_t> candidates_;
};

// How a prefix is compared: /api/ is the same as /api, and / stays.
[[nodiscard]] std::string_view prefix_without_slash(std::string_view prefix);

}  // namespace lb
