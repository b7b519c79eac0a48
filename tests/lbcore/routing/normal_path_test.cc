// Goal: one path has one form, whatever it is spelt like; and every spelling that some server reads
// as another path is known to be one.
// Method: tables of spellings, with both forms.
#include "lbcore/routing/normal_path.h"

#include <gtest/gtest.h>

#include <string>

namespace lb {
namespace {

std::string normal(std::string_view path) {
  std::string out = "what was here before";
  write_normal_path(path, out);
  return out;
}
std::string liberal(std::string_view path) {
  std::string out = "what was here before";
  write_liberal_path(path, out);
  return out;
}

struct Spelling {
  const char* path;
  const char* normal;
};

TEST(NormalPath, IsItselfForWhatNearlyEveryoneSends) {
  for (const char* path :
       {"/", "/a", "/a/", "/a/b.html", "/A-z_0.9~", "/a.b/..c/d..", "/...", "/.well-known/x",
        "/a:b@c!d$e&f'g(h)i*j+k,l=m", "/caf%C3%A9", "/a%20b", "/100%25"}) {
    const PathShape shape = shape_of(path);
    EXPECT_TRUE(shape.normal && !shape.ambiguous && !shape.malformed) << path;
    EXPECT_EQ(normal(path), path);
    EXPECT_EQ(liberal(path), path);
  }
}

TEST(NormalPath, HasOneSpelling) {
  constexpr Spelling kSpellings[] = {
      {"/%61dmin", "/admin"},
      {"/%41%5A%7e%2D%5f%2e5", "/AZ~-_.5"},
      {"/caf%c3%a9", "/caf%C3%A9"},
      {"/caf\xc3\xa9", "/caf%C3%A9"},
      {"/a|b", "/a%7Cb"},
      {"/a\"b<c>d^e`f{g}", "/a%22b%3Cc%3Ed%5Ee%60f%7Bg%7D"},
      {"/.", "/"},
      {"/..", "/"},
      {"/../../..", "/"},
      {"/./a", "/a"},
      {"/a/./b", "/a/b"},
      {"/a/.", "/a/"},
      {"/a/../b", "/b"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/a/b/../../c", "/c"},
      {"/../admin", "/admin"},
      {"/x/%2e%2E/admin", "/admin"},
      {"/x/.%2e/admin", "/admin"},
      {"/x/%2e/admin", "/x/admin"},
      {"/%2E%2e", "/"},
      {"//..", "/"},
      {"/a//../b", "/a/b"},
      {"/%2561dmin", "/%2561dmin"},  // Decoded once, as servers do.
  };
  for (const Spelling& spelling : kSpellings) {
    EXPECT_EQ(normal(spelling.path), spelling.normal) << spelling.path;
    EXPECT_EQ(shape_of(spelling.path).normal, normal(spelling.path) == spelling.path)
        << spelling.path;
    EXPECT_EQ(normal(spelling.normal), spelling.normal);
    EXPECT_FALSE(shape_of(spelling.path).malformed) << spelling.path;
  }
}

TEST(NormalPath, KnowsWhatServersReadDifferently) {
  struct Ambiguous {
    const char* path;
    const char* normal;
    const char* liberal;
  };
  constexpr Ambiguous kAmbiguous[] = {
      {"/x%2fadmin", "/x%2Fadmin", "/x/admin"},
      {"/x/..%2Fadmin", "/x/..%2Fadmin", "/admin"},
      {"/x/..%5cadmin", "/x/..%5Cadmin", "/admin"},
      {"/x\\..\\admin", "/x%5C..%5Cadmin", "/admin"},
      {"/%2e%2e%2fadmin", "/..%2Fadmin", "/admin"},
      {"//admin", "//admin", "/admin"},
      {"///admin//", "///admin//", "/admin/"},
      {"/a//", "/a//", "/a/"},
      {"/admin;x=1/y", "/admin;x=1/y", "/admin/y"},
      {"/x/..;/admin", "/x/..;/admin", "/admin"},
      {"/x/..;a;b=c/admin", "/x/..;a;b=c/admin", "/admin"},
      {"/admin%3Bx", "/admin%3Bx", "/admin"},
      {"/admin;%2fx", "/admin;%2Fx", "/admin/x"},
      {"/%40scope", "/%40scope", "/@scope"},
      {"/a%2Bb", "/a%2Bb", "/a+b"},
      {"/;/..;/", "/;/..;/", "/"},
  };
  for (const Ambiguous& each : kAmbiguous) {
    EXPECT_TRUE(shape_of(each.path).ambiguous) << each.path;
    EXPECT_EQ(normal(each.path), each.normal) << each.path;
    EXPECT_EQ(liberal(each.path), each.liberal) << each.path;
    EXPECT_EQ(liberal(each.normal), each.liberal) << each.path;
    EXPECT_EQ(liberal(each.liberal), each.liberal) << each.path;
  }
}

TEST(NormalPath, KnowsWhatIsNoPath) {
  for (const char* path : {"/%", "/%4", "/%4/", "/%zz", "/%u0061", "/a%0", "/%00", "/a%00.html",
                           "/%%41", "/% 41", "/%-1"}) {
    EXPECT_TRUE(shape_of(path).malformed) << path;
    static_cast<void>(liberal(path));  // Whatever it says, it ends.
  }
  EXPECT_EQ(normal("/x/../%zz%41"), "/%zzA") << "a bad escape stays, the rest is made normal";
}

TEST(NormalPath, LeavesWhatIsNoPathAlone) {
  for (const char* path : {"*", "", "a/../b", "%61"}) {
    EXPECT_TRUE(shape_of(path).normal) << path;
    EXPECT_EQ(normal(path), path);
    EXPECT_EQ(liberal(path), path);
  }
}

}  // namespace
}  // namespace lb
