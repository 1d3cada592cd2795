#include "adapter/directory_object_shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "adapter/temporary_directory.h"
#include "base/digest.h"
#include "fault/fault_plan.h"
#include "fault/memory_object_shelf.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;

class DirectoryShelf : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& body) {
    const fs::path path = fs::path(directory_.path()) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << body;
  }
  void write_hashed(const std::string& name, const std::string& body) {
    const std::string entry = ".pawl/hashed/" + sha256(name).to_hex();
    write(entry + ".name", name);
    write(entry, body);
  }
  std::string read(DirectoryObjectShelf& shelf, const std::string& name) {
    auto opened = shelf.open(name);
    if (!opened.ok()) return opened.error().message;
    if (!opened.value()) return "absent";
    return (*opened)->body->read(0, (*opened)->about.bytes).value();
  }
  // What comes one after the other.
  static std::vector<std::string> walk(ObjectShelf& shelf, const NameWalk::Fold& fold,
                                       bool goes_on = false) {
    const auto walk = shelf.walk(goes_on);
    std::vector<std::string> names;
    std::string from;
    for (auto name = walk->first(from, fold).value(); name;
         name = walk->first(from, fold).value()) {
      names.push_back(*name);
      from = *name;
      if (from.ends_with('/')) {
        from.back() = '/' + 1;
      } else {
        from.push_back('\0');
      }
      if (names.size() > 10'000) break;
    }
    return names;
  }
  static bool never(std::string_view) { return false; }

  TemporaryDirectory directory_;
};

TEST_F(DirectoryShelf, ObjectsAndNothingElse) {
  write("users/a-0.json", "zero");
  write(".pawl/archive.json", "{}");
  write(".suspect/1", "aside");
  write_hashed("users/a-0.json/deep", "hashed");
  const std::string outside = directory_.path() + "-outside";
  std::ofstream(outside) << "secret";
  fs::create_symlink(outside, directory_.path() + "/users/link");
  fs::create_directory_symlink("/etc", directory_.path() + "/etc");
  ::mkfifo((directory_.path() + "/users/fifo").c_str(), 0600);
  fs::create_directories(directory_.path() + "/empty/emptier");
  const auto shelf = DirectoryObjectShelf::open_archive(directory_.path()).value();
  EXPECT_EQ(read(*shelf, "users/a-0.json"), "zero");
  EXPECT_EQ(read(*shelf, "users/a-0.json/deep"), "hashed");
  for (const std::string absent :
       {"users", "users/", "users/a-1.json", ".pawl/archive.json", ".suspect/1", "", "/",
        "/users/a-0.json", "users//a-0.json", "users/./a-0.json", "users/../users/a-0.json", "../",
        "users/link", "etc/passwd", "users/fifo", "users/a-0.json/other"})
    EXPECT_EQ(read(*shelf, absent), "absent") << absent;
  EXPECT_EQ(read(*shelf, std::string("users/a-0.json\0x", 16)), "absent");
  EXPECT_EQ(read(*shelf, std::string(300, 'n')), "absent");
  EXPECT_THAT(walk(*shelf, never), ::testing::ElementsAre("users/a-0.json", "users/a-0.json/deep"));
  EXPECT_THAT(walk(*shelf, [](auto) { return true; }), ::testing::ElementsAre("users/"));
  const auto about = shelf->walk(false)->about("users/a-0.json").value();
  EXPECT_EQ(about->bytes, 4U);
  EXPECT_GT(about->modified.microseconds, 1'600'000'000'000'000);
  ::unlink(outside.c_str());
}

// Random trees, whatever the window: the names and folders of a shelf that is a sorted map.
TEST_F(DirectoryShelf, WalksAsAMapDoes) {
  SeededRandom random(3);
  const std::vector<std::string> parts{"a", "b", "b-1", "b!", "c", "\xC3\xA4", "zz"};
  MemoryObjectShelf model;
  for (int i = 0; i < 300; ++i) {
    std::string name = parts[random.below(parts.size())];
    for (std::uint64_t deeper = random.below(4); deeper > 0; --deeper)
      name += "/" + parts[random.below(parts.size())];
    const fs::path path = fs::path(directory_.path()) / name;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    if (failed || fs::is_directory(path)) {
      write_hashed(name, name);  // what can't be a path here
    } else {
      std::ofstream(path) << name;
    }
    model.put(name, name);
  }
  for (const std::size_t window : {1U, 2U, 3U, 100U}) {
    const auto shelf = DirectoryObjectShelf::open_archive(directory_.path(), window).value();
    for (const std::string folded : {"", "a", "b", "/b-1/"}) {
      const auto fold = [&folded](std::string_view folder) {
        return !folded.empty() && folder.find(folded) != std::string_view::npos;
      };
      const auto wanted = walk(model, fold);
      EXPECT_EQ(walk(*shelf, fold), wanted) << window << folded;
      EXPECT_EQ(walk(*shelf, fold, true), wanted) << window << folded;
      for (int i = 0; i < 200; ++i) {
        std::string from = wanted[random.below(wanted.size())];
        from.resize(random.below(from.size() + 1));
        if (random.below(2) == 0) from.push_back(static_cast<char>(random.below(128)));
        EXPECT_EQ(shelf->walk(false)->first(from, fold).value(),
                  model.walk(false)->first(from, fold).value())
            << "from " << from;
      }
    }
  }
}

TEST_F(DirectoryShelf, APageThatGoesOnMayBeOfAMomentAgo) {
  for (const char* name : {"t/a", "t/c"}) write(name, "x");
  const auto shelf = DirectoryObjectShelf::open_archive(directory_.path()).value();
  EXPECT_THAT(walk(*shelf, never), ::testing::ElementsAre("t/a", "t/c"));
  write("t/b", "x");
  EXPECT_THAT(walk(*shelf, never), ::testing::ElementsAre("t/a", "t/b", "t/c"));
  EXPECT_EQ(shelf->walk(true)->first("t/aa", never).value(), "t/b");
}

}  // namespace
}  // namespace pawl
