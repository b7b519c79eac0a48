// The form in which paths are compared, so that /%61dmin and /x/../admin are /admin.
//
// DESCRIPTION  The normal form is that of RFC 3986, section 6.2.2: escapes of unreserved characters
//   are decoded, the others are in upper case, dot segments are resolved; and characters that no
//   path may hold as they are get escaped. It is the one reading the RFC allows, but not the only
//   one there is. Servers differ on these, and each has let someone past a proxy's rule:
//     %2F and %5C and "\"    a slash, to some            //    one slash, to some
//     ;name=value            not there, to some          %40   the same as "@", to most
//   The liberal form reads all of them in the way that hides most. Where the two forms would go to
//   different routes nobody knows which of them the backend will see, so the table refuses.
// GUARANTEES   Both forms of a normal form are themselves, unless it is ambiguous. A path that does
//   not start with "/" (the "*" of OPTIONS) is left alone.
#pragma once

#include <string>
#include <string_view>

namespace lb {

struct PathShape {
  bool normal = true;      // It is its own normal form: true of nearly all there are.
  bool ambiguous = false;  // The liberal form may differ from the normal one.
  bool malformed = false;  // "%" without two hex digits after it, or an escaped NUL.
};

// One pass over the path; no allocation.
[[nodiscard]] PathShape shape_of(std::string_view path);

void write_normal_path(std::string_view path, std::string& out);
void write_liberal_path(std::string_view path, std::string& out);

}  // namespace lb
