#include "adapter/directory_body_files.h"

#include <fstream>

#include "adapter/temporary_directory.h"
#include "port/conformance/body_files_conformance.h"

namespace pawl {
namespace {

struct InDirectory {
  TemporaryDirectory directory;
  std::unique_ptr<DirectoryBodyFiles> opened =
      DirectoryBodyFiles::open(directory.path() + "/bodies").value();
  BodyFiles& files() { return *opened; }
};

TEST(DirectoryBodyFiles, AnotherOpeningFindsThemAndPassesOverStrangers) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/bodies";
  {
    const auto files = DirectoryBodyFiles::open(path).value();
    const auto writer = files->create(0x2A).value();
    ASSERT_TRUE(writer->append("kept").ok());
    ASSERT_TRUE(writer->seal().ok());
  }
  std::ofstream(path + "/2a/notes.txt") << "mine";
  const auto files = DirectoryBodyFiles::open(path).value();
  EXPECT_EQ(files->list().value(), std::vector<BodyNumber>{0x2A});
  EXPECT_EQ(files->open(0x2A).value()->read(0, 4).value(), "kept");
  EXPECT_TRUE(std::ifstream(path + "/2a/notes.txt").good());
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Directory, BodyFilesConformance, InDirectory);

}  // namespace pawl
