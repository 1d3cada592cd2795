#include "adapter/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "adapter/code_folders.h"
#include "adapter/temporary_directory.h"
#include "base/crc.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

struct Entry {
  std::string name;
  std::string content;
  unsigned mode = S_IFREG | 0644;
};

// A zip file whose entries are stored as they are (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16).
std::string zip_of(const std::vector<Entry>& entries) {
  std::string out;
  std::string directory;
  const auto number = [](std::string& to, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
  };
  for (const Entry& entry : entries) {
    const auto size = static_cast<std::uint32_t>(entry.content.size());
    const auto offset = static_cast<std::uint32_t>(out.size());
    std::string both;
    number(both, 20, 2);
    number(both, 0x800, 2);  // names are UTF-8
    number(both, 0, 2);
    number(both, 0, 4);
    number(both, crc32(entry.content), 4);
    number(both, size, 4);
    number(both, size, 4);
    number(both, static_cast<std::uint32_t>(entry.name.size()), 2);
    number(both, 0, 2);
    out += "PK\x03\x04" + both + entry.name + entry.content;
    directory += "PK\x01\x02";
    number(directory, 0x0314, 2);  // made on Unix
    directory += both;
    number(directory, 0, 2);
    number(directory, 0, 2);
    number(directory, 0, 2);
    number(directory, entry.mode << 16, 4);
    number(directory, offset, 4);
    directory += entry.name;
  }
  const auto at = static_cast<std::uint32_t>(out.size());
  out += directory + "PK\x05\x06";
  number(out, 0, 4);
  number(out, static_cast<std::uint32_t>(entries.size()), 2);
  number(out, static_cast<std::uint32_t>(entries.size()), 2);
  number(out, static_cast<std::uint32_t>(directory.size()), 4);
  number(out, at, 4);
  number(out, 0, 2);
  return out;
}

class Zip : public testing::Test {
 protected:
  Zip() { fs::create_directory(directory_ / "in"); }

  Status unpack(const std::string& zip) {
    const auto folder = open_directory(directory_ / "in");
    EXPECT_TRUE(folder.ok());
    PAWL_TRY(unpack_zip(zip, folder->get()));
    return ok();
  }
  std::string read(const std::string& name) {
    std::ifstream file(directory_ / "in/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  unsigned mode(const std::string& name) {
    struct stat found {};
    EXPECT_EQ(::stat((directory_ / "in/" + name).c_str(), &found), 0) << name;
    return found.st_mode & 07777;
  }
  void refuses(const std::string& zip, const std::string& why) {
    const auto done = unpack(zip);
    ASSERT_FALSE(done.ok()) << why;
    EXPECT_EQ(done.error().code, ErrorCode::kInvalid) << done.error().to_string();
    EXPECT_THAT(done.error().message, HasSubstr(why));
  }

  TemporaryDirectory directory_;
};

TEST_F(Zip, UnpacksFilesAndFolders) {
  const auto done = unpack(zip_of({{"handler.py", "print()"},
                                   {"lib/deep/x.js", "y"},
                                   {"lib/empty/", "", S_IFDIR | 0700},
                                   {"bootstrap", "#!", S_IFREG | 0755},
                                   {"private", "z", S_IFREG | 0600},
                                   {"\xe3\x83\xa6.py", "u"}}));
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(read("handler.py"), "print()");
  EXPECT_EQ(read("lib/deep/x.js"), "y");
  EXPECT_EQ(read("\xe3\x83\xa6.py"), "u");
  EXPECT_EQ(mode("bootstrap"), 0755U);
  EXPECT_EQ(mode("private"), 0644U) << "whoever runs it must read it";
  EXPECT_EQ(mode("lib/empty"), 0755U);
}

TEST_F(Zip, NothingLeadsElsewhere) {
  for (const char* const name : {"../out", "a/../../out", "/etc/out", "a\\..\\out", ".."}) {
    refuses(zip_of({{name, "x"}}), "elsewhere");
  }
  refuses(zip_of({{"link", "/etc/passwd", S_IFLNK | 0777}}), "a link");
  refuses(zip_of({{"device", "", S_IFCHR | 0666}}), "a device");
  EXPECT_THAT(std::distance(fs::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(Zip, RefusesWhatIsNoSoundZipFile) {
  refuses("", "unzip");
  refuses("print('hello')", "unzip");
  refuses(zip_of({}), "empty");
  refuses(zip_of({{"twice", "1"}, {"twice", "2"}}), "twice");
  refuses(zip_of({{"both", "1"}, {"both/inside", "2"}}), "as a file and as a folder");
  std::string damaged = zip_of({{"handler.py", "the content of it"}});
  damaged[50] = static_cast<char>(damaged[50] ^ 1);
  refuses(damaged, "unzip");
  refuses(zip_of({{std::string(2'000, 'n'), "x"}}), "too long");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "d/";
  refuses(zip_of({{deep + "x", "x"}}), "too deep");
}

TEST_F(Zip, UsesNoMoreThanItsRoom) {
  const auto folder = open_directory(directory_ / "in");
  const std::string zip = zip_of({{"a/one", "1"}, {"a/two", std::string(5'000, '2')}, {"b", "3"}});
  EXPECT_EQ(unpack_zip(zip, folder->get(), {8'192, 10}).error().code, ErrorCode::kExhausted);
  fs::remove_all(directory_ / "in/a");
  EXPECT_EQ(unpack_zip(zip, folder->get(), {1 << 20, 2}).error().code, ErrorCode::kExhausted);
  fs::remove_all(directory_ / "in/a");
  const auto done = unpack_zip(zip, folder->get(), {1 << 20, 10});
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(*done, 4 * 4096U);
  EXPECT_EQ(read("a/two").size(), 5'000U);
  EXPECT_EQ(read("b"), "3");
}

TEST_F(Zip, FilesOfManyFoldersInAnyOrder) {
  std::vector<Entry> entries;
  for (int i = 0; i < 300; ++i) {
    entries.push_back(
        {"d" + std::to_string(i % 7) + "/e/f" + std::to_string(i), std::to_string(i)});
  }
  ASSERT_TRUE(unpack(zip_of(entries)).ok());
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(read(entries[static_cast<std::size_t>(i)].name), std::to_string(i));
  }
}

TEST(SafePath, LeavesOutWhatSaysNothing) {
  EXPECT_THAT(*safe_path("./a//b/./c/"), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(safe_path("")->empty());
  EXPECT_THAT(*safe_path("..."), ElementsAre("..."));
}

TEST(CodeFolders, AreWholeOrNotThereAndGoWithTheServer) {
  const TemporaryDirectory directory;
  const auto functions = open_directory(directory.path());
  ASSERT_TRUE(functions.ok());
  std::string path;
  std::string left;
  {
    const auto folders = *CodeFolders::open(functions->get());
    path = folders->path();
    EXPECT_TRUE(fs::exists(folders->python_bootstrap()));
    EXPECT_TRUE(fs::exists(folders->node_bootstrap()));
    EXPECT_TRUE(fs::exists(folders->python_path() + "/sitecustomize.py"));
    EXPECT_EQ(folders->unpack("bad", "no zip").error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(folders->has("bad"));
    const auto code = folders->unpack("abc", zip_of({{"handler.py", "1"}}));
    ASSERT_TRUE(code.ok()) << code.error().to_string();
    EXPECT_TRUE(fs::exists(*code + "/handler.py"));
    EXPECT_EQ(*folders->unpack("abc", ""), *code) << "it is there";
    std::size_t entries = 0;
    for (const auto& entry : fs::directory_iterator(path)) {
      ++entries;
      EXPECT_FALSE(entry.path().filename().string().starts_with("making")) << entry.path();
    }
    EXPECT_EQ(entries, 2U);
    // What a killed server leaves: the folder, and the note where it is.
    left = path;
    fs::copy(path, directory / "copy", fs::copy_options::recursive);
  }
  EXPECT_FALSE(fs::exists(path));
  fs::copy(directory / "copy", left, fs::copy_options::recursive);
  const auto next = *CodeFolders::open(functions->get());
  EXPECT_FALSE(fs::exists(left)) << "the next server removes it";
  EXPECT_TRUE(fs::exists(next->path()));
}

TEST(CodeFolders, OfAnotherServerAreLeftAlone) {
  const TemporaryDirectory first;
  const TemporaryDirectory second;
  const auto of_first = open_directory(first.path());
  const auto of_second = open_directory(second.path());
  const auto folders = *CodeFolders::open(of_first->get());
  ASSERT_TRUE(folders->unpack("abc", zip_of({{"handler.py", "1"}})).ok());
  {
    // It runs on a copy of the data directory, and its note names the other's folder.
    fs::copy(first / "unpacked-in", second / "unpacked-in");
    const auto copy = *CodeFolders::open(of_second->get());
    EXPECT_TRUE(fs::exists(folders->folder("abc") + "/handler.py"));
  }
  // Even of the same data directory: it is in use.
  const auto again = *CodeFolders::open(of_first->get());
  EXPECT_TRUE(fs::exists(folders->folder("abc") + "/handler.py"));
}

TEST(CodeFolders, WhatOthersRemoveIsMadeAgain) {
  const TemporaryDirectory directory;
  const auto functions = open_directory(directory.path());
  const auto folders = *CodeFolders::open(functions->get());
  const std::string zip = zip_of({{"handler.py", "1"}});
  ASSERT_TRUE(folders->unpack("abc", zip).ok());
  for (const std::string& gone :
       {folders->folder("abc"), folders->path(), folders->folder("runtime")}) {
    EXPECT_TRUE(folders->has("abc"));
    fs::remove_all(gone);
    EXPECT_FALSE(folders->has("abc")) << gone;
    const auto code = folders->unpack("abc", zip);
    ASSERT_TRUE(code.ok()) << code.error().to_string();
    EXPECT_TRUE(fs::exists(*code + "/handler.py"));
    EXPECT_TRUE(fs::exists(folders->node_bootstrap()));
  }
}

TEST(CodeFolders, WhatIsNotNeededIsBounded) {
  const TemporaryDirectory directory;
  const auto functions = open_directory(directory.path());
  CodeFoldersOptions options;
  options.retired_bytes_max = 3 * 4096;
  const auto folders = *CodeFolders::open(functions->get(), options);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(folders->unpack(std::to_string(i), zip_of({{"f", std::to_string(i)}})).ok());
    folders->keep_only({"0"});
  }
  EXPECT_TRUE(folders->has("0"));
  std::size_t present = 0;
  for (int i = 1; i < 8; ++i) present += folders->has(std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(present, 3U);
  EXPECT_TRUE(folders->has("7")) << "the newest";
  folders->remove("7");
  EXPECT_FALSE(folders->has("7"));
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folders->path())) ++entries;
  EXPECT_EQ(entries, 4U) << "0, two that are retired, runtime";
  options.reserve_bytes = ~std::uint64_t{0};
  const auto full = *CodeFolders::open(functions->get(), options);
  EXPECT_EQ(full->unpack("x", zip_of({{"f", "1"}})).error().code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace pawl
