#include "adapter/data_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "adapter/temporary_directory.h"

namespace pawl {
namespace {

using testing::HasSubstr;

void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

TEST(DataDirectory, IsMadePrivateWithItsAncestors) {
  TemporaryDirectory directory;
  const std::string path = directory / "a/b/data";
  auto data = DataDirectory::open(path);
  ASSERT_TRUE(data.ok()) << data.error().to_string();
  EXPECT_TRUE(data->created());
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

TEST(DataDirectory, OpensAgainAfterItsOwnerHasGone) {
  TemporaryDirectory directory;
  { ASSERT_TRUE(DataDirectory::open(directory / "data").ok()); }
  auto again = DataDirectory::open(directory / "data/");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created());
}

TEST(DataDirectory, ASecondUserIsToldWhoTheFirstIs) {
  TemporaryDirectory directory;
  auto first = DataDirectory::open(directory / "data");
  ASSERT_TRUE(first.ok());
  auto second = DataDirectory::open(directory / "data");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("in use by process " + std::to_string(::getpid())));
}

TEST(DataDirectory, AMovedLockGoesWithItsObject) {
  TemporaryDirectory directory;
  auto first = DataDirectory::open(directory / "data");
  ASSERT_TRUE(first.ok());
  {
    const DataDirectory moved = std::move(*first);
    EXPECT_FALSE(DataDirectory::open(directory / "data").ok());
  }
  EXPECT_TRUE(DataDirectory::open(directory / "data").ok());
}

TEST(DataDirectory, ANewerFormatIsRefused) {
  TemporaryDirectory directory;
  write(directory / "FORMAT", "pawl-data/2\n");
  auto data = DataDirectory::open(directory.path());
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(data.error().message, HasSubstr("pawl-data/2"));
  EXPECT_THAT(data.error().hint, HasSubstr("newer"));
}

TEST(DataDirectory, AnUnknownFormatIsRefused) {
  for (const char* text :
       {"", "pawl-data/", "pawl-data/0\n", "pawl-data/1", "pawl-data/1x\n", "x\n"}) {
    TemporaryDirectory directory;
    write(directory / "FORMAT", text);
    auto data = DataDirectory::open(directory.path());
    ASSERT_FALSE(data.ok()) << text;
    EXPECT_EQ(data.error().code, ErrorCode::kCorrupt);
  }
}

TEST(DataDirectory, AForeignDirectoryStaysUntouched) {
  TemporaryDirectory directory;
  write(directory / "holiday.jpg", "x");
  auto data = DataDirectory::open(directory.path());
  ASSERT_FALSE(data.ok());
  EXPECT_THAT(data.error().message, HasSubstr("not Pawl's"));
  EXPECT_FALSE(std::filesystem::exists(directory / "LOCK"));
}

TEST(DataDirectory, AnInterruptedFirstOpenIsFinished) {
  TemporaryDirectory directory;
  write(directory / "LOCK", "123\n");
  write(directory / "FORMAT.new", "pawl-da");
  auto data = DataDirectory::open(directory.path());
  ASSERT_TRUE(data.ok()) << data.error().to_string();
  EXPECT_TRUE(data->created());
}

TEST(DataDirectory, AFileInItsPlaceIsAClearError) {
  TemporaryDirectory directory;
  write(directory / "data", "x");
  auto data = DataDirectory::open(directory / "data");
  ASSERT_FALSE(data.ok());
  EXPECT_THAT(data.error().message, HasSubstr("data: Not a directory"));
}

// Permissions don't stop root, so a child of another user tries.
TEST(DataDirectory, AReadOnlyDirectoryIsAClearError) {
  TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0555), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    auto data = DataDirectory::open(directory.path());
    const bool clear = !data.ok() &&
                       data.error().message.find("Permission denied") != std::string::npos &&
                       data.error().message.find(directory.path()) != std::string::npos &&
                       !data.error().hint.empty();
    ::_exit(clear ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace pawl
